"""py-spy reads one interpreter of several: how many there are is counted."""

from __future__ import annotations

import os
import subprocess

import pytest
from support.sampler import KNOWN, clean_environment

from perftui.probes.stacks import interpreters
from perftui.probes.stacks.interpreters import InterpreterCount

PROGRAM = """
try:
    import _interpreters as made
except ImportError:
    import _xxsubinterpreters as made
kept = [made.create() for _ in range(2)]
print("go", flush=True)
input()
for each in kept: made.destroy(each)
print("gone", flush=True)
input()
"""


@pytest.mark.parametrize(
    "python",
    [
        pytest.param(exe, id=f"3.{minor}", marks=[] if minor == max(KNOWN) else [pytest.mark.live])
        for minor, exe in KNOWN.items()
    ],
)
def test_further_interpreters_are_counted(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "_LOOK_EVERY_S", 3600.0)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [python, "-c", PROGRAM], stdin=pipe, stdout=pipe, env=clean_environment(), bufsize=0
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"go\n"
        count = InterpreterCount(process.pid)
        assert count.look() == 3
        assert count.look() == 0  # asked a moment ago
        process.stdin.write(b"\n")
        assert process.stdout.readline() == b"gone\n"
        assert InterpreterCount(process.pid).look() == 1
        process.stdin.write(b"\n")


def test_what_cannot_be_read_counts_nothing() -> None:
    assert InterpreterCount((1 << 31) - 2).look() == 0
    with subprocess.Popen(["sleep", "60"]) as process:
        assert InterpreterCount(process.pid).look() == 0
        process.kill()
    assert InterpreterCount(os.getpid()).look() in (0, 1)
