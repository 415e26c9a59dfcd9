"""Interpreters that the own sampler knows, and what it said of a program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from perftui.probes.stacks.own.records import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.stacks.own.records import OwnRecord, ThreadRecord

Record = TypeVar("Record")
FIRST, LAST = 11, 15
TOLD = "PERFTUI_PYTHONS"
"""Further interpreters, separated like PATH."""


def version(executable: str) -> tuple[int, int] | None:
    """Major and minor version of a CPython with the GIL, None for others."""
    text = "import sys; print('%d.%d' % sys.version_info[:2], getattr(sys, 'abiflags', ''))"
    try:
        done = subprocess.run([executable, "-c", text], capture_output=True, text=True)
    except OSError:
        return None
    found = re.fullmatch(r"(\d+)\.(\d+) (\w*)\s*", done.stdout)
    if done.returncode or not found or "t" in found[3]:
        return None
    return int(found[1]), int(found[2])


def candidates() -> Iterator[str]:
    yield sys.executable
    yield from filter(None, os.environ.get(TOLD, "").split(os.pathsep))
    homes = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    homes.append(Path.home() / ".local" / "share" / "uv" / "python")
    for minor in range(9, LAST + 1):
        name = f"python3.{minor}"
        yield from (str(p) for home in homes for p in sorted(home.glob(f"*/bin/{name}")))
        yield shutil.which(name) or ""


def interpreters() -> dict[int, str]:
    """One interpreter of every minor version of Python 3, this one first."""
    found: dict[int, str] = {}
    for candidate in candidates():
        told = version(candidate) if candidate else None
        if told is not None and told[0] == 3:
            found.setdefault(told[1], candidate)
    return found


ALL = interpreters()
KNOWN = {minor: exe for minor, exe in ALL.items() if FIRST <= minor <= LAST}


class Watched(NamedTuple):
    """What a program said of itself, and what the sampler said of it."""

    output: list[str]
    records: list[OwnRecord]
    pid: int

    def of(self, kind: type[Record]) -> list[Record]:
        return [record for record in self.records if isinstance(record, kind)]

    def by_thread(self) -> dict[ThreadRecord, list[Sample]]:
        found: dict[ThreadRecord, list[Sample]] = {}
        for sample in self.of(Sample):
            found.setdefault(sample.thread, []).append(sample)
        return found

    def functions(self, sample: Sample) -> list[str]:
        """Names of a stack, innermost first."""
        return [place.function for place in sample.stack or ()]


def clean_environment() -> dict[str, str]:
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {key: os.environ[key] for key in keep if key in os.environ}
