"""The program's own functions in front: what lies between them folds.

Frames of the standard library, of installed packages and of perftui itself that hang together
become one: `6 pandas frames`, named by where the program's code entered them. Below a thread's
root they are passed over altogether (what starts a thread says nothing about it): the program's
functions stand there themselves, and beside them what of those frames led to none.

Nothing is lost: the sums of folds and of the program's functions are those of the frames. Where
a thread runs no code of the program's own, everything is the story, and nothing folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.whose import LIBRARIES, library_of, whose
from perftui.probes.spine.calltree import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from perftui.probes.profile.sums import MergedSums
    from perftui.probes.spine.calltree import Frame

NAMED = 2
"""So many libraries of a fold are named."""


class Fold(NamedTuple):
    """Frames that stand together as one."""

    frames: int
    """How many: two at least."""
    libraries: tuple[str, ...]
    """Their packages: first that which was called, then those with most own time."""

    @property
    def words(self) -> str:
        """Say what it is: `6 pandas frames`, `9 frames of duckdb, pyarrow and 7 more`."""
        named = ", ".join(self.libraries[:NAMED])
        more = len(self.libraries) - NAMED
        if more > 0:
            return f"{self.frames} frames of {named} and {more} more"
        return f"{self.frames} {named} frames" if named else f"{self.frames} frames"


class Places(NamedTuple):
    """Where every node of a tree is shown."""

    shown_as: dict[int, int]
    """The node that stands for a node: itself, or where the fold that it is in was entered."""
    above: dict[int, int]
    """The shown node above each node that is shown."""
    lifted: dict[int, int]
    """A shown node whose callers were passed over -> the fold that they are in."""
    entered: dict[int, int]
    """A library frame -> where the frames that it hangs together with were entered."""
    own: bool
    """Whether there is code of the program's own."""


class Folded(NamedTuple):
    """A tree of sums with its folds; the interface of `MergedSums`, as far as it is drawn."""

    total: dict[int, list[int]]
    """By shown node, as `Amount` has it."""
    self_: dict[int, list[int]]
    above: dict[int, int]
    folds: dict[int, Fold]
    """By the node that stands for the fold."""
    shown_as: dict[int, int]

    def children(self, name: Callable[[int], tuple[str, str]]) -> dict[int, list[int]]:
        """Return what is shown below every node, in the order of `name`."""
        found: dict[int, list[int]] = {}
        for node in self.total:
            if node != ROOT:
                found.setdefault(self.above[node], []).append(node)
        for nodes in found.values():
            if len(nodes) > 1:
                nodes.sort(key=lambda node: (*name(node), node))
        return found


def places(
    nodes: Iterable[int],
    parent: Callable[[int], int],
    frame: Callable[[int], Frame],
    opened: Collection[int] = (),
) -> Places:
    """Say where every node of a call tree is shown.

    Args:
        nodes: With all their callers; `parent(n) < n`. The root may be among them.
        parent: The calling node.
        frame: The frame of a node.
        opened: Nodes where a fold was entered that is to stay open.

    Returns:
        Of all nodes but the root. Where no code is the program's own, each shows itself.
    """
    ordered = sorted(node for node in nodes if node != ROOT)
    entered: dict[int, int] = {}
    size: dict[int, int] = {}
    own = False
    for node in ordered:
        caller = parent(node)
        kind = whose(frame(node))
        own = own or kind == "yours"
        # What nobody can place belongs to the library that called it, else it stays in sight.
        if kind in LIBRARIES or (kind == "unknown" and caller in entered):
            entry = entered[node] = entered.get(caller, node)
            size[entry] = size.get(entry, 0) + 1
    shown_as: dict[int, int] = {}
    above: dict[int, int] = {}
    lifted: dict[int, int] = {}
    for node in ordered:
        caller = parent(node)
        entry = entered.get(node, node)
        if not own or entry in opened or size.get(entry, 0) < 2:
            entry = node
        shown_as[node] = entry
        if entry != node:
            continue
        first = entered.get(caller)
        passed_over = first is not None and parent(first) == ROOT and first not in opened
        if own and first is not None and passed_over and node not in entered:
            above[node] = ROOT
            lifted[node] = first
        else:
            above[node] = ROOT if caller == ROOT else shown_as[caller]
    return Places(shown_as, above, lifted, entered, own)


def fold(
    total: Mapping[int, Sequence[int]],
    self_: Mapping[int, Sequence[int]],
    parent: Callable[[int], int],
    frame: Callable[[int], Frame],
    opened: Collection[int] = (),
) -> Folded:
    """Fold a tree of sums.

    Args:
        total: Sums by node with all that was called, of all nodes and the root, one number per
            weight.
        self_: Own sums by node; a node without any may be missing.
        parent: The calling node; `parent(n) < n`.
        frame: The frame of a node.
        opened: Nodes where a fold was entered that is to stay open.
    """
    where = places(total, parent, frame, opened)
    sums: dict[int, list[int]] = {ROOT: list(total[ROOT])}
    for node in where.above:
        sums[node] = list(total[node])
    for node, first in where.lifted.items():
        for index, value in enumerate(total[node]):
            sums[first][index] -= value
    mine: dict[int, list[int]] = {}
    spent: dict[int, dict[str, int]] = {}
    frames: dict[int, int] = {}
    for node, shown in where.shown_as.items():
        amount = self_.get(node)
        if amount is not None:
            cell = mine.setdefault(shown, [0] * len(amount))
            for index, value in enumerate(amount):
                cell[index] += value
        libraries = spent.setdefault(shown, {})
        name = library_of(frame(node))
        libraries[name] = libraries.get(name, 0) + (amount[0] if amount is not None else 0)
        frames[shown] = frames.get(shown, 0) + 1
    if ROOT in self_:
        mine[ROOT] = list(self_[ROOT])
    folds = {
        node: Fold(count, _ranked(spent[node], library_of(frame(node))))
        for node, count in frames.items()
        if count > 1
    }
    # What was passed over and led to nothing but the program's own functions is gone.
    passed = set(where.lifted.values())
    for node in passed:
        if not any(value > 0 for value in sums[node]) and node not in mine:
            del sums[node]
    return Folded(sums, mine, where.above, folds, where.shown_as)


def hottest_of_yours(tree: Folded, frame: Callable[[int], Frame], index: int) -> int:
    """Return the function of the program's own that spent most: itself, or in what it called
    of libraries.

    Args:
        tree: Folded or not.
        frame: The frame of a node.
        index: Of the weight.

    Returns:
        The node; the root if no code of the program's own spent anything.
    """
    spent: dict[int, int] = {}
    for node, amount in tree.self_.items():
        while node != ROOT and whose(frame(node)) != "yours":
            node = tree.above[node]
        if node != ROOT:
            spent[node] = spent.get(node, 0) + amount[index]
    found = max(spent, key=lambda node: (spent[node], -node), default=ROOT)
    return found if spent.get(found, 0) > 0 else ROOT


def fold_sums(sums: MergedSums, opened: Collection[int] = ()) -> Folded:
    """Fold the sums of some threads."""
    return fold(sums.total, sums.own, sums.merged.parent, sums.merged.frame, opened)


def unfolded(sums: MergedSums) -> Folded:
    """Return the same with nothing folded."""
    parent = sums.merged.parent
    above = {node: parent(node) for node in sums.total if node != ROOT}
    return Folded(sums.total, sums.own, above, {}, {node: node for node in above})


def _ranked(spent: Mapping[str, int], called: str) -> tuple[str, ...]:
    names = [name for name in spent if name]
    return tuple(sorted(names, key=lambda name: (name != called, -spent[name], name)))
