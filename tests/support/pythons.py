"""The interpreters that are here: what agents and samplers are tried on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

OLDEST, NEWEST = 9, 15
TOLD = "PERFTUI_PYTHONS"
"""Further interpreters, separated like PATH."""

ASKED = "import sys; print('%d %d %d' % sys.version_info[:3], getattr(sys, 'abiflags', ''))"


class Interpreter(NamedTuple):
    """A Python 3 that runs."""

    executable: str
    minor: int
    micro: int
    free_threaded: bool

    @property
    def version(self) -> str:
        """As "3.15.2"."""
        return f"3.{self.minor}.{self.micro}"


@cache
def ask(executable: str) -> Interpreter | None:
    """Run it once: what it says of itself, None if it does not run or is no Python 3."""
    try:
        done = subprocess.run([executable, "-I", "-S", "-c", ASKED], capture_output=True, text=True)
    except OSError:
        return None
    words = done.stdout.split()
    if done.returncode or len(words) < 3 or words[0] != "3":
        return None
    return Interpreter(executable, int(words[1]), int(words[2]), "t" in "".join(words[3:]))


@cache
def interpreters(*, free_threaded: bool = True) -> tuple[Interpreter, ...]:
    """One of every minor version, this one first, then those that are told, pyenv's, uv's, PATH's.

    A worker of the tests asks each only once, and none of a version that it has.
    """
    found: dict[int, Interpreter] = {}

    def take(executable: str) -> None:
        told = ask(executable) if executable else None
        if told is not None and (free_threaded or not told.free_threaded):
            found.setdefault(told.minor, told)

    for executable in (sys.executable, *os.environ.get(TOLD, "").split(os.pathsep)):
        take(executable)
    homes = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    homes.append(Path.home() / ".local" / "share" / "uv" / "python")
    for minor in range(OLDEST, NEWEST + 1):
        name = f"python3.{minor}"
        installed = (str(path) for home in homes for path in sorted(home.glob(f"*/bin/{name}")))
        for executable in (*installed, shutil.which(name) or ""):
            if minor not in found:
                take(executable)
    return tuple(each for each in found.values() if OLDEST <= each.minor <= NEWEST)


def on_every_python(metafunc: pytest.Metafunc) -> None:
    """`python`: this one, the newest and the oldest; the others are for the long run."""
    if "python" not in metafunc.fixturenames:
        return
    this, *rest = interpreters()
    others = sorted(rest, key=lambda each: each.minor)
    metafunc.parametrize(
        "python",
        [
            pytest.param(
                each.executable,
                marks=[pytest.mark.live] if index > 2 else [],
                id=each.version,
            )
            for index, each in enumerate([this, *others[-1:], *others[:-1]])
        ],
    )
