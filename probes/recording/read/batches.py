"""A recording as the batches that detectors were fed with: one segment in memory at a time.

What detectors read is in them and nothing else: readings of the family, states of the target's
threads, what the program said. Records come in the order of their times; the session took them as
they arrived, so that one that came late is a moment earlier here.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from itertools import groupby
from typing import TYPE_CHECKING

from perftui.probes.recording.format.arrow import compute
from perftui.probes.recording.read.journal import read_spans
from perftui.probes.recording.read.rows import rows_of
from perftui.probes.spine.derived import FAMILY_FIELDS, METRIC_FIELDS
from perftui.probes.spine.enriched import Batch, Counted, Parted, Reading, Tick
from perftui.probes.spine.reader import TREE
from perftui.probes.spine.records import Call, Collected, Count, LoopBlock, Metric, ThreadCpu

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from perftui.probes.recording.read.catalog import Catalog
    from perftui.probes.recording.read.journal import Span
    from perftui.probes.spine.records import Record

_STATES, _EVENT, _COUNT, _PARTS, _TICK = range(5)
"""The order of what has the same time: a reading comes when all else of its time is known."""

_FED = ("metrics", "calls", "counts", "thread_cpu", "loop_blocks", "gc_events")

_Timed = tuple[int, int, Batch]


def batches(catalog: Catalog, target_pid: int) -> Iterator[Batch]:
    """Yield what was recorded, in the order of time."""
    spans = sorted(read_spans(catalog), key=lambda span: (span[1].t_ns, span[0]))
    told = [record for _, record in spans]
    times = [record.t_ns for record in told]
    at = 0
    for segment in catalog.segments():
        newest_ns = max(
            (
                extent.t1_ns
                for name in _FED
                if (extent := catalog.extents(name).get(segment)) is not None
            ),
            default=0,
        )
        end = bisect_right(times, newest_ns)
        mine = told[at:end]
        at = max(at, end)
        yield from (batch for _, _, batch in _segment(catalog, segment, target_pid, mine))
    yield from (_events([record]) for record in told[at:])


def _segment(catalog: Catalog, segment: int, target_pid: int, told: list[Span]) -> Iterator[_Timed]:
    return heapq.merge(
        _threads(catalog.load("thread_cpu", segment, ("t_ns", "pid", "tid", "state")), target_pid),
        ((record.t_ns, _EVENT, _events([record])) for record in told),
        _calls(catalog.load("calls", segment)),
        _loop_blocks(catalog.load("loop_blocks", segment)),
        _collected(catalog.load("gc_events", segment)),
        _counts(catalog.load("counts", segment, ("t_ns", "pid", "name", "total", "tree_total"))),
        _parts(catalog.load("memory_parts", segment)),
        _ticks(
            catalog.load("metrics", segment),
            catalog.load("pools", segment, ("t_ns", "name", "tree_bytes")),
        ),
        key=lambda timed: timed[:2],
    )


def _events(records: Sequence[Record]) -> Batch:
    return Batch(raw=(), events=records)


def _threads(table: Any, target_pid: int) -> Iterator[_Timed]:
    names = ("t_ns", "pid", "tid", "state")
    rows = sorted(row for row in rows_of(table, names) if row[1] == target_pid)
    for t_ns, group in groupby(rows, key=lambda row: row[0]):
        states = [ThreadCpu(t_ns, pid, tid, "", 0.0, state) for _, pid, tid, state in group]
        yield t_ns, _STATES, _events([*states])


def _calls(table: Any) -> Iterator[_Timed]:
    names = ("seq", "t_ns", "pid", "tid", "name", "n", "duration_ns", "ok")
    for _, *values in sorted(rows_of(table, names), key=lambda row: (row[1], row[0])):
        call = Call(*values)
        yield call.t_ns, _EVENT, _events([call])


def _loop_blocks(table: Any) -> Iterator[_Timed]:
    names = ("seq", "t_ns", "pid", "tid", "n", "took_ns", "ended", "callback", "innermost", "stack")
    for _, *values in sorted(rows_of(table, names), key=lambda row: (row[1], row[0])):
        block = LoopBlock(*values)
        yield block.t_ns, _EVENT, _events([block])


def _collected(table: Any) -> Iterator[_Timed]:
    for _, *values in sorted(rows_of(table, tuple(table.column_names)), key=lambda row: row[:2]):
        row = Collected(*values)
        yield row.t_ns, _EVENT, _events([row])


def _counts(table: Any) -> Iterator[_Timed]:
    names = ("t_ns", "pid", "name", "total", "tree_total")
    for t_ns, pid, name, total, tree_total in sorted(rows_of(table, names), key=lambda r: r[0]):
        counted = Counted(Count(t_ns, pid, name, total), tree_total, None, None)
        yield t_ns, _COUNT, Batch(raw=(), events=(), counted=(counted,))


def _parts(table: Any) -> Iterator[_Timed]:
    """Yield what the memory of the family is made of."""
    of_tree = table.filter(compute().equal(table["pid"], TREE))
    rows = sorted(rows_of(of_tree, ("t_ns", "name", "bytes")), key=lambda row: row[0])
    for t_ns, group in groupby(rows, key=lambda row: row[0]):
        parts = tuple(Parted(t_ns, TREE, name, size) for _, name, size in group)
        yield t_ns, _PARTS, Batch(raw=(), events=(), parts=parts)


def _ticks(metrics: Any, pools: Any) -> Iterator[_Timed]:
    """Yield the readings of the family, with what pools held by then."""
    pc = compute()
    is_sum = pc.equal(metrics["pid"], TREE)
    waits = _readings(metrics.filter(pc.and_not(pc.is_valid(metrics["run_queue_wait_s"]), is_sum)))
    known = sorted(rows_of(pools, ("t_ns", "name", "tree_bytes")), key=lambda row: row[0])
    held: dict[str, int] = {}
    at = 0
    names = ("t_ns", "cpu_percent", *METRIC_FIELDS, *FAMILY_FIELDS)
    rows = rows_of(metrics.filter(is_sum), names)
    for t_ns, *values in sorted(rows, key=lambda row: row[0]):
        while at < len(known) and known[at][0] <= t_ns:
            held[known[at][1]] = known[at][2]
            at += 1
        sums = {
            name: value for name, value in zip(names[1:], values, strict=True) if value is not None
        }
        if "rss_bytes" in sums:
            tick = Tick(t_ns, tuple(waits.get(t_ns, ())), sums, dict(held))
            yield t_ns, _TICK, Batch(raw=(), events=(), ticks=(tick,))


def _readings(metrics: Any) -> dict[int, list[Reading]]:
    """Return the readings that tell of the run queue, which are about one a second."""
    found: dict[int, list[Reading]] = {}
    names = ("t_ns", "pid", "cpu_s", "rss_bytes", "run_queue_wait_s")
    for t_ns, pid, cpu_s, rss_bytes, waited_s in rows_of(metrics, names):
        metric = Metric(t_ns, pid, cpu_s or 0.0, rss_bytes or 0, run_queue_wait_s=waited_s)
        found.setdefault(t_ns, []).append(Reading(metric, None))
    return found
