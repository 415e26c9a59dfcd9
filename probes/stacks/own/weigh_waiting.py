"""Where a thread waited, and for what: all of its time that it did not spend on a CPU.

    wall time of a thread = on a CPU + runnable, waiting for one (queue) + asleep (by kind)

The kernel says what a sleeping thread waits in, which tells locks from sleep and from I/O, and the
address of a futex tells the GIL from locks of the program. Where it does not (musl), a futex is the
GIL if the same line is one at which the thread runs Python code.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.stacks.own.records import SeenSample, WaitKind, Where

WaitGroup = Literal["queue", "io", "lock", "gil", "sleep", "child", "unknown"]
GROUPS: dict[WaitKind, WaitGroup] = {
    "": "unknown",
    "sleep": "sleep",
    "lock": "lock",
    "poll": "io",
    "pipe": "io",
    "socket": "io",
    "disk": "io",
    "child": "child",
    "fault": "io",
    "other": "unknown",
    "gil": "gil",
    "futex": "lock",
}
_GIL_SHARE = 0.1
"""A place is one of work, where a futex is the GIL, from so many records with the GIL held per
record asleep there."""


Waited = tuple["Where", WaitGroup, int]
"""Time that a thread waited in a stack: where, for what, how many ns."""


class ThreadWaiting:
    """Waiting of one thread by stack and kind, as its records come."""

    def __init__(self) -> None:
        self._before: SeenSample | None = None
        self._upto_ns = 0
        self._owed_ns = 0
        """CPU that the kernel booked later than it was used, taken from the next waits."""
        self._held: defaultdict[Where, int] = defaultdict(int)
        self._asleep: defaultdict[Where, int] = defaultdict(int)
        self._known: dict[Where, WaitGroup] = {}
        """What the thread was last seen waiting for in a stack."""

    def add(self, sample: SeenSample) -> list[Waited]:
        """Take the thread's next record; return the waits since the one before."""
        before, self._before = self._before, sample
        t_ns, stack, queue = sample.t_ns, sample.stack, sample.run_queue_ns
        slept = sample.state != "R"
        if sample.gil_held:
            self._held[stack] += 1
        elif slept:
            self._asleep[stack] += 1
        if before is None:
            self._upto_ns = t_ns
            return []
        left = t_ns - self._upto_ns - sample.cpu_ns - queue - self._owed_ns
        if t_ns > self._upto_ns:
            self._upto_ns = t_ns
        queued: list[Waited] = [(stack, "queue", queue)] if queue else []
        if left <= 0:
            self._owed_ns = -left
            return queued
        self._owed_ns = 0
        # What is learned of the later one may help the earlier.
        group = self._learned(sample) if slept else None
        if before.state == "R":
            if group is None:
                return [*queued, (*self._woken(before, sample), left)]
            return [*queued, (stack, group, left)]
        earlier = self._learned(before)
        if group is None:
            return [*queued, (before.stack, earlier, left)]
        # Up to the sweep before it had not run: it slept where it was seen last.
        sweep_ns = sample.sweep_ns
        later = (left if sweep_ns is None or left < sweep_ns else sweep_ns) // 2
        return [*queued, (before.stack, earlier, left - later), (stack, group, later)]

    def until(self, t_ns: int) -> list[Waited]:
        """The thread lives at `t_ns` and has given no further record: it still waits."""
        before = self._before
        if before is None or t_ns <= self._upto_ns or before.state == "R":
            return []
        left = t_ns - self._upto_ns - self._owed_ns
        self._owed_ns = max(-left, 0)
        self._upto_ns = t_ns
        if left <= 0:
            return []
        return [(before.stack, self._group(before), left)]

    def _woken(self, before: SeenSample, sample: SeenSample) -> tuple[Where, WaitGroup]:
        """Return where and in what it slept between two records that met it awake: likely where
        it has just been woken."""
        for one in (sample, before):
            if not one.gil_held and one.stack in self._known:
                return one.stack, self._known[one.stack]
        return sample.stack, "unknown"

    def _learned(self, sample: SeenSample) -> WaitGroup:
        """Return what it sleeps in, and remember that of its stack."""
        group = self._group(sample)
        if group != "unknown":
            self._known[sample.stack] = group
        return group

    def _group(self, sample: SeenSample) -> WaitGroup:
        wait = sample.wait
        group = GROUPS[wait]
        if sample.state == "D":  # by the disk; or it starts a child. No lock is waited for so
            return "child" if group == "child" else "io"
        if not wait:  # it was woken before it was asked what for
            return self._known.get(sample.stack, group)
        if wait == "futex":
            held = self._held.get(sample.stack, 0)
            if held and held >= _GIL_SHARE * self._asleep.get(sample.stack, 0):
                return "gil"
        return group


def waiting_by_stack(
    samples: Iterable[SeenSample], until_ns: int | None = None
) -> dict[tuple[Where, WaitGroup], int]:
    """Return the waiting ns of one thread by stack and kind, from all of its records.

    Args:
        samples: Its records.
        until_ns: It lives until then at least; its last record holds on.
    """
    thread = ThreadWaiting()
    total: dict[tuple[Where, WaitGroup], int] = {}
    waits = [wait for sample in samples for wait in thread.add(sample)]
    if until_ns is not None:
        waits += thread.until(until_ns)
    for stack, group, ns in waits:
        total[stack, group] = total.get((stack, group), 0) + ns
    return total
