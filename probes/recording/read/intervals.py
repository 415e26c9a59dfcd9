"""The stacks of a range in the order of time: what the sums of `disk_stacks` are made of."""

from __future__ import annotations

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


def stack_intervals(
    catalog: Catalog, t0_ns: int, t1_ns: int
) -> Iterator[tuple[ThreadKey, list[StackInterval]]]:
    """Yield what each thread did in [t0, t1), a segment at a time, clipped.

    A thread comes once per segment that has it, its intervals in the order of time.
    """
    for segment in catalog.overlapping("stacks", t0_ns, t1_ns):
        yield from _of_segment(catalog.load("stacks", segment), t0_ns, t1_ns)


def _of_segment(
    stacks: Any, t0_ns: int, t1_ns: int
) -> Iterator[tuple[ThreadKey, list[StackInterval]]]:
    pc = compute()
    begins, ends = stacks["t0_ns"], stacks["t1_ns"]
    lasts = pc.greater(ends, begins)
    touches = pc.and_(lasts, pc.and_(pc.less(begins, t1_ns), pc.greater(ends, t0_ns)))
    rows = weighed(stacks.filter(touches)).sort_by(_ORDER)
    thread: ThreadKey | None = None
    mine: list[StackInterval] = []
    columns = (rows[name].to_pylist() for name in (*_PLACE, *_AMOUNTS))
    for begin, end, pid, tid, node, torn, held, *amounts in zip(*columns, strict=True):
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
        more = (cpu, grown or 0, wall, touched or 0, held is not False)
        mine.append(StackInterval(first, last, node, bool(torn), *more))
    if thread is not None:
        yield thread, mine
