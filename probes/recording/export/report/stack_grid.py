"""Stack time in equal steps of a range: the page adds up the steps of whatever range is chosen.

Per step and thread a few (node, wall, CPU, grown) numbers, nodes as differences. The sums are
exact to a microsecond: what rounding leaves over of a node goes on to its next step.

A long recording of many stacks would not fit: then the steps get wider, and what is too small
to be drawn at all is put together, by caller, as "smaller functions". The page says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.calltree import ROOT, Frame
from perftui.probes.profile import MergedTree
from perftui.probes.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perftui.probes.recording.disk_intervals import StackInterval
    from perftui.probes.recording.export.slice import Slice
    from perftui.probes.recording.reader import RecordingReader
    from perftui.probes.stack_sums import ThreadKey

STEPS = (240, 120, 60, 30)
"""How many there are: the first that fits."""
LEAST_STEP_NS = NS_PER_S // 100
"""Samples are 10 ms apart: finer steps would say nothing."""
SMALL_SHARES = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
"""Nodes below this share of every weight are put together: the least that fits."""
MOST_CELLS = 160_000
"""About 2.5 MB."""
MOST_NODES = 40_000
SMALLER = Frame("(smaller functions)", "", 0, "", "elided")

_Cell = list[int]  # wall_ns, cpu_ns, grown_bytes
_Step = dict[int, _Cell]


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
    weights: list[list[_Step]]
    """By thread and step: self weights by node."""
    small_share: float
    """Nodes below this share stand together; 0 if all are there."""

    def wall_ns(self, thread: int) -> int:
        """Return the sampled time of a thread, by its place."""
        return sum(cell[0] for step in self.weights[thread] for cell in step.values())


def stack_grid(
    reader: RecordingReader,
    part: Slice,
    *,
    most_cells: int = MOST_CELLS,
    most_nodes: int = MOST_NODES,
) -> StackGrid | None:
    """Add the stacks of a part of a recording up in steps, as fine as fits; None without stacks."""
    length_ns = part.t1_ns - part.t0_ns
    wanted = max(min(STEPS[0], length_ns // LEAST_STEP_NS), 1)
    finest = -(-length_ns // wanted)
    tree = MergedTree(reader.tree, by_line=part.by_line)
    exact = _exact(reader, part, tree, finest, wanted)
    if not exact:
        return None
    threads = sorted(exact, key=lambda thread: _heat(exact[thread]))
    rows = [exact[thread] for thread in threads]
    total = _totals(tree, (step for steps in rows for step in steps))
    counts = list(dict.fromkeys(min(count, wanted) for count in STEPS))
    for count, share in ((count, share) for count in counts for share in SMALL_SHARES):
        keep = _kept(total, share)
        is_last = count == counts[-1] and share == SMALL_SHARES[-1]
        if len(keep) > most_nodes and not is_last:
            continue
        width = -(-wanted // count)
        parents, frames, weights = _folded(tree, rows, width, keep)
        if is_last or sum(len(step) for steps in weights for step in steps) <= most_cells:
            steps = -(-wanted // width)
            return StackGrid(finest * width, steps, parents, frames, threads, weights, share)
    raise AssertionError("the last step and share always return")


def _exact(
    reader: RecordingReader, part: Slice, tree: MergedTree, step_ns: int, steps: int
) -> dict[ThreadKey, list[_Step]]:
    """Return self weights by thread and step, on the nodes of `tree`."""
    found: dict[ThreadKey, list[_Step]] = {}
    for thread, intervals in reader.stack_intervals(part.t0_ns, part.t1_ns):
        if part.has_thread(*thread):
            into = found.setdefault(thread, [{} for _ in range(steps)])
            _share_out(intervals, part.t0_ns, step_ns, tree, into)
    return found


def _share_out(
    intervals: Iterable[StackInterval],
    t0_ns: int,
    step_ns: int,
    tree: MergedTree,
    into: Sequence[_Step],
) -> None:
    """Add intervals to the steps that they lie in; what crosses an edge is shared out by time."""
    for begin, end, node, torn, cpu, grown in intervals:
        stack = tree.merge_torn(node) if torn else tree.merge(node)
        whole, cpu_left, grown_left = end - begin, cpu, grown
        while begin < end:
            at = (begin - t0_ns) // step_ns
            until = min(t0_ns + (at + 1) * step_ns, end)
            if until == end:
                cpu_part, grown_part = cpu_left, grown_left
            else:
                share = (until - begin) / whole
                cpu_part, grown_part = round(cpu * share), round(grown * share)
            cell = into[at].get(stack)
            if cell is None:
                into[at][stack] = [until - begin, cpu_part, grown_part]
            else:
                cell[0] += until - begin
                cell[1] += cpu_part
                cell[2] += grown_part
            cpu_left -= cpu_part
            grown_left -= grown_part
            begin = until


def _heat(steps: Sequence[_Step]) -> tuple[int, int]:
    """Return what sorts the thread with most CPU first."""
    cells = [cell for step in steps for cell in step.values()]
    return -sum(cell[1] for cell in cells), -sum(cell[0] for cell in cells)


def _totals(tree: MergedTree, steps: Iterable[_Step]) -> dict[int, list[int]]:
    """Return what every node weighs over all steps, with all that it called."""
    total: dict[int, list[int]] = {ROOT: [0, 0, 0]}
    for step in steps:
        for node, cell in step.items():
            sums = total.setdefault(node, [0, 0, 0])
            for index in range(3):
                sums[index] += max(cell[index], 0)
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


def _kept(total: Mapping[int, Sequence[int]], share: float) -> set[int]:
    """Return the nodes that weigh at least a share of the whole, in any weight."""
    least = [max(weight * share, 1) for weight in total[ROOT]]
    return {
        node
        for node, sums in total.items()
        if node == ROOT or any(value >= floor for value, floor in zip(sums, least, strict=True))
    }


def _folded(
    tree: MergedTree, exact: Sequence[Sequence[_Step]], width: int, keep: set[int]
) -> tuple[list[int], list[Frame], list[list[_Step]]]:
    """Return (parents, frames, steps by thread) with new numbers and steps `width` times wider."""
    number = {ROOT: 0}
    parents, frames = [0], [tree.frame(ROOT)]

    def add(parent: int, frame: Frame) -> int:
        parents.append(parent)
        frames.append(frame)
        return len(parents) - 1

    for node in sorted(keep):
        if node != ROOT:
            number[node] = add(number[tree.parent(node)], tree.frame(node))
    small: dict[int, int] = {}
    threads: list[list[_Step]] = []
    for steps in exact:
        wide: list[_Step] = [{} for _ in range(-(-len(steps) // width))]
        for at, step in enumerate(steps):
            into = wide[at // width]
            for node, cell in step.items():
                new = number.get(node)
                if new is None:
                    above = tree.parent(node)
                    while above not in keep:
                        above = tree.parent(above)
                    if above not in small:
                        small[above] = add(number[above], SMALLER)
                    new = number[node] = small[above]
                sums = into.get(new)
                if sums is None:
                    into[new] = cell[:]
                else:
                    for index in range(3):
                        sums[index] += cell[index]
        threads.append(wide)
    return parents, frames, threads


def packed(weights: Sequence[Sequence[_Step]]) -> list[list[Any]]:
    """Return the weights as the page reads them.

    Returns:
        Per thread and step either 0 or [nodes as differences, wall in µs, CPU in µs, and, as
        pairs of a position and a number of bytes, what grew].
    """
    return [_packed(steps) for steps in weights]


def _packed(steps: Sequence[_Step]) -> list[Any]:
    owed: dict[int, list[int]] = {}  # by node, what rounding left over of wall and CPU, in ns
    rows: list[Any] = []
    for step in steps:
        if not step:
            rows.append(0)
            continue
        nodes: list[int] = []
        columns: tuple[list[int], list[int]] = ([], [])
        grown: list[int] = []
        before = 0
        for position, node in enumerate(sorted(step)):
            cell = step[node]
            nodes.append(node - before)
            before = node
            left = owed.setdefault(node, [0, 0])
            for index, column in enumerate(columns):
                exact = cell[index] + left[index]
                rounded = (exact + 500) // 1000
                left[index] = exact - rounded * 1000
                column.append(rounded)
            if cell[2]:
                grown += [position, cell[2]]
        rows.append([nodes, *columns, grown])
    return rows
