"""Pythons that are not CPython, told by the files that they run: no sampler reads their stacks."""

from __future__ import annotations

import re
from pathlib import Path

_PROGRAM = re.compile(r"(pypy|graalpy|graalpython)(\d(?:\.\d+)?)?(?:-c)?(?:\.exe)?")
_LIBRARY = re.compile(r"lib(pypy|graalpy|graalpython)(\d(?:\.\d+)?)?(?:-c)?\.so[\d.]*")
_NAMES = {"pypy": "PyPy", "graalpy": "GraalPy", "graalpython": "GraalPy"}


def other_implementation(pid: int) -> str | None:
    """Return which other Python a process runs ("PyPy 3.9"), None if it runs none that is known.

    Its program's name tells, or that of a library that it has loaded.
    """
    try:
        image = Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
        maps = Path(f"/proc/{pid}/maps").read_text("utf-8", "replace")
    except OSError:
        return None
    found = _PROGRAM.fullmatch(image)
    version = found[2] if found else None
    for line in maps.splitlines():
        name = line.removesuffix(" (deleted)").rpartition("/")[2]
        library = _LIBRARY.fullmatch(name)
        if library:
            found = found or library
            version = library[2] or version
            break
    if found is None:
        return None
    return f"{_NAMES[found[1]]} {version}" if version and "." in version else _NAMES[found[1]]


def what_follows_elsewhere(name: str, *, inside: bool) -> str:
    """Say in one line what is seen of another Python; `inside`: the agent samples it."""
    head = f"{name}: samplers read CPython only"
    if inside:
        return f"{head}; stacks come from inside the program; CPU and memory are seen as ever"
    return f"{head}: no stacks, CPU and memory only; `perftui run` takes stacks from inside"
