"""Stack time in equal steps of a range: the page adds up the steps of whatever range is chosen.

Per step and thread a few (node, wall, CPU, grown) numbers, nodes as differences. The sums are
exact to a microsecond: what rounding leaves over of a node goes on to its next step.

A long recording of many stacks would not fit: then the steps get wider, and what is too small
to be drawn at all is put together, by caller, as "(smaller functions)". The page says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.export.report.stack_steps import COLUMNS, KEYS, WEIGHTS, stack_steps, summed
from perftui.probes.profile.sums import MergedTree
from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.spine.calltree import ROOT, Frame
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.records import ThreadKey

STEPS = 240
LEAST_STEP_NS = NS_PER_S // 100
"""Samples are 10 ms apart: finer steps would say nothing."""
MOST_CELLS = 300_000
"""About 3.5 MB."""
MOST_NODES = 30_000
COARSER = (
    (1, 0.0),
    (1, 1e-4),
    (1, 3e-4),
    (1, 1e-3),
    (2, 1e-3),
    (4, 1e-3),
    (4, 3e-3),
    (8, 3e-3),
    (8, 1e-2),
)
"""(how many steps become one, nodes below this share of every weight stand together), the first
that fits. Up to a thousandth nothing is lost that would be drawn of the whole."""
SMALLER = Frame("(smaller functions)", "", 0, "", "elided")

_Totals = dict[int, list[int]]


class StackGrid(NamedTuple):
    """Stacks of a part of a recording."""

    step_ns: int
    steps: int
    parents: list[int]
    """By node; node 0 is the root, and callers come before what they call."""
    frames: list[Frame]
    """By node."""
    threads: list[ThreadKey]
    """Hottest first."""
    wall_ns: list[int]
    """Sampled time by thread."""
    cells: Any
    """What weighs something, as a `pyarrow.Table` of `stack_steps.COLUMNS`."""
    small_share: float
    """Nodes below this share stand together; 0 if all are there."""

    def packed(self) -> list[list[Any]]:
        """Return the weights as the page reads them.

        Returns:
            Per thread and step either 0 or [nodes as differences, wall in µs, CPU in µs, and,
            as pairs of a position and a number of bytes, what grew].
        """
        found = {thread: _Packed(self.steps) for thread in self.threads}
        ordered = self.cells.sort_by([(name, "ascending") for name in KEYS])
        columns = (ordered[name].to_pylist() for name in COLUMNS)
        for pid, tid, step, node, *weights in zip(*columns, strict=True):
            found[pid, tid].add(step, node, weights)
        return [found[thread].rows for thread in self.threads]


class _Packed:
    """The steps of one thread; cells come in the order of steps and nodes."""

    def __init__(self, steps: int) -> None:
        self.rows: list[Any] = [0] * steps
        self._before = 0
        self._owed: dict[int, list[int]] = {}
        """By node, what rounding left over of wall and CPU, in ns."""

    def add(self, step: int, node: int, weights: Sequence[int]) -> None:
        """Add one cell."""
        row = self.rows[step]
        if not row:
            row = self.rows[step] = [[], [], [], []]
            self._before = 0
        nodes, wall, cpu, grown = row
        if weights[2]:
            grown += (len(nodes), weights[2])
        nodes.append(node - self._before)
        self._before = node
        owed = self._owed.setdefault(node, [0, 0])
        for index, column in ((0, wall), (1, cpu)):
            exact = weights[index] + owed[index]
            rounded = (exact + 500) // 1000
            owed[index] = exact - rounded * 1000
            column.append(rounded)


def stack_grid(
    reader: RecordedReader,
    part: Slice,
    *,
    most_cells: int = MOST_CELLS,
    most_nodes: int = MOST_NODES,
) -> StackGrid | None:
    """Add the stacks of a part of a recording up in steps, as fine as fits; None without stacks."""
    length_ns = part.t1_ns - part.t0_ns
    steps = max(min(STEPS, length_ns // LEAST_STEP_NS), 1)
    step_ns = -(-length_ns // steps)
    tree = MergedTree(reader.tree, by_line=part.by_line)
    cells = stack_steps(reader, part, tree, step_ns, steps)
    if not cells.num_rows:
        return None
    total = _totals(tree, cells)
    for wide, share in COARSER:
        is_last = (wide, share) == COARSER[-1]
        keep = _kept(total, share)
        if len(keep) > most_nodes and not is_last:
            continue
        folded, parents, frames = _folded(tree, cells, keep, wide)
        if folded.num_rows <= most_cells or is_last:
            threads, wall_ns = _threads(folded)
            return StackGrid(
                step_ns * wide, -(-steps // wide), parents, frames, threads, wall_ns, folded, share
            )
    raise AssertionError("the last one always returns")


def _totals(tree: MergedTree, cells: Any) -> _Totals:
    """Return what every node weighs over all steps, with all that it called."""
    total: _Totals = {ROOT: [0, 0, 0]}
    for (node,), weights in _sums(cells, ["node"]):
        total[node] = [max(weight, 0) for weight in weights]
    for node in list(total):
        while node != ROOT:
            node = tree.parent(node)
            if node in total:
                break
            total[node] = [0, 0, 0]
    for node in sorted(total, reverse=True):
        if node != ROOT:
            above = total[tree.parent(node)]
            for index, value in enumerate(total[node]):
                above[index] += value
    return total


def _sums(cells: Any, keys: list[str]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield (keys, weights) of cells added up."""
    wanted = [(name, "sum") for name in WEIGHTS]
    sums = cells.group_by(keys, use_threads=False).aggregate(wanted)
    columns = [sums[name].to_pylist() for name in (*keys, *(f"{name}_sum" for name in WEIGHTS))]
    for row in zip(*columns, strict=True):
        yield row[: len(keys)], row[len(keys) :]


def _kept(total: Mapping[int, Sequence[int]], share: float) -> set[int]:
    """Return the nodes that weigh at least a share of the whole, in any weight."""
    least = [max(weight * share, 1) for weight in total[ROOT]]
    return {
        node
        for node, sums in total.items()
        if node == ROOT or any(value >= floor for value, floor in zip(sums, least, strict=True))
    }


def _folded(
    tree: MergedTree, cells: Any, keep: set[int], wide: int
) -> tuple[Any, list[int], list[Frame]]:
    """Return (cells, parents, frames) with new numbers and with steps `wide` times as wide.

    What is not kept goes to one leaf below its nearest caller that is.
    """
    pa, pc = arrow(), compute()
    order = sorted(keep)
    numbers = {node: number for number, node in enumerate(order)}
    parents = [numbers[tree.parent(node)] for node in order]
    frames = [tree.frame(node) for node in order]
    smaller: dict[int, int] = {}
    nodes = pc.unique(cells["node"])
    new = []
    for node in nodes.to_pylist():
        number = numbers.get(node)
        if number is None:
            above = tree.parent(node)
            while above not in numbers:
                above = tree.parent(above)
            number = smaller.get(above)
            if number is None:
                number = smaller[above] = len(parents)
                parents.append(numbers[above])
                frames.append(SMALLER)
        new.append(number)
    place = pc.index_in(cells["node"], value_set=nodes)
    columns = {name: cells[name] for name in COLUMNS}
    columns["node"] = pa.array(new, pa.int64()).take(place)
    columns["step"] = pc.divide(cells["step"], wide)
    return summed(pa.table(columns)), parents, frames


def _threads(cells: Any) -> tuple[list[ThreadKey], list[int]]:
    """Return the threads, the one with most CPU first, and the sampled time of each."""
    sums = sorted(_sums(cells, ["pid", "tid"]), key=lambda row: (-row[1][1], -row[1][0], row[0]))
    return [(pid, tid) for (pid, tid), _ in sums], [weights[0] for _, weights in sums]
