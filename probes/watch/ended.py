"""How a process that is not our child ended: what the kernel still says in that moment."""

from __future__ import annotations

import os
import select
import struct
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE = 64
_WITH_EXIT = 1 << 3
_EXIT_AT = 60
"""Of struct pidfd_info in linux/pidfd.h: a u64 mask of what is told, ..., an i32 exit code, which
Linux 6.15 and later tell, and also when the process has been waited for."""
_GET_INFO = 3 << 30 | _SIZE << 16 | 0xFF << 8 | 11
"""_IOWR(0xFF, 11, struct pidfd_info)."""


class End(NamedTuple):
    """How a process ended. Both None: nobody can say."""

    exit_code: int | None
    signal: int | None
    out_of_memory: bool = False
    """The kernel killed something for want of memory in its control group meanwhile."""

    def words(self) -> str:
        """Say it."""
        if self.signal is not None:
            how = f"signal {self.signal}"
        elif self.exit_code is not None:
            how = f"exit code {self.exit_code}"
        else:
            how = "how is not known"
        if self.out_of_memory:
            how += ", and the kernel has killed for want of memory in its control group"
        return how


class EndWatch:
    """Waits for the end of a process on a thread, and reads how it ended before it is forgotten.

    Args:
        pid: The process.
        on_end: Called on that thread.
    """

    def __init__(self, pid: int, on_end: Callable[[End], None]) -> None:
        self._pid = pid
        self._on_end = on_end
        self._group = _memory_events(pid)
        self._killed = _oom_kills(self._group)
        self._pidfd = -1
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):
                self._pidfd = os.pidfd_open(pid)
        self._leave_r, self._leave_w = os.pipe()
        self.waits = self._pidfd >= 0
        """Whether the end will be told."""
        if self.waits:
            Thread(target=self._wait, name="perftui-end", daemon=True).start()

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        poll.register(self._leave_r, select.POLLIN)
        ready = {fd for fd, _ in poll.poll()}
        if self._leave_r not in ready:
            self._on_end(self.how())
        for fd in (self._pidfd, self._leave_r):
            os.close(fd)

    def how(self) -> End:
        """Return how it ended, right after it did."""
        status = _status_by_pidfd(self._pidfd)
        if status is None:
            status = _status_of_zombie(self._pid)
        killed = _oom_kills(self._group)
        oom = killed is not None and self._killed is not None and killed > self._killed
        if status is None:
            return End(None, None, oom)
        if os.WIFSIGNALED(status):
            return End(None, os.WTERMSIG(status), oom)
        return End(os.WEXITSTATUS(status), None, oom)

    def leave(self) -> None:
        """Wait no longer."""
        if self._leave_w >= 0:
            os.close(self._leave_w)
            self._leave_w = -1
            if not self.waits:
                os.close(self._leave_r)


def _status_by_pidfd(pidfd: int) -> int | None:
    """Ask the kernel's handle, which knows also when its parent has waited for it."""
    import fcntl

    if pidfd < 0:
        return None
    info = bytearray(_SIZE)
    struct.pack_into("<Q", info, 0, _WITH_EXIT)
    try:
        fcntl.ioctl(pidfd, _GET_INFO, info)
    except OSError:
        return None
    (told,) = struct.unpack_from("<Q", info, 0)
    if not told & _WITH_EXIT:
        return None
    (status,) = struct.unpack_from("<i", info, _EXIT_AT)
    return int(status)


def _status_of_zombie(pid: int) -> int | None:
    """Read it while its parent has not waited: the last field of /proc/PID/stat, see proc(5)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - every microsecond counts
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[-1]) if fields[0] in b"ZX" else None
    except (OSError, ValueError, IndexError):
        return None


def _memory_events(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/cgroup") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("0::"):
                    return f"/sys/fs/cgroup{line[3:].strip()}/memory.events"
    except OSError:
        pass
    return None


def _oom_kills(path: str | None) -> int | None:
    if path is None:
        return None
    try:
        with open(path) as file:  # noqa: PTH123
            for line in file:
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    except (OSError, ValueError):
        pass
    return None
