"""Stack time of any range of a recording: sums of whole segments, and rows at the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.limits import NODES
from perftui.probes.recording.format.rollup import add_stack_sums, weighed
from perftui.probes.recording.format.schema import empty
from perftui.probes.recording.format.tables import STACK_AMOUNTS
from perftui.probes.spine.reader import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.recording.read.catalog import Catalog
    from perftui.probes.spine.records import ThreadKey

_SUMS = ("pid", "tid", "node", "wall_ns", "cpu_ns", "grown_bytes", "torn_ns", *STACK_AMOUNTS)
_MERGED_AT_ONCE = 100_000


class DiskStackSums:
    """Sums of a recording as it is now, exact for every range.

    Args:
        catalog: Where the stacks are.
        latest_node: Where each thread was last seen.
    """

    def __init__(self, catalog: Catalog, latest_node: Mapping[ThreadKey, int]) -> None:
        self._catalog = catalog
        self._latest_node = latest_node
        self._version = catalog.version
        self._last_answer: tuple[tuple[int, int], dict[ThreadKey, dict[int, Weights]]] | None
        self._last_answer = None

    def token(self, t0_ns: int, t1_ns: int) -> tuple[int, int, int]:
        """Return what `sums(t0, t1)` depends on: while this is equal, so is the answer."""
        return (t0_ns, t1_ns, self._version)

    def latest_node(self, thread: ThreadKey) -> int:
        """Return where a thread was last seen, 0 if it was not."""
        return self._latest_node.get(thread, 0)

    def sums(self, t0_ns: int, t1_ns: int) -> dict[ThreadKey, dict[int, Weights]]:
        """Return what each thread's leaf nodes weigh in [t0, t1)."""
        key = (t0_ns, t1_ns)
        if self._last_answer is None or self._last_answer[0] != key:
            self._last_answer = (key, self._retried(t0_ns, t1_ns))
        # Callers may keep the answer: they get their own.
        return {thread: dict(nodes) for thread, nodes in self._last_answer[1].items()}

    def _retried(self, t0_ns: int, t1_ns: int) -> dict[ThreadKey, dict[int, Weights]]:
        for _ in range(5):
            try:
                return self._sums(t0_ns, t1_ns)
            except FileNotFoundError:
                self._catalog.refresh()  # merged just now
        return self._sums(t0_ns, t1_ns)

    def _sums(self, t0_ns: int, t1_ns: int) -> dict[ThreadKey, dict[int, Weights]]:
        catalog = self._catalog
        parts: list[Any] = []
        rows = 0
        clipped: dict[tuple[int, int, int], list[int]] = {}
        known = catalog.extents("stacks")
        for first, last, file in catalog.stack_blocks():
            extents = {n: known[n] for n in range(first, last + 1) if n in known}
            if all(t0_ns <= e.t0_ns and e.t1_ns <= t1_ns for e in extents.values()):
                parts.append(catalog.stack_block(first, file))
                rows += parts[-1].num_rows
            else:
                for segment, extent in extents.items():
                    if extent.t0_ns < t1_ns and extent.t1_ns > t0_ns:
                        stacks = catalog.load("stacks", segment)
                        parts.append(_within(stacks, t0_ns, t1_ns, clipped))
                        rows += parts[-1].num_rows
            if rows > _MERGED_AT_ONCE:
                parts = [_added(parts)]
                rows = parts[0].num_rows
        return _weights(_added(parts), clipped)


def _within(
    stacks: Any, t0_ns: int, t1_ns: int, clipped: dict[tuple[int, int, int], list[int]]
) -> Any:
    """Sum the rows inside of [t0, t1); what crosses an edge is shared out into `clipped`."""
    pc = compute()
    begins, ends = stacks["t0_ns"], stacks["t1_ns"]
    lasts = pc.greater(ends, begins)
    touches = pc.and_(lasts, pc.and_(pc.less(begins, t1_ns), pc.greater(ends, t0_ns)))
    inside = pc.and_(pc.greater_equal(begins, t0_ns), pc.less_equal(ends, t1_ns))
    crossing = weighed(stacks.filter(pc.and_(touches, pc.invert(inside))))
    columns = ("t0_ns", "t1_ns", *_SUMS)
    for begin, end, pid, tid, node, *weights in zip(
        *(crossing[name].to_pylist() for name in columns), strict=True
    ):
        share = (min(end, t1_ns) - max(begin, t0_ns)) / (end - begin)
        cell = clipped.setdefault((pid, tid, node), [0] * len(weights))
        for index, weight in enumerate(weights):
            cell[index] += round((weight or 0) * share)
    kept = weighed(stacks.filter(pc.and_(touches, inside)))
    return add_stack_sums(kept) if kept.num_rows else empty("stack_sums")


def _added(parts: list[Any]) -> Any:
    pa = arrow()
    if not parts:
        return empty("stack_sums")
    if len(parts) == 1:
        return parts[0]
    return add_stack_sums(pa.concat_tables(part.select(list(_SUMS)) for part in parts))


def _weights(
    table: Any, clipped: dict[tuple[int, int, int], list[int]]
) -> dict[ThreadKey, dict[int, Weights]]:
    sums: dict[ThreadKey, dict[int, Weights]] = {}
    for pid, tid, node, *weights in zip(*(table[name].to_pylist() for name in _SUMS), strict=True):
        if 0 <= node <= NODES:
            known = (weight or 0 for weight in weights)  # null: not known
            sums.setdefault((pid, tid), {})[node] = Weights(*known)
    for (pid, tid, node), cell in clipped.items():
        if not 0 <= node <= NODES:
            continue
        nodes = sums.setdefault((pid, tid), {})
        before = nodes.get(node, Weights(0, 0, 0, 0))
        nodes[node] = Weights(*(a + b for a, b in zip(before, cell, strict=True)))
    return sums
