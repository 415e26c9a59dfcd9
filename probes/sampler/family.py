"""The processes that are sampled: those that were named, and what they start."""

from __future__ import annotations

import os
import time

from .cpython.identity import Gone, Identity
from .cpython.names import Names
from .stream import Writer
from .target import SampledProcess

_LOOK_EVERY = 4
"""Sweeps between two looks for children of threads that ran: 40 ms at 100 Hz."""
_ENOUGH_CPU_NS, _ENOUGH_AGE_NS = 2_000_000, 30_000_000
"""A child is looked at once it has used so much, or is so old; most that are forked by the
hundred have ended before."""
_MOST_A_SWEEP = 2
"""Children that are looked at in one sweep: it takes 1 to 3 ms to find a runtime."""
MOST_PROCESSES = 4000


class Family:
    """All targets."""

    def __init__(self, names: Names, writer: Writer, follow: bool = True) -> None:
        self._names = names
        self._writer = writer
        self.follow = follow
        self.targets: dict[int, SampledProcess] = {}
        self._waiting: dict[int, int] = {}
        """Children that were seen, not looked at yet: pid -> when they were seen."""
        self._left_out: set[int] = set()
        self._next = 0
        self._sweeps = 0
        self._swept_ns = 0
        self.unseen = 0
        """Processes that ended before they were looked at."""

    def add(self, pid: int, born: bool = False) -> None:
        """Sample a process; what it used before does not count unless it was `born` here."""
        self._waiting.pop(pid, None)
        self._left_out.discard(pid)
        if pid in self.targets or len(self.targets) >= MOST_PROCESSES:
            return
        try:
            target = SampledProcess(pid, self._next, self._names, self._writer, born=born)
        except (OSError, Gone, ValueError, IndexError):
            self.unseen += 1
            return
        self._next += 1
        self.targets[pid] = target
        self._sweep(target, time.monotonic_ns())
        if self.follow and pid in self.targets:
            self._see(target, born, True)

    def remove(self, pid: int) -> None:
        """Sample a process no longer, though it lives."""
        self._left_out.add(pid)
        target = self.targets.pop(pid, None)
        if target is not None:
            target.close()

    def sweep(self) -> None:
        """One look at everything."""
        self._sweeps += 1
        now = time.monotonic_ns()
        since_us = (now - self._swept_ns) // 1000 if self._swept_ns else 0
        self._writer.sweep_us = min(since_us, 0xFFFFFFFF)
        self._swept_ns = now
        often = self._sweeps % _LOOK_EVERY == 0
        if often and self._names.full():
            self._names.reset()
        look = self.follow and often
        for target in list(self.targets.values()):
            if target.rests():
                continue
            ran = self._sweep(target, time.monotonic_ns())
            if look and ran:
                self._see(target, True, False)
        if self._waiting:
            self._look_at_waiting()

    def _sweep(self, target: SampledProcess, now: int) -> bool:
        try:
            return target.sweep(now)
        except Gone:
            del self.targets[target.pid]
            target.close()
            return False

    def _see(self, target: SampledProcess, born: bool, whole: bool) -> None:
        """Note the children of a process; unless they were `born` here, look at them at once."""
        now = time.monotonic_ns()
        for pid in target.children(whole):
            if pid in self.targets or pid in self._waiting or pid in self._left_out:
                continue
            if len(self._waiting) < MOST_PROCESSES:
                if born:
                    self._waiting[pid] = now
                else:
                    self.add(pid)

    def _look_at_waiting(self) -> None:
        """Begin to sample children that have come to something."""
        now = time.monotonic_ns()
        ready = []
        for pid, since in list(self._waiting.items()):
            try:
                used = time.clock_gettime_ns((~pid << 3) | 2)
            except OSError:
                if not os.path.exists(f"/proc/{pid}"):
                    del self._waiting[pid]
                    self.unseen += 1
                    continue
                used = 0
            if used >= _ENOUGH_CPU_NS or now - since >= _ENOUGH_AGE_NS:
                ready.append((used, pid))
        ready.sort(reverse=True)
        for _, pid in ready[:_MOST_A_SWEEP]:
            try:
                if Identity(pid).state == b"Z":
                    del self._waiting[pid]
                    self.unseen += 1
                    continue
            except OSError:
                pass
            self.add(pid, born=True)

    def end_second(self) -> None:
        """Write the tallies, and forget numbers of processes that are no more."""
        now = time.monotonic_ns()
        for target in self.targets.values():
            target.end_second(now)
        if len(self._left_out) > 1000:
            self._left_out = {pid for pid in self._left_out if os.path.exists(f"/proc/{pid}")}

    def close(self) -> None:
        """End all."""
        for target in list(self.targets.values()):
            target.close()
        self.targets.clear()
