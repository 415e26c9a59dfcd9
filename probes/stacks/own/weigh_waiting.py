"""Where a thread waited, and for what: all of its time that it did not spend on a CPU.

    wall time of a thread = on a CPU + runnable, waiting for one (queue) + asleep (by kind)

The kernel says what a sleeping thread waits in, which tells locks from sleep and from I/O, and the
address of a futex tells the GIL from locks of the program. Where it does not (musl), a futex is the
GIL if the same line is one at which the thread runs Python code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

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


class Waited(NamedTuple):
    """Time that a thread waited in a stack."""

    t_ns: int
    stack: Where
    group: WaitGroup
    ns: int


class ThreadWaiting:
    """Waiting of one thread by stack and kind, as its records come."""

    def __init__(self) -> None:
        self._before: SeenSample | None = None
        self._upto_ns = 0
        self._owed_ns = 0
        """CPU that the kernel booked later than it was used, taken from the next waits."""
        self._held: dict[Where, int] = {}
        self._asleep: dict[Where, int] = {}
        self._known: dict[Where, WaitGroup] = {}
        """What the thread was last seen waiting for in a stack."""

    def add(self, sample: SeenSample) -> list[Waited]:
        """Take the thread's next record; return the waits since the one before."""
        before, self._before = self._before, sample
        self._count(sample)
        if before is None:
            self._upto_ns = sample.t_ns
            return []
        waits = []
        queue = sample.run_queue_ns
        wall = sample.t_ns - self._upto_ns
        self._upto_ns = max(sample.t_ns, self._upto_ns)
        left = wall - sample.cpu_ns - queue - self._owed_ns
        self._owed_ns = max(-left, 0)
        if queue:
            waits.append(Waited(sample.t_ns, sample.stack, "queue", queue))
        if left > 0:
            places = self._places(before, sample)
            later = left // len(places)
            if len(places) > 1 and sample.sweep_ns is not None:
                # Up to the sweep before it had not run: it slept where it was seen last.
                later = min(left, sample.sweep_ns) // 2
            *first, last = places
            waits += [Waited(sample.t_ns, *place, left - later) for place in first]
            waits.append(Waited(sample.t_ns, *last, left if not first else later))
        return waits

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
        return [Waited(t_ns, before.stack, self._group(before), left)]

    def _count(self, sample: SeenSample) -> None:
        if sample.gil_held:
            self._held[sample.stack] = self._held.get(sample.stack, 0) + 1
        elif sample.state != "R":
            self._asleep[sample.stack] = self._asleep.get(sample.stack, 0) + 1

    def _places(self, before: SeenSample, sample: SeenSample) -> list[tuple[Where, WaitGroup]]:
        """Return where and in what it slept between two records, one place or two."""
        asleep: list[tuple[Where, WaitGroup]] = []
        for one in (sample, before):  # what is learned of the later one may help the earlier
            if one.state != "R":
                group = self._group(one)
                if group != "unknown":
                    self._known[one.stack] = group
                asleep.insert(0, (one.stack, group))
        if asleep:
            return asleep
        # Met awake both times: it slept in between, likely where it has just been woken.
        for one in (sample, before):
            if not one.gil_held and one.stack in self._known:
                return [(one.stack, self._known[one.stack])]
        return [(sample.stack, "unknown")]

    def _group(self, sample: SeenSample) -> WaitGroup:
        group = GROUPS[sample.wait]
        if sample.state == "D":  # by the disk; or it starts a child. No lock is waited for so
            return "child" if group == "child" else "io"
        if not sample.wait:  # it was woken before it was asked what for
            return self._known.get(sample.stack, group)
        if sample.wait == "futex":
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
    for wait in waits:
        key = wait.stack, wait.group
        total[key] = total.get(key, 0) + wait.ns
    return total
