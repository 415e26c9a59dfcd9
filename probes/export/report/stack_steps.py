"""Self weights per thread, equal step of time and function: millions of intervals, by Arrow.

A table of the columns pid, tid, step, node, wall_ns, cpu_ns, grown_bytes; `node` is one of a
`MergedTree`. What crosses an edge of a step is shared out by time, one by one: that is rare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.limits import NODES
from perftui.probes.recording.format.rollup import weighed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.profile.sums import MergedTree
    from perftui.probes.recording.read.face import RecordedReader

KEYS = ("pid", "tid", "step", "node")
WEIGHTS = ("wall_ns", "cpu_ns", "grown_bytes")
COLUMNS = (*KEYS, *WEIGHTS)


def stack_steps(
    reader: RecordedReader, part: Slice, tree: MergedTree, step_ns: int, steps: int
) -> Any:
    """Return the weights of a part of a recording in steps from its begin.

    Args:
        reader: The recording.
        part: Which part.
        tree: Where its stacks are interned: functions or lines.
        step_ns: Length of a step.
        steps: How many there are; together they are at least as long as the part.
    """
    parts = [_table([[] for _ in COLUMNS])]
    for segment in reader.catalog.overlapping("stacks", part.t0_ns, part.t1_ns):
        stacks = _wanted(reader.catalog.load("stacks", segment), part)
        if stacks.num_rows:
            parts.append(summed(_of_segment(stacks, part, tree, step_ns)))
    return summed(arrow().concat_tables(parts))


def summed(table: Any) -> Any:
    """Add rows of the same thread, step and node up."""
    sums = table.group_by(list(KEYS), use_threads=False).aggregate(
        [(name, "sum") for name in WEIGHTS]
    )
    return sums.select([*KEYS, *(f"{name}_sum" for name in WEIGHTS)]).rename_columns(list(COLUMNS))


def _table(columns: Sequence[Iterable[int]]) -> Any:
    pa = arrow()
    return pa.table(
        {name: pa.array(column, pa.int64()) for name, column in zip(COLUMNS, columns, strict=True)}
    )


def _wanted(stacks: Any, part: Slice) -> Any:
    """Return the intervals that lie in a part, some of them only partly."""
    pc = compute()
    begins, ends, node = stacks["t0_ns"], stacks["t1_ns"], stacks["node"]
    mask = pc.and_(pc.greater(ends, begins), pc.less(begins, part.t1_ns))
    mask = pc.and_(mask, pc.greater(ends, part.t0_ns))
    mask = pc.and_(mask, pc.and_(pc.greater_equal(node, 0), pc.less_equal(node, NODES)))
    stacks = weighed(stacks.filter(mask))
    if part.pid is not None:
        stacks = stacks.filter(pc.equal(stacks["pid"], part.pid))
    if part.threads is not None:
        chosen = None
        for pid, tid in part.threads:
            one = pc.and_(pc.equal(stacks["pid"], pid), pc.equal(stacks["tid"], tid))
            chosen = one if chosen is None else pc.or_(chosen, one)
        stacks = stacks.slice(0, 0) if chosen is None else stacks.filter(chosen)
    return stacks


def _of_segment(stacks: Any, part: Slice, tree: MergedTree, step_ns: int) -> Any:
    pa, pc = arrow(), compute()
    stacks = stacks.append_column("merged", _merged(stacks, tree))
    begins, ends = stacks["t0_ns"], stacks["t1_ns"]
    first = pc.divide(pc.subtract(begins, part.t0_ns), step_ns)
    last = pc.divide(pc.subtract(pc.subtract(ends, 1), part.t0_ns), step_ns)
    inside = pc.and_(pc.greater_equal(begins, part.t0_ns), pc.less_equal(ends, part.t1_ns))
    is_whole = pc.and_(inside, pc.equal(first, last))
    stacks = stacks.append_column("step", first)
    kept = stacks.filter(is_whole)
    columns = ("pid", "tid", "step", "merged", *WEIGHTS)
    fast = pa.table(
        {
            name: pc.cast(kept[column], pa.int64())
            for name, column in zip(COLUMNS, columns, strict=True)
        }
    )
    crossing = stacks.filter(pc.invert(is_whole))
    names = ("t0_ns", "t1_ns", "pid", "tid", "merged", *WEIGHTS)
    rows = zip(*(crossing[name].to_pylist() for name in names), strict=True)
    pieces = [piece for row in rows for piece in _pieces(row, part, step_ns)]
    return pa.concat_tables([fast, _table(list(zip(*pieces, strict=True)))]) if pieces else fast


def _merged(stacks: Any, tree: MergedTree) -> Any:
    """Return the node of the merged tree of every row; of a torn stack its leaf alone."""
    pa, pc = arrow(), compute()
    nodes = pc.unique(stacks["node"])
    known = nodes.to_pylist()
    whole = pa.array([tree.merge(node) for node in known], pa.int64())
    place = pc.index_in(stacks["node"], value_set=nodes)
    torn = pc.fill_null(stacks["torn"], False)
    if not pc.any(torn).as_py():
        return whole.take(place)
    leaf_of = {
        node: tree.merge_torn(node) for node in pc.unique(stacks["node"].filter(torn)).to_pylist()
    }
    leaf = pa.array([leaf_of.get(node, 0) for node in known], pa.int64())
    return pc.if_else(torn, leaf.take(place), whole.take(place))


def _pieces(row: tuple[int, ...], part: Slice, step_ns: int) -> Iterable[tuple[int, ...]]:
    """Share one interval out over the steps that it lies in, clipped to the part."""
    t0, t1, pid, tid, node, *left = row
    begin, end = max(t0, part.t0_ns), min(t1, part.t1_ns)
    if end - begin < t1 - t0:
        share = (end - begin) / (t1 - t0)
        left = [round((amount or 0) * share) for amount in left]
    whole = [amount or 0 for amount in left]
    left = list(whole)
    length = end - begin
    while begin < end:
        step = (begin - part.t0_ns) // step_ns
        until = min(part.t0_ns + (step + 1) * step_ns, end)
        share = (until - begin) / length
        pieces = left if until == end else [round(amount * share) for amount in whole]
        yield pid, tid, step, node, *pieces
        left = [amount - piece for amount, piece in zip(left, pieces, strict=True)]
        begin = until
