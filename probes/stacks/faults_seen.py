"""Memory that each thread touched, beside a sampler that does not tell: minor faults over time.

The kernel counts them by thread. Between two readings they are taken to have come evenly: who
of a thread's functions had them is not known, which thread it was is.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Collection

_EVERY_NS = NS_PER_S // 4
_MOST_THREADS = 64
"""Reading one takes some 20 µs: of more threads nothing is told."""
_KEPT_NS = 20 * NS_PER_S
_MINFLT = 7
"""Behind the name, in `stat` of proc(5)."""


class FaultsSeen:
    """Minor faults of one process's threads.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._notes: dict[int, list[tuple[int, int]]] = {}
        self._noted_ns = 0

    def note(self, tids: Collection[int], now_ns: int | None = None) -> None:
        """Read the threads that live, if it is time."""
        now = time.monotonic_ns() if now_ns is None else now_ns
        if now - self._noted_ns < _EVERY_NS or len(tids) > _MOST_THREADS:
            return
        self._noted_ns = now
        for tid in tids:
            faults = _faults_of(self._pid, tid)
            if faults is not None:
                self.add(tid, now, faults)
        for tid, notes in list(self._notes.items()):
            if notes[-1][0] < now - _KEPT_NS:
                del self._notes[tid]

    def add(self, tid: int, t_ns: int, faults: int) -> None:
        """Take what a thread had so far at a moment."""
        notes = self._notes.setdefault(tid, [])
        notes.append((t_ns, faults))
        while notes[0][0] < t_ns - _KEPT_NS:
            del notes[0]

    def between(self, tid: int, t0_ns: int, t1_ns: int) -> int | None:
        """Return the faults of a thread in a time, None if nothing is known of it."""
        notes = self._notes.get(tid)
        if notes is None or len(notes) < 2:
            return None
        return max(round(_at(notes, t1_ns) - _at(notes, t0_ns)), 0)


def _at(notes: list[tuple[int, int]], t_ns: int) -> float:
    """Return what there were at a moment, as if between two notes they came evenly."""
    right = bisect_left(notes, (t_ns, 0))
    if right == 0 or right == len(notes):
        return float(notes[min(right, len(notes) - 1)][1])
    (before_ns, before), (after_ns, after) = notes[right - 1], notes[right]
    return before + (after - before) * (t_ns - before_ns) / (after_ns - before_ns)


def _faults_of(pid: int, tid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/task/{tid}/stat").read_bytes()
        return int(stat.rpartition(b") ")[2].split()[_MINFLT])
    except (OSError, ValueError, IndexError):
        return None
