"""A program that the far end starts: its output goes to the near end, and never has to wait for us.

It outlives the link: should that be cut, what it writes is read on and thrown away, so that it
does not find a closed pipe.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from perftui.probes.machine.rights import yama_scope
from perftui.probes.remote import frames
from perftui.probes.target.target import LaunchedTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perftui.probes.remote.far.speech import Speech

_READ_BYTES = 1 << 16
_MOST_WAITING = 4 << 20
"""Bytes on their way beyond which the program waits, as it would for a slow terminal."""
_PR_SET_PTRACER = 0x59616D61
_ANYBODY = -1


class FarProgram(LaunchedTarget):
    """A program started here, its input empty.

    Args:
        argv: What to start.
        speech: Takes what it writes.
        folder: Where; None: here.
        environ: Variables besides ours.

    Raises:
        LaunchError: it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        speech: Speech,
        folder: str | None,
        environ: Mapping[str, str],
    ) -> None:
        self._speech = speech
        ends = []
        nowhere = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        pipes = [os.pipe(), os.pipe()]
        try:
            super().__init__(
                argv,
                {**os.environ, **environ},
                stdin=nowhere,
                stdout=pipes[0][1],
                stderr=pipes[1][1],
                own_session=True,
                folder=folder,
                before_exec=_let_our_sampler_read(),
            )
            ends = [pipe[0] for pipe in pipes]
        finally:
            os.close(nowhere)
            for read_end, write_end in pipes:
                os.close(write_end)
                if read_end not in ends:
                    os.close(read_end)
        self.drains = [
            Thread(target=self._drain, args=(number, fd), daemon=True)
            for number, fd in enumerate(ends, 1)
        ]
        for drain in self.drains:
            drain.start()

    def _drain(self, number: int, fd: int) -> None:
        with suppress(OSError):
            while data := os.read(fd, _READ_BYTES):
                self._speech.say(frames.OUTPUT, bytes((number,)) + data)
                while self._speech.waiting_bytes > _MOST_WAITING and not self._speech.deaf:
                    time.sleep(0.05)
        os.close(fd)


def _let_our_sampler_read() -> Callable[[], object] | None:
    """Where only parents may read a process (Yama), return what lets anybody of its user do so.

    The permission is the program's, lasts through its exec, and is not inherited.
    """
    if yama_scope() != 1:
        return None
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None
    return lambda: prctl(_PR_SET_PTRACER, ctypes.c_ulong(_ANYBODY), 0, 0, 0)
