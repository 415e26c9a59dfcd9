"""Stack time in equal steps of a range: the page adds up the steps of whatever range is chosen.

Per step and thread a few (node, wall, CPU, grown) numbers, nodes as differences. The sums are
exact to a microsecond: what rounding leaves over goes on to the next step.

A long recording of many stacks would not fit: then the steps get wider, and what is too small
to be drawn at all is put together, by caller, as "smaller functions". The page says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.calltree import ROOT, Frame
from perftui.probes.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perftui.probes.profile import MergedTree
    from perftui.probes.recording.export.slice import Slice
    from perftui.probes.recording.export.timeline import ThreadTimeline, Timeline

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
    threads: list[list[_Step]]
    """By thread of the timeline and step: self weights by node."""
    small_share: float
    """Nodes below this share stand together; 0 if all are there."""


def stack_grid(
    times: Timeline, part: Slice, *, most_cells: int = MOST_CELLS, most_nodes: int = MOST_NODES
) -> StackGrid:
    """Add a timeline up in steps, as fine as fits."""
    length_ns = part.t1_ns - part.t0_ns
    wanted = max(min(STEPS[0], length_ns // LEAST_STEP_NS), 1)
    finest = -(-length_ns // wanted)
    exact = [_steps(thread, part.t0_ns, finest, wanted) for thread in times.threads]
    total = _totals(times.tree, (step for steps in exact for step in steps))
    for steps in dict.fromkeys(min(count, wanted) for count in STEPS):
        width = -(-wanted // steps)
        for share in SMALL_SHARES:
            keep = _kept(total, share)
            if len(keep) > most_nodes:
                continue
            grid = _folded(times.tree, exact, width, keep)
            cells = sum(len(step) for thread in grid[2] for step in thread)
            is_last = steps <= STEPS[-1] and share == SMALL_SHARES[-1]
            if cells <= most_cells or is_last:
                parents, frames, threads = grid
                count = -(-wanted // width)
                return StackGrid(finest * width, count, parents, frames, threads, share)
    raise AssertionError("the last step and share always return")


def _steps(thread: ThreadTimeline, t0_ns: int, step_ns: int, steps: int) -> list[_Step]:
    """Share one thread's spans out over the steps."""
    found: list[_Step] = [{} for _ in range(steps)]
    for span in thread:
        begin, whole = span.t0_ns, span.t1_ns - span.t0_ns
        cpu_left, grown_left = span.cpu_ns, span.grown_bytes
        while begin < span.t1_ns:
            at = min((begin - t0_ns) // step_ns, steps - 1)
            end = span.t1_ns if at == steps - 1 else min(t0_ns + (at + 1) * step_ns, span.t1_ns)
            if end == span.t1_ns:
                cpu, grown = cpu_left, grown_left
            else:
                share = (end - begin) / whole
                cpu, grown = round(span.cpu_ns * share), round(span.grown_bytes * share)
            cell = found[at].get(span.stack)
            if cell is None:
                found[at][span.stack] = [end - begin, cpu, grown]
            else:
                cell[0] += end - begin
                cell[1] += cpu
                cell[2] += grown
            cpu_left -= cpu
            grown_left -= grown
            begin = end
    return found


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


def packed(threads: Sequence[Sequence[_Step]]) -> list[list[Any]]:
    """Return the steps as the page reads them.

    Returns:
        Per thread and step either 0 or [nodes as differences, wall in µs, CPU in µs, and, as
        pairs of a position and a number of bytes, what grew].
    """
    found = []
    for steps in threads:
        left = [0, 0]  # what rounding owes, in ns
        rows: list[Any] = []
        for step in steps:
            if not step:
                rows.append(0)
                continue
            nodes: list[int] = []
            wall: list[int] = []
            cpu: list[int] = []
            grown: list[int] = []
            before = 0
            for position, node in enumerate(sorted(step)):
                cell = step[node]
                nodes.append(node - before)
                before = node
                for index, column in ((0, wall), (1, cpu)):
                    rounded = (cell[index] + left[index] + 500) // 1000
                    left[index] += cell[index] - rounded * 1000
                    column.append(rounded)
                if cell[2]:
                    grown += [position, cell[2]]
            rows.append([nodes, wall, cpu, grown])
        found.append(rows)
    return found
