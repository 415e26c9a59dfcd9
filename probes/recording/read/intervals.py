"""The stacks of a range in the order of time: what the sums of `stacks` are made of."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.recording.format.arrow import compute
from perftui.probes.recording.format.limits import NODES
from perftui.probes.recording.format.rollup import weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.catalog import Catalog
    from perftui.probes.spine.records import ThreadKey

_PLACE = ("t0_ns", "t1_ns", "pid", "tid", "node", "torn", "held")
_AMOUNTS = ("cpu_ns", "grown_bytes", "wall_ns", "touched_bytes")
WAITS = ("queue_ns", "gil_ns", "lock_ns", "io_ns", "sleep_ns", "child_ns")
"""Kinds of waiting, as columns of the table."""
_ORDER = [("pid", "ascending"), ("tid", "ascending"), ("t0_ns", "ascending")]


class StackInterval(NamedTuple):
    """One thread was in one stack from t0 to t1; the weights are those of the clipped part.

    If it is not `held`, these are amounts that came to light in that time and belong to the stack,
    beside the intervals of the thread.
    """

    t0_ns: int
    t1_ns: int
    node: int
    torn: bool
    cpu_ns: int
    grown_bytes: int
    wall_ns: int
    """What it counts as: CPU and waiting, as all sums have it."""
    touched_bytes: int
    held: bool
    waits_ns: tuple[int, ...] = ()
    """As `WAITS`; empty where nobody knows, or did not ask. The rest of the wall time that is no
    CPU is waiting of no known kind."""


def stack_intervals(
    catalog: Catalog, t0_ns: int, t1_ns: int, *, waits: bool = False
) -> Iterator[tuple[ThreadKey, list[StackInterval]]]:
    """Yield what each thread did in [t0, t1), a segment at a time, clipped.

    A thread comes once per segment that has it, its intervals in the order of time.

    Args:
        catalog: Of the recording.
        t0_ns: From when on.
        t1_ns: Until when.
        waits: The kinds of waiting are wanted, too.
    """
    for segment in catalog.overlapping("stacks", t0_ns, t1_ns):
        yield from _of_segment(catalog.load("stacks", segment), t0_ns, t1_ns, waits)


def _of_segment(
    stacks: Any, t0_ns: int, t1_ns: int, waits: bool
) -> Iterator[tuple[ThreadKey, list[StackInterval]]]:
    pc = compute()
    begins, ends = stacks["t0_ns"], stacks["t1_ns"]
    lasts = pc.greater(ends, begins)
    touches = pc.and_(lasts, pc.and_(pc.less(begins, t1_ns), pc.greater(ends, t0_ns)))
    rows = weighed(stacks.filter(touches)).sort_by(_ORDER)
    thread: ThreadKey | None = None
    mine: list[StackInterval] = []
    columns = (rows[name].to_pylist() for name in (*_PLACE, *_AMOUNTS))
    kinds = zip(*(rows[name].to_pylist() for name in WAITS), strict=True) if waits else repeat(())
    for row, kind in zip(zip(*columns, strict=True), kinds):  # noqa: B905
        begin, end, pid, tid, node, torn, held, *amounts = row
        if not 0 <= node <= NODES:
            continue
        if thread != (pid, tid):
            if thread is not None:
                yield thread, mine
            thread, mine = (pid, tid), []
        first, last = max(begin, t0_ns), min(end, t1_ns)
        share = (last - first) / (end - begin)
        cpu, grown, wall, touched = (
            amount if not amount or share == 1 else round(amount * share) for amount in amounts
        )
        known: tuple[int, ...] = ()
        if kind and None not in kind:
            known = kind if share == 1 else tuple(round(ns * share) for ns in kind)
        more = (cpu, grown or 0, wall, touched or 0, held is not False, known)
        mine.append(StackInterval(first, last, node, bool(torn), *more))
    if thread is not None:
        yield thread, mine
