"""The kernel's side of `beside`: starts it, tells it where the cell begins and ends, listens."""

from __future__ import annotations

import ctypes
import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from perftui.probes.own.hang_up import hang_up
from perftui.probes.own.python import own_module

READY_S = 15.0
"""Within which it is ready; a cell that would wait longer runs unmeasured."""
ANSWER_S = 90.0
_PR_SET_PTRACER = 0x59616D61


class NotMeasured(RuntimeError):
    """The cell cannot be measured, and why; it can still be run."""


class Companion:
    """A process of ours beside this one.

    Args:
        rate_hz: Stacks a second.
        report: Where the HTML report goes; None: it is not wanted.

    Raises:
        NotMeasured: it cannot be started, or cannot watch us.
    """

    def __init__(self, rate_hz: float, report: str | None) -> None:
        asked = json.dumps({"pid": os.getpid(), "rate_hz": rate_hz, "report": report})
        try:
            self._process = subprocess.Popen(
                own_module("perftui.tui.notebook.beside", asked),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # An interrupt of the kernel is none of ours.
                start_new_session=True,
            )
        except OSError as error:
            raise NotMeasured(error.strerror or str(error)) from error
        _may_read_us(self._process.pid)
        self._input = b""
        try:
            answer = self._answer(READY_S)
            if answer is None or "ready" not in answer:
                why = "it does not answer" if answer is None else answer.get("error", "?")
                raise NotMeasured(why)
        except BaseException:
            self.close()
            raise

    def begin(self, name: str) -> None:
        """Say that the cell begins now."""
        self._say(f"begin {time.monotonic_ns()} {' '.join(name.split()) or 'cell'}")

    def end(self) -> None:
        """Say that the cell ends now."""
        self._say(f"end {time.monotonic_ns()}")

    def summary(self) -> dict[str, Any]:
        """Wait for what it saw.

        Raises:
            NotMeasured: it does not answer.
        """
        answer = self._answer(ANSWER_S)
        if answer is None or "error" in answer:
            raise NotMeasured("it does not answer" if answer is None else answer["error"])
        return answer

    def close(self) -> None:
        """Let go of it: it ends by itself."""
        hang_up(self._process, 5.0)
        _may_read_us(0)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def _answer(self, patience_s: float) -> dict[str, Any] | None:
        """Return its next line; None if none comes."""
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        until_s = time.monotonic() + patience_s
        while b"\n" not in self._input:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
                return None
            data = os.read(fd, 1 << 20)
            if not data:
                return None
            self._input += data
        line, _, self._input = self._input.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found


def _may_read_us(pid: int) -> None:
    """Let a process that we started, and what it starts, read our memory; 0: nobody any more.

    Where a kernel lets processes read their own children alone (Yama, ptrace_scope 1), a child
    could not read us; see prctl(2). Elsewhere it says nothing.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(pid), 0, 0, 0)
