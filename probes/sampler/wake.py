"""Were we given a CPU as soon as our time had come, or did we stand in the queue for it, too?

What we find on our CPU means different things. If our timer took it from somebody, that happens to
each thread in proportion to what it runs. If we stood in the queue, we are given the CPU when
somebody's time slice ends, or when it has woken somebody else: at the same places again and again.
"""

from __future__ import annotations

import os
import time

_AT_ONCE_NS = 70_000
_MOST_USUAL_NS, _FORGET_NS = 100_000, 100
"""How late we are at the least differs by machine (15 to 30 µs, more where an idle CPU is slow to
wake); the least that was seen counts, and is forgotten bit by bit."""
_SCHED_BYTES = 256

_now = time.monotonic_ns


class Wake:
    """Of this process: there is one, `wake`. (Whoever stores in a class pays for each later look
    into it, since the interpreter forgets what it knew of it.)"""

    def __init__(self) -> None:
        self.at_once = False
        """We had not to wait for our CPU."""
        self._usual_ns = _MOST_USUAL_NS
        self._began_ns = -1
        self._fd = -2

    def woken(self, due_ns: int) -> None:
        """Call when we have slept.

        Args:
            due_ns: When the sleep was to end, by the monotonic clock; 0 if something else ended it.
        """
        late_ns = _now() - due_ns
        usual_ns = self._usual_ns
        if late_ns < usual_ns:
            self._usual_ns = usual_ns = late_ns
        elif usual_ns < _MOST_USUAL_NS:
            self._usual_ns = usual_ns = usual_ns + _FORGET_NS
        self.at_once = late_ns < usual_ns + _AT_ONCE_NS
        self._began_ns = -1

    def began_ns(self) -> int:
        """Return when we were given our CPU, 0 if the kernel does not tell; asked once a sweep."""
        if self._began_ns < 0:
            self._began_ns = self._ask()
        return self._began_ns

    def _ask(self) -> int:
        if self._fd == -1:
            return 0
        try:
            if self._fd == -2:
                self._fd = os.open("/proc/self/sched", os.O_RDONLY | os.O_CLOEXEC)
            return began_to_run_ns(os.pread(self._fd, _SCHED_BYTES, 0))
        except (OSError, ValueError):
            self._fd = -1
            return 0


wake = Wake()


def began_to_run_ns(sched: bytes) -> int:
    """Return when a thread's use of its CPU was booked last, by the clock of that CPU.

    For one that has a CPU that is when it was given it, or the last tick; for one that has none,
    when it lost it. Clocks of two CPUs differ by what the machine's host took from each.

    Args:
        sched: The beginning of its file in /proc.

    Raises:
        ValueError: it does not say so.
    """
    at = sched.index(b":", sched.index(b"se.exec_start")) + 1
    return int(sched[at : sched.index(b"\n", at)].replace(b".", b""))  # ms, six digits of it
