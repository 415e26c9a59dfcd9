"""Waiting for the end of a process that is not our child, without looking again and again.

Linux tells it through a descriptor (pidfd_open(2), 5.3+). Where there is none (an older kernel, a
sandbox, another system) whoever waits looks 20 times a second.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from threading import Lock

from perftui.probes.process.face import ProcessGone, ProcessReader

LOOK_EVERY_S = 0.05


class EndOfProcess:
    """Waits for the end of the process behind `reader`, until somebody says `leave`.

    Args:
        reader: The process, which was there a moment ago.
    """

    def __init__(self, reader: ProcessReader) -> None:
        self._reader = reader
        self._closing = Lock()
        self._wake_fd, self._leave_fd = os.pipe2(os.O_CLOEXEC) if _PIPES else (-1, -1)
        self._left = False
        self._pidfd = _pidfd(reader.pid)
        if self._pidfd >= 0 and not self._is_there():
            self._close_pidfd()  # the id may be another process's by now

    def wait(self) -> bool:
        """Return True when it has ended, False when told to leave. One thread alone may call."""
        try:
            while not self._left and self._is_there():
                if self._sleep():
                    return not self._left
            return not self._left
        finally:
            self._close_pidfd()

    def leave(self) -> None:
        """Let `wait` return."""
        with self._closing:
            self._left = True
            if self._leave_fd >= 0:
                os.close(self._leave_fd)
                self._leave_fd = -1

    def _is_there(self) -> bool:
        try:
            self._reader.fast(0)
        except ProcessGone:
            return False
        return True

    def _sleep(self) -> bool:
        """Sleep until a descriptor has something to say, or for a short time; True at the end."""
        fds = [fd for fd in (self._pidfd, self._wake_fd) if fd >= 0]
        if not fds:
            select.select([], [], [], LOOK_EVERY_S)
            return False
        poll = select.poll()
        for fd in fds:
            poll.register(fd, select.POLLIN)
        told = poll.poll(None if self._pidfd >= 0 else LOOK_EVERY_S * 1000)
        return any(fd == self._pidfd for fd, _ in told)

    def _close_pidfd(self) -> None:
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def __del__(self) -> None:
        """Give the descriptors back."""
        for fd in (self._pidfd, self._wake_fd, self._leave_fd):
            if fd >= 0:
                with suppress(OSError):
                    os.close(fd)


_PIPES = hasattr(os, "pipe2") and hasattr(select, "poll")


def _pidfd(pid: int) -> int:
    if not _PIPES or not hasattr(os, "pidfd_open"):
        return -1
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1
