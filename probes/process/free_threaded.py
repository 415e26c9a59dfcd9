"""Free-threaded builds of Python: told apart before anybody tries to read their stacks.

Their objects are laid out differently, so that samplers for the ordinary build find nothing in
them and take them for something else. The own sampler knows both (`sampler.cpython.layout`).
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_NAME = re.compile(r"(?:lib)?python(3\.\d+)td?(?:\.so[\d.]*|\.exe)?")
_ANY_PYTHON = re.compile(r"(?:lib)?python3?[\d.]*t?d?(?:\.so[\d.]*)?")
_COOKIE = struct.Struct("<8sQQ")
"""Where `_PyRuntime` begins (`_Py_DebugOffsets`, 3.13 on): "xdebugpy", version as in
`Py_Version`, 1 if the build is free-threaded."""
_MAGIC = b"xdebugpy"
_FIRST_MINOR = 13
_LARGEST_MAPPING_BYTES = 64 << 20


def free_threaded_build(pid: int) -> str | None:
    """Return which free-threaded Python a process runs ("3.13t"), None if it runs none.

    Its executable's or library's name tells; where they have been renamed, its memory, if that
    may be read. Nothing of it is touched.
    """
    try:
        image = Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
        maps = Path(f"/proc/{pid}/maps").read_text("utf-8", "replace")
    except OSError:
        return None
    if found := _build_in_name(image):
        return found
    data: list[tuple[int, int]] = []
    for begin, end, rights, file in _mappings(maps):
        name = file.removesuffix(" (deleted)").rpartition("/")[2]
        if found := _build_in_name(name):
            return found
        # The runtime's state is writable, and begins where the file's bytes do.
        if rights.startswith("rw") and (name == image or _ANY_PYTHON.fullmatch(name)):
            data.append((begin, end))
    return _build_in_memory(pid, data)


PY_SPY = "py-spy cannot read it"


def what_follows(build: str, *, inside: bool, why: str = PY_SPY) -> str:
    """Say in one line what is seen of a free-threaded Python that nobody reads from outside.

    Args:
        build: Which, as "3.13t".
        inside: The agent samples it.
        why: Nobody reads it.
    """
    head = f"free-threaded Python {build}: {why}"
    if inside:
        return f"{head}; stacks come from inside the program; imports and phases are seen as ever"
    return (
        f"{head}: no stacks, CPU and memory only; "
        "`perftui run` sees its imports, phases, and stacks from inside"
    )


def _build_in_name(name: str) -> str | None:
    match = _IN_NAME.fullmatch(name)
    return f"{match[1]}t" if match else None


def _mappings(maps: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield (begin, end, rights, file) of those that a file stands behind."""
    for line in maps.splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and fields[5].startswith("/"):
            begin, _, end = fields[0].partition("-")
            yield int(begin, 16), int(end, 16), fields[1], fields[5]


def _build_in_memory(pid: int, mappings: list[tuple[int, int]]) -> str | None:
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for begin, end in mappings:
            if end - begin <= _LARGEST_MAPPING_BYTES:
                version = version_of_runtime(os.pread(memory, end - begin, begin))
                if version is not None:
                    minor, free_threaded = version
                    return f"3.{minor}t" if free_threaded else None
    except OSError:
        return None  # it ended, or may not be read
    finally:
        os.close(memory)
    return None


def version_of_runtime(data: bytes) -> tuple[int, bool] | None:
    """Return (minor version, whether free-threaded) if `_PyRuntime` lies in `data`."""
    at = data.find(_MAGIC)
    while at >= 0:
        if at + _COOKIE.size <= len(data):
            _, version, free_threaded = _COOKIE.unpack_from(data, at)
            major, minor = version >> 24, version >> 16 & 0xFF
            if major == 3 and minor >= _FIRST_MINOR and free_threaded in (0, 1):
                return minor, free_threaded == 1
        at = data.find(_MAGIC, at + 1)
    return None
