"""Which pids the kernel has given out lately: one small read tells that there is nothing new.

The last field of /proc/loadavg is the newest pid of our pid namespace. While it stands still no
process and no thread has begun, on the whole machine, and nobody's children need to be looked up.
"""

from __future__ import annotations

import os
from contextlib import suppress

_MOST_STEPS = 4_096
"""More at once, or a number that went down (pids begin anew at the end), and /proc is listed."""


class NewPids:
    """Asked again and again. Threads have numbers too and are among the answers."""

    def __init__(self) -> None:
        self._fd = -1
        with suppress(OSError):
            self._fd = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
        self._last = self._newest()
        self._again: list[int] = []

    @property
    def known(self) -> bool:
        """False where the system does not tell: then everybody has to be looked up."""
        return self._last > 0

    def none(self) -> bool:
        """Tell whether `take` would have nothing to tell."""
        return self._last > 0 and not self._again and self._newest() == self._last

    def moved(self) -> bool:
        """Tell whether any was given out since this or `take` was called; which ones is not asked,
        and not told by `take` later."""
        newest, last = self._newest(), self._last
        self._last = newest
        return newest != last

    def take(self) -> list[int]:
        """Return the numbers given out since the last call; one may be told twice.

        A number is given out before there is anything to see under it: those that lead nowhere
        yet are told once more the next time.
        """
        newest, last = self._newest(), self._last
        again, self._again = self._again, []
        if newest == last:
            return again
        self._last = newest
        if 0 < newest - last <= _MOST_STEPS:
            found = list(range(last + 1, newest + 1))
        else:
            found = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
            if newest > last:
                found = [pid for pid in found if last < pid <= newest]
        self._again = [pid for pid in found if not os.path.exists(f"/proc/{pid}")]  # noqa: PTH110
        return [*again, *found]

    def _newest(self) -> int:
        if self._fd < 0:
            return 0
        try:
            return int(os.pread(self._fd, 128, 0).rsplit(None, 1)[1])
        except (OSError, ValueError, IndexError):
            return 0

    def __del__(self) -> None:
        """A target that could not be started has nobody who closes it."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
