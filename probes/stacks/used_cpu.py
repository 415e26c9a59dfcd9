"""CPU of one process from window to window: what its stacks ought to cover."""

from __future__ import annotations

import time
from bisect import bisect_right

from perftui.probes.spine.records import StackWindow
from perftui.probes.stacks import procfs

_NOTES_KEPT = 400


class UsedCpu:
    """Notes a process's CPU clock now and then, so that what it had used is known once it is gone.

    Args:
        pid: The process.
        born: It began in this session: all that it has used counts.
        counted: This is the place that tells its CPU; else only what is covered is told.
    """

    def __init__(self, pid: int, *, born: bool, counted: bool = True) -> None:
        self._pid = pid
        self._counted = counted
        self._notes: list[tuple[int, int]] = []
        self._told_ns: int | None = 0 if born else None
        self.last_told_t_ns = time.monotonic_ns()
        self.note()

    def note(self) -> None:
        """Read the clock, if there still is one."""
        used_ns = procfs.cpu_ns(self._pid)
        if used_ns is None:
            return
        if self._told_ns is None:
            self._told_ns = used_ns
        self._notes.append((time.monotonic_ns(), used_ns))
        if len(self._notes) > _NOTES_KEPT:
            del self._notes[: _NOTES_KEPT // 2]

    def window(self, t0_ns: int, t1_ns: int, share: float) -> tuple[int | None, int | None]:
        """Return (CPU since the last window, part of it that is covered), None if unknown.

        Args:
            t0_ns: Begin of the time that is covered.
            t1_ns: Its end.
            share: How much of it is covered.
        """
        self.note()
        if self._told_ns is None or not self._notes:
            return None, None
        self.last_told_t_ns = time.monotonic_ns()
        newest = self._notes[-1][1]
        used, self._told_ns = max(newest - self._told_ns, 0), newest
        covered = round((self._at(t1_ns) - self._at(t0_ns)) * share)
        return (used if self._counted else None), max(covered, 0)

    def unsampled(self, since_ns: int) -> StackWindow | None:
        """Return the window of a time in which nobody sampled the process, None if unknown."""
        now = time.monotonic_ns()
        used, _ = self.window(now, now, 0.0)
        if not used:
            return None
        begin = min(since_ns, now - 1)
        return StackWindow(begin, now, self._pid, 0.0, 0, 0, 0, 0.0, "", None, used, 0)

    def unsampled_until(self, t_ns: int) -> StackWindow | None:
        """Return the window from the first note to when somebody began to sample the process, None
        if it used no CPU in between or that is unknown."""
        self.note()
        if self._told_ns is None or not self._notes:
            return None
        used, begin_ns = round(self._at(t_ns)) - self._told_ns, self._notes[0][0]
        if used <= 0 or t_ns <= begin_ns:
            return None
        self._told_ns += used
        return StackWindow(begin_ns, t_ns, self._pid, 0.0, 0, 0, 0, 0.0, "", None, used, 0)

    def _at(self, t_ns: int) -> float:
        """Return what had been used at a moment, between two notes in proportion."""
        at = bisect_right(self._notes, t_ns, key=lambda note: note[0])
        if at == 0:
            return self._notes[0][1]
        before = self._notes[at - 1]
        if at == len(self._notes):
            return before[1]
        after = self._notes[at]
        share = (t_ns - before[0]) / max(after[0] - before[0], 1)
        return before[1] + (after[1] - before[1]) * share
