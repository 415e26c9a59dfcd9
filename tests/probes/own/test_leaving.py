"""A command ends at once, but for what others have asked for at its end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BEGINNING = """
import atexit, sys, threading, time
from perftui.probes.own.leaving import leave

class Cleared:
    def __del__(self):
        print("taken apart")

kept = Cleared()
atexit.register(print, "asked for")
"""
AT_ONCE = "sys.stdout.write('said '); sys.exit(leave(3))"
WAITS = """
def write_late():
    while not going.is_set() or main.is_alive():
        going.wait(0.02)
    print("written", end=" ")

going, main = threading.Event(), threading.main_thread()
threading.Thread(target=write_late).start()
code = leave(3)
going.set()
sys.exit(code)
"""
A_DAEMON = """
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
sys.exit(leave(3))
"""


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (AT_ONCE, "said asked for\n"),
        (WAITS, "written asked for\ntaken apart\n"),
        (A_DAEMON, "asked for\n"),
    ],
    ids=["at once", "a thread that must end", "a daemon"],
)
def test_what_is_done_at_the_end(ending: str, said: str) -> None:
    environment = {key: text for key, text in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + ending],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == said
