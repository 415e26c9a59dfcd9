"""What is measured of a process itself, in one that has done nothing else.

A process that has run thousands of other tests has their garbage, freed pages that its allocator
keeps, their threads that have not ended: whatever it measures of itself is theirs, too.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TESTS = str(Path(__file__).resolve().parents[1])
LIMIT_S = 100.0
"""Less than the limit of a test, so that what the process has said is told."""


def said_afresh(code: str, *words: str) -> str:
    """Run lines in a process of their own; returns what they print, fails with what went wrong."""
    argv = [sys.executable, "-c", dedent(code), *words]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_RUNS_ONE = """
import runpy, sys
file, name, sys.path[:0] = sys.argv[1], sys.argv[2], sys.argv[3:]
runpy.run_path(file)[name].__wrapped__()
"""


def afresh(test: Callable[[], None]) -> Callable[[], None]:
    """Have a test without arguments run in a process of its own."""

    @wraps(test)
    def run() -> None:
        said_afresh(_RUNS_ONE, test.__code__.co_filename, test.__name__, _TESTS)

    return run


class Steps:
    """A program that stands still wherever it says `step()`, for who looks at it from outside."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def reached(self) -> None:
        """Wait until it stands still; it stays so until `go_on`."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == b"step\n", (line, self._process.wait())

    def go_on(self) -> None:
        """Let it go on to its next step, and wait until it is there."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        self.reached()


_STEP = "import sys\ndef step(): print('step', flush=True); sys.stdin.readline()\n"


@contextmanager
def steps(code: str) -> Iterator[Steps]:
    """Start a program and wait for its first `step()`; it ends with the block."""
    pipe = subprocess.PIPE
    argv = [sys.executable, "-c", _STEP + dedent(code)]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe) as process:
        try:
            made = Steps(process)
            made.reached()
            yield made
        finally:
            process.kill()
