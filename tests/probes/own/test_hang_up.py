"""A helper that hears the end of its input ends by itself; one that does not is ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from perftui.probes.own.hang_up import hang_up


@pytest.mark.parametrize(
    ("code", "patience_s", "ends_with"),
    [
        ("import sys; sys.stdin.read(); sys.exit(3)", 20.0, 3),
        ("import time; time.sleep(60)", 0.01, -9),
    ],
    ids=["hears", "deaf"],
)
def test_it_has_ended_afterwards(code: str, patience_s: float, ends_with: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    hang_up(child, patience_s)
    assert child.returncode == ends_with
