"""The difference of two sets of stacks: what ran more, less, only now, no longer.

Two ranges of one session or two recordings: node ids may differ, and so may lines, folders and
interpreters. A frame is the same when its function and its file (`same_file`) are. Amounts of
both sides stand side by side; shares are of the sampled time of all threads given, rates per
second of each range's length, so that ranges of different lengths compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perftui.probes.profile.same_file import paired_places, place_key
from perftui.probes.profile.sums import (
    BYTES,
    NOTHING,
    WEIGHT_INDEX,
    Amount,
    MergedSums,
    MergedTree,
    function_sums,
)
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NamedTuple

    from perftui.probes.profile.sums import FunctionSum, WeightName
    from perftui.probes.spine.calltree import CallTree, Frame
    from perftui.probes.spine.reader import ThreadTree
else:
    from perftui.probes.own.tuples import NamedTuple

_Name = tuple[str, str, int]
"""(function, file or its place, line); line 0 unless lines are told apart."""
State = Literal["new", "vanished", "both", "neither"]
SEEN_BEFORE = 0.1
"""What ran at less than this part of its present rate counts as not having run before."""


class ComparedStacks(NamedTuple):
    """One of the two: stacks of a range, and how long the range was."""

    tree: CallTree
    stacks: Sequence[ThreadTree]
    wall_ns: int
    """Length of the range, not of the stacks: what "per second" refers to."""


class Change(NamedTuple):
    """An amount before and now."""

    base: Amount
    new: Amount

    def state(self, weight: WeightName) -> State:
        """Tell on which sides there is anything of a weight."""
        index = WEIGHT_INDEX[weight]
        before, now = self.base[index] > 0, self.new[index] > 0
        if before and now:
            return "both"
        return "new" if now else "vanished" if before else "neither"


UNSEEN = Change(NOTHING, NOTHING)


class DiffNode(NamedTuple):
    """One function called from one path, on either side."""

    parent: int
    function: str
    file: str
    """As the new side names it, else the base."""
    line: int
    """Where the new side stood longest, else the base; 0 if unknown."""
    module: str
    self_: Change
    total: Change
    children: tuple[int, ...]
    """By name, so that they stay in place."""


class FunctionDiff(NamedTuple):
    """One function on either side, wherever it was called from."""

    function: str
    file: str
    line: int
    module: str
    self_: Change
    total: Change
    """With everything it called; recursion is counted once."""


class Delta(NamedTuple):
    """A change in figures of one weight."""

    state: State
    """By sampled time, whatever the weight: what used no CPU before may still have run."""
    base_share: float
    """Of the side's sampled whole, 0..1."""
    new_share: float
    base_per_s: float
    """Seconds (or bytes) per second of the range."""
    new_per_s: float

    @property
    def share(self) -> float:
        """How much the share rose; negative if it fell."""
        return self.new_share - self.base_share

    @property
    def per_s(self) -> float:
        """How much the rate rose; negative if it fell."""
        return self.new_per_s - self.base_per_s


@dataclass(frozen=True, slots=True)
class Difference:
    """Both sides laid over each other. Node 0 is the root; `parent < node` always holds."""

    nodes: tuple[DiffNode, ...]
    functions: tuple[FunctionDiff, ...]
    """The most self wall time on the new side first."""
    base_wall_ns: int
    new_wall_ns: int
    by_line: bool = False
    """Lines were told apart."""

    @property
    def whole(self) -> Change:
        """Everything that was sampled."""
        return self.nodes[ROOT].total

    def delta(self, change: Change, weight: WeightName) -> Delta:
        """Put a change of a node or function into figures of one weight."""
        index = WEIGHT_INDEX[weight]
        base, new = max(change.base[index], 0), max(change.new[index], 0)
        whole_base, whole_new = self.whole.base[index], self.whole.new[index]
        scale = NS_PER_S if weight in BYTES else 1
        return Delta(
            change.state("wall"),
            base / whole_base if whole_base > 0 else 0.0,
            new / whole_new if whole_new > 0 else 0.0,
            base * scale / max(self.base_wall_ns, 1),
            new * scale / max(self.new_wall_ns, 1),
        )

    def path(self, node: int) -> list[int]:
        """Return the nodes from the outermost to `node`, without the root."""
        nodes = []
        while node != ROOT:
            nodes.append(node)
            node = self.nodes[node].parent
        nodes.reverse()
        return nodes

    def ranked(self, weight: WeightName) -> list[tuple[FunctionDiff, Delta, Delta]]:
        """Return functions with the deltas of self and total, the largest change of self first."""
        rows = [
            (row, self.delta(row.self_, weight), self.delta(row.total, weight))
            for row in self.functions
        ]
        rows = [row for row in rows if any(d.base_per_s or d.new_per_s for d in row[1:])]
        rows.sort(key=lambda row: (-abs(row[1].share), -abs(row[2].share), row[0][:2]))
        return rows

    def only_now(
        self, weight: WeightName, least_share: float = 0.02, most: int = 6
    ) -> list[tuple[FunctionDiff, Delta]]:
        """Return what ran on the new side and not before, by total share: a short list.

        Of a chain of calls that is new as a whole the outermost stands for it, and those inside
        with most time of their own.
        """
        by_key = {self._name(row): row for row in self.functions}
        fresh: dict[_Name, Delta] = {}
        for row in self.functions:
            delta = self.delta(row.total, weight)
            if delta.new_share >= least_share and _not_before(self.delta(row.total, "wall")):
                fresh[self._name(row)] = delta
        if not fresh:
            return []
        told: dict[_Name, Delta] = {}
        pending = list(self.nodes[ROOT].children)
        while pending:
            node = self.nodes[pending.pop()]
            key = self._name(node)
            if key in fresh:
                told[key] = fresh[key]
            else:
                pending.extend(node.children)
        told |= {
            key: delta
            for key, delta in fresh.items()
            if self.delta(by_key[key].self_, weight).new_share
            >= max(least_share, delta.new_share / 4)
        }
        # Of equal shares the outermost comes first: the order is that of finding them.
        ranked = sorted(told.items(), key=lambda item: -round(item[1].new_share, 3))
        return [(by_key[key], delta) for key, delta in ranked[:most]]

    def _name(self, row: DiffNode | FunctionDiff) -> _Name:
        return row.function, row.file, row.line if self.by_line else 0


def _not_before(delta: Delta) -> bool:
    return delta.new_per_s > 0 and delta.base_per_s < SEEN_BEFORE * delta.new_per_s


def difference(base: ComparedStacks, new: ComparedStacks, *, by_line: bool = False) -> Difference:
    """Lay two sides over each other; either may be empty.

    Args:
        base: What it was.
        new: What it is.
        by_line: Tell the lines of a function apart: for two ranges of one session only, as
            elsewhere the same line may have another number.
    """
    sides = [
        MergedSums(
            MergedTree(side.tree, by_line=by_line),
            [stack for stack in side.stacks if stack.self_by_node],
        )
        for side in (base, new)
    ]
    # Within one session a file that is missing on one side did not run: it is no other file.
    partners = {} if base.tree is new.tree else _partners(*sides)
    return Difference(
        _nodes(sides, partners, by_line),
        _functions(base, new, partners, by_line),
        base.wall_ns,
        new.wall_ns,
        by_line,
    )


def _partners(base: MergedSums, new: MergedSums) -> dict[str, str]:
    places = []
    for side in (base, new):
        frame_of = side.merged.frame
        places.append({place_key(frame_of(node).file) for node in side.total if node != ROOT})
    return paired_places(*places)


def _key(row: Frame | FunctionSum, partners: Mapping[str, str], by_line: bool) -> _Name:
    place = place_key(row.file)
    return row.function, partners.get(place, place), row.line if by_line else 0


class _Cell:
    """A node while it is put together."""

    __slots__ = ("frame", "line", "own", "parent", "total")

    def __init__(self, parent: int, frame: Frame) -> None:
        self.parent = parent
        self.frame = frame
        self.line = 0
        self.own = [NOTHING, NOTHING]
        self.total = [NOTHING, NOTHING]


def _nodes(
    sides: Sequence[MergedSums], partners: Mapping[str, str], by_line: bool
) -> tuple[DiffNode, ...]:
    cells = [_Cell(ROOT, sides[0].merged.frame(ROOT))]
    ids: dict[tuple[int, _Name], int] = {}
    for which, side in enumerate(sides):
        at = {ROOT: ROOT}
        merged = side.merged
        for node in sorted(side.total):  # callers come before what they call
            frame = merged.frame(node)
            if node != ROOT:
                renamed = partners if which == 0 else {}
                key = (at[merged.parent(node)], _key(frame, renamed, by_line))
                if key not in ids:
                    ids[key] = len(cells)
                    cells.append(_Cell(key[0], frame))
                at[node] = ids[key]
            cell = cells[at[node]]
            cell.frame = frame  # the new side comes last: its name stays
            cell.line = side.line.get(node, frame.line)
            cell.total[which] = _plus(cell.total[which], side.total[node])
            cell.own[which] = _plus(cell.own[which], side.own.get(node, NOTHING))
    children: dict[int, list[int]] = {}
    for number, cell in enumerate(cells):
        if number != ROOT:
            children.setdefault(cell.parent, []).append(number)
    for numbers in children.values():
        numbers.sort(key=lambda n: (*cells[n].frame[:3], n))
    return tuple(
        DiffNode(
            cell.parent,
            cell.frame.function,
            cell.frame.file,
            cell.line,
            cell.frame.module,
            Change(*cell.own),
            Change(*cell.total),
            tuple(children.get(number, ())),
        )
        for number, cell in enumerate(cells)
    )


def _functions(
    base: ComparedStacks, new: ComparedStacks, partners: Mapping[str, str], by_line: bool
) -> tuple[FunctionDiff, ...]:
    found: dict[_Name, FunctionDiff] = {}
    for which, side in enumerate((base, new)):
        for row in function_sums(side.tree, side.stacks, by_line=by_line):
            key = _key(row, partners if which == 0 else {}, by_line)
            known = found.get(key)
            own = known.self_ if known else UNSEEN
            total = known.total if known else UNSEEN
            found[key] = FunctionDiff(
                row.function,
                row.file,
                row.line or (known.line if known else 0),
                row.module,
                _with(own, which, row.self_),
                _with(total, which, row.total),
            )
    rows = sorted(
        found.values(),
        key=lambda row: (-row.self_.new.wall_ns, -row.total.new.wall_ns, row.function, row.file),
    )
    return tuple(rows)


def _with(change: Change, which: int, more: Amount) -> Change:
    if which:
        return Change(change.base, _plus(change.new, more))
    return Change(_plus(change.base, more), change.new)


def _plus(one: Amount, more: Iterable[int]) -> Amount:
    return Amount(*(a + b for a, b in zip(one, more, strict=True)))
