"""The call tree upside down: what ran at the top, and below each who called it.

A function that is called from many places is small in each, and large here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.folding import Fold, Folded
from perftui.probes.spine.calltree import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from perftui.probes.spine.calltree import Frame


class InvertedNodes:
    """Nodes of the tree that stands upside down; ids are stable while the session goes on."""

    def __init__(self) -> None:
        self._ids: dict[tuple[int, Hashable], int] = {}
        self.parents = [ROOT]
        self.frames: list[Frame | None] = [None]

    def known(self, parent: int, key: Hashable, frame: Frame) -> int:
        """Return the node of a caller (or, below the root, of what ran)."""
        found = self._ids.get((parent, key))
        if found is None:
            found = self._ids[parent, key] = len(self.parents)
            self.parents.append(parent)
            self.frames.append(frame)
        return found


class Inverted(NamedTuple):
    """A tree upside down; ids are those of `InvertedNodes`."""

    tree: Folded
    """Totals of a node are what its leaf, the node below the root, ran while called this way."""
    stands_for: dict[int, int]
    """An upright node with most of the weight, by node."""


def invert(
    folded: Folded,
    nodes: InvertedNodes,
    frame: Callable[[int], Frame],
    by_line: bool,
    index: int,
) -> Inverted:
    """Turn a tree upside down.

    What a torn stack ran is charged to what ran, and to no caller.

    Args:
        folded: The upright tree.
        nodes: The ids known so far; grows.
        frame: The frame of an upright node.
        by_line: Two lines of a function are two nodes.
        index: The weight by which a node stands for others.
    """
    known = {node: list(amount) for node, amount in folded.total.items()}
    for node, amount in folded.total.items():
        if node != ROOT:
            _take(known[folded.above[node]], amount)
    total: dict[int, list[int]] = {ROOT: list(folded.total[ROOT])}
    self_: dict[int, list[int]] = {}
    folds: dict[int, Fold] = {}
    stands_for: dict[int, int] = {}
    best: dict[int, int] = {}
    for node, own in folded.self_.items():
        if node == ROOT or not any(own):
            continue
        at, step, amount = ROOT, node, own
        while step != ROOT:
            here = frame(step)
            fold = folded.folds.get(step)
            key = (here.function, here.file, here.line if by_line else 0, fold is not None)
            at = nodes.known(at, key, here)
            cell = total.setdefault(at, [0] * len(own))
            for place, value in enumerate(amount):
                cell[place] += value
            if fold is not None:
                folds[at] = _both(folds.get(at), fold)
            if amount[index] >= best.get(at, -1):
                best[at] = amount[index]
                stands_for[at] = step
            if step == node:
                mine = self_.setdefault(at, [0] * len(own))
                for place, value in enumerate(own):
                    mine[place] += value
                amount = known.get(node, [0] * len(own))  # without what was torn
            step = folded.above[step]
    above = {node: nodes.parents[node] for node in total if node != ROOT}
    for node in list(total):
        if node != ROOT and not any(value > 0 for value in total[node]):
            del total[node]
    return Inverted(Folded(total, self_, above, folds, {}), stands_for)


def _take(cell: list[int], amount: list[int]) -> None:
    for place, value in enumerate(amount):
        cell[place] -= value


def _both(one: Fold | None, other: Fold) -> Fold:
    if one is None or one == other:
        return other
    more = tuple(name for name in other.libraries if name not in one.libraries)
    return Fold(max(one.frames, other.frames), one.libraries + more)
