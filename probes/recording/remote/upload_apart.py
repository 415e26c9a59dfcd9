"""Starts the process that sends, hears its answers, and ends it when it says nothing for long."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.own.python import own_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.recording.remote.address import RemoteAddress

STALL_S = 60.0
"""A process that has sent nothing for so long is ended; the next one goes on where it was."""
_LOOK_S = 0.2
_READ_BYTES = 1 << 16


class Outcome(NamedTuple):
    """How it went."""

    problem: str
    """Why not, "" if all is done."""
    lasting: bool = False
    """It is of no use to try again by itself."""
    cpu_s: float = 0.0


class UploadProcess:
    """See the module."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None
        """Of the process that sends just now."""

    def run(
        self,
        do: str,
        address: RemoteAddress,
        *,
        heard: Callable[[str, int], None] = lambda name, size: None,
        give_up: Callable[[], bool] = lambda: False,
        stall_s: float = STALL_S,
        **order: Any,
    ) -> Outcome:
        """Have something done, and wait for it.

        Args:
            do: See `upload_main`.
            address: Where.
            heard: Told of each file that was sent.
            give_up: Asked now and then; true ends the process.
            stall_s: As long may it say nothing.
            order: What else it needs.
        """
        told = {"do": do, "url": address.url, **order}
        before_s = _children_s()
        try:
            child = subprocess.Popen(
                own_module("perftui.probes.recording.remote.upload_main"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            return Outcome(f"no process can be started: {error.strerror}")
        self.pid = child.pid
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with suppress(OSError):  # gone at once: its end tells
                child.stdin.write(json.dumps(told).encode() + b"\n")
                child.stdin.close()
            found = self._hear(child, heard, give_up, stall_s)
        finally:
            self.pid = None
            if child.poll() is None:
                child.kill()
            child.wait()
            child.stdout.close()
        return found._replace(cpu_s=max(_children_s() - before_s, 0.0))

    def _hear(
        self,
        child: subprocess.Popen[bytes],
        heard: Callable[[str, int], None],
        give_up: Callable[[], bool],
        stall_s: float,
    ) -> Outcome:
        assert child.stdout is not None
        waiting = b""
        due_s = time.monotonic() + stall_s
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while True:
                if time.monotonic() > due_s:
                    return Outcome(f"nothing was sent for {stall_s:g} s")
                if give_up():
                    return Outcome("it was given up")
                if not selector.select(_LOOK_S):
                    continue
                data = os.read(child.stdout.fileno(), _READ_BYTES)
                if not data:
                    code = child.wait()
                    return Outcome(f"the process that uploads has ended ({_how(code)})")
                due_s = time.monotonic() + stall_s
                *lines, waiting = (waiting + data).split(b"\n")
                for line in lines:
                    answer = json.loads(line)
                    if "sent" in answer:
                        heard(answer["sent"], answer["bytes"])
                    elif "problem" in answer:
                        return Outcome(answer["problem"], answer["lasting"])
                    else:
                        child.wait()
                        return Outcome("")


def _how(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
