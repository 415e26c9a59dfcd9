"""Were we given a CPU as soon as our time had come, or did we stand in the queue for it, too?

What we find on our CPU means different things. If our timer took it from somebody, that happens to
each thread in proportion to what it runs. If we stood in the queue, we are given the CPU when
somebody's time slice ends, or when it has woken somebody else: at the same places again and again.
"""

from __future__ import annotations

import os

_AT_ONCE_NS = 50_000


class Wake:
    """Of this process; asked only where CPUs are waited for, since it costs two reads a sweep."""

    asked = False
    """Somebody wants to know."""
    at_once = False
    """We had not to wait for our CPU."""

    _fd = -2
    _queue_ns = -1

    @classmethod
    def sleeps(cls) -> None:
        """Call before we sleep."""
        cls._queue_ns = cls._queued_ns() if cls.asked else -1
        cls.asked = False

    @classmethod
    def woken(cls) -> None:
        """Call when we have slept."""
        before = cls._queue_ns
        cls.at_once = before >= 0 and cls._queued_ns() - before < _AT_ONCE_NS

    @classmethod
    def _queued_ns(cls) -> int:
        """Return how long we have waited for a CPU so far, -1 if the kernel does not tell."""
        if cls._fd == -1:
            return -1
        try:
            if cls._fd == -2:
                cls._fd = os.open("/proc/self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            return int(os.pread(cls._fd, 64, 0).split()[1])
        except (OSError, ValueError, IndexError):
            cls._fd = -1
            return -1
