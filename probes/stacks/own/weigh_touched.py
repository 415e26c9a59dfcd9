"""Which code touched new memory: minor page faults of a thread by stack.

A fault arrives with the next record, and by then the code that took the memory has often gone:
given to the stack of the record, one that fills a megabyte in 0.2 ms and computes for 10 ms gets
a tenth of its due. So the faults are also counted around each reading of the stack. Those happened
in the stack that was read, and a stack is met faulting in proportion to what it faults: the
*point rate*. Its scatter is large; with less than `ENOUGH_HITS` readings that met any fault, the
faults are given like CPU time instead, and the result says so.

This is memory touched for the first time, freed or not since: not growth. With huge pages one
fault is up to 2 MiB, so faults times the page size is a lower bound.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.stacks.own.weigh_cpu import CpuByStack, WaitingPlaces, share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.stacks.own.records import Sample, Where

ENOUGH_HITS = 10


class Touched(NamedTuple):
    """Faults of one thread by stack."""

    faults: dict[Where, int]
    """Sums to the thread's own faults."""
    by: Literal["point rate", "cpu rule"]
    hits: int
    """Readings that met at least one fault."""


def touched_by_stack(samples: Iterable[Sample]) -> Touched:
    """Return the minor faults of one thread by stack, from its records of a time."""
    kept = list(samples)
    total = sum(sample.faults for sample in kept)
    met: dict[Where, float] = {}
    hits = 0
    for sample in kept:
        if sample.faults_in_window and not sample.failed:
            hits += 1
            met[sample.stack] = met.get(sample.stack, 0.0) + sample.faults_in_window
    if hits >= ENOUGH_HITS:
        return Touched(share(total, met), "point rate", hits)
    return Touched(_like_cpu(kept), "cpu rule", hits)


def _like_cpu(samples: list[Sample]) -> dict[Where, int]:
    """Give faults to the stacks as CPU time is given."""
    waiting = WaitingPlaces()
    for before, after in pairwise(samples):
        waiting.held(before, after.t_ns)
    thread = CpuByStack(waiting)
    total: dict[Where, int] = {}
    given = []
    for sample in samples:
        given += thread.add(sample._replace(cpu_ns=sample.faults))
    if samples:
        given += thread.settle(samples[-1].t_ns, final=True)
    for _, stack, amount, _brief in given:
        total[stack] = total.get(stack, 0) + amount
    return total
