"""One thread of a picture (or several as one) made ready for drawing as an icicle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.folding import Folded, fold_sums, unfolded
from perftui.probes.profile.inverted import InvertedNodes, invert
from perftui.probes.profile.place import file_name
from perftui.probes.profile.sums import NOTHING, WEIGHT_INDEX, Amount, MergedSums, MergedTree
from perftui.probes.spine.calltree import ROOT, package_of
from perftui.tui.widgets.flame.layout import Icicle
from perftui.tui.widgets.flame.words import (
    fold_label,
    frame_label,
    mains_of,
    name_of,
    wait_label,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from perftui.probes.profile.folding import Fold
    from perftui.probes.spine.calltree import Frame
    from perftui.probes.spine.reader import ThreadTree
    from perftui.tui.picture.view import View

WAIT_SHARE = 0.25
"""Less of a frame's own time off CPU than this may be the jitter of sampling, not waiting."""
WAIT_OF_THREAD = 0.05
"""Waits below this share of the thread are not drawn: the CPU of a thread is read a few times a
second and shared out over its stacks, so short waits rub off on their neighbours."""


class Drawn(NamedTuple):
    """What the flame is about at the moment. Its nodes are those of `tree`."""

    view: View
    thread: ThreadTree
    sums: MergedSums
    tree: Folded
    """What is drawn: folded or not, and upside down if that is wanted."""
    icicle: Icicle
    matches: frozenset[int] | None
    """Frames that the filter found; None without a filter."""
    match_share: float
    waits_most: int
    """The frame with most time off CPU."""
    mains: frozenset[str]
    """File names of the programs' main modules, as far as command lines tell them."""
    inverted: InvertedNodes | None
    stands_for: Mapping[int, int]
    """By node of the inverted tree, an upright one with most of its weight."""

    def frame(self, node: int) -> Frame:
        """Return a frame of a node; of a fold, where it was entered."""
        if self.inverted is not None:
            frame = self.inverted.frames[node]
            return self.sums.merged.frame(ROOT) if frame is None else frame
        return self.sums.merged.frame(node)

    def upright(self, node: int) -> int:
        """Return the node of the merged call tree that a node stands for."""
        return self.stands_for.get(node, ROOT) if self.inverted is not None else node

    def line(self, node: int) -> int:
        """Return the line that a node stood in longest."""
        upright = self.upright(node)
        merged = self.sums.merged
        known = merged.frame(upright).line
        return known if merged.by_line else self.sums.line.get(upright, known)

    def name(self, node: int) -> str:
        """Return what a frame is called: its function, or whose module's code it is."""
        return name_of(self.frame(node), self._mains_at(node))

    def label(self, node: int) -> str:
        """Return what stands in a box: name and place, or what is folded."""
        frame, fold = self.frame(node), self.fold(node)
        if fold is not None:
            return fold_label(fold, frame)
        return frame_label(frame, self.line(node), self._mains_at(node))

    def _mains_at(self, node: int) -> frozenset[str]:
        """Code of a module that nobody called is not being imported: it is the program."""
        if self.sums.merged.parent(self.upright(node)) != ROOT:
            return self.mains
        return self.mains | {file_name(self.frame(node).file)}

    def own(self, node: int) -> Amount:
        """Return what a node cost itself."""
        return Amount(*self.tree.self_.get(node, NOTHING))

    def fold(self, node: int) -> Fold | None:
        """Return what a node folds, None if it is one frame."""
        return self.tree.folds.get(node)

    def parent(self, node: int) -> int:
        """Return the node above, also of one that has no time in this range."""
        above = self.tree.above.get(node)
        if above is not None:
            return above
        if self.inverted is not None:
            return self.inverted.parents[node]
        above = self.sums.merged.parent(node)
        return self.tree.shown_as.get(above, above)

    def path(self, node: int) -> list[int]:
        """Return the nodes from the first row to `node`, without the root."""
        nodes = []
        while node != ROOT:
            nodes.append(node)
            node = self.parent(node)
        nodes.reverse()
        return nodes

    def wait_label(self, node: int) -> str:
        """Name what a frame waited for: the thread's reason belongs where most of it happened."""
        fold = self.fold(node)
        packages = fold.libraries if fold else (package_of(self.frame(node).module),)
        if node == self.waits_most or any(p and p in self.thread.waiting for p in packages):
            return wait_label(self.thread.waiting)
        return wait_label("")


def prepare(
    view: View,
    thread: ThreadTree,
    merged: MergedTree,
    *,
    fold: bool = False,
    opened: Collection[int] = (),
    inverted: InvertedNodes | None = None,
) -> Drawn | None:
    """Sum up one thread of a picture; None if it has nothing of the chosen weight.

    Args:
        view: The picture.
        thread: What is drawn: one thread, or several added up.
        merged: Its call tree.
        fold: Frames that are not the program's own stand together.
        opened: Nodes where a fold was entered that is to stay open.
        inverted: Ids of the tree upside down, if that is wanted.
    """
    weight = view.selection.weight
    sums = MergedSums(merged, [thread])
    index = WEIGHT_INDEX[weight]
    whole = max(sums.total[ROOT][index], 0)
    if not whole:
        return None
    hits = hits_of(sums, view.selection.filter)
    tree = unfolded(sums)
    if fold:
        tree = fold_sums(sums, opened)
        hidden = _hidden_by_name(sums, tree, hits, view.selection.filter)
        if hidden:
            tree = fold_sums(sums, {*opened, *hidden})
    found = {tree.shown_as[node] for node in hits} if hits is not None else None
    stands_for: Mapping[int, int] = {}
    if inverted is not None:
        upside = invert(tree, inverted, merged.frame, merged.by_line, index)
        tree, stands_for = upside
        if found is not None:
            found = {node for node, upright in stands_for.items() if upright in found}
    value: dict[int, float] = {node: max(tree.total[node][index], 0) for node in tree.total}
    waiting = _waits(tree, whole) if weight == "wall" and inverted is None else {}
    most = max(waiting, key=lambda node: waiting[node], default=ROOT)
    if inverted is None:
        children = tree.children(lambda node: _in_order(merged, node))
    else:  # the question is what comes first
        children = tree.children(lambda _: ("", ""))
        for nodes in children.values():
            nodes.sort(key=lambda node: (-value[node], node))
    share = 0.0 if found is None else _share_of(tree, value, found)
    matches = None if found is None else frozenset(found)
    icicle = Icicle(children, value, waiting)
    mains = mains_of(view)
    return Drawn(
        view, thread, sums, tree, icicle, matches, share, most, mains, inverted, stands_for
    )


def _in_order(merged: MergedTree, node: int) -> tuple[str, str]:
    frame = merged.frame(node)
    return frame.function, frame.file


def _waits(tree: Folded, whole: float) -> dict[int, float]:
    """Return the nodes that are worth a box for the time that they waited."""
    least = WAIT_OF_THREAD * whole
    return {
        node: wall - cpu
        for node, (wall, cpu, *_) in tree.self_.items()
        if node != ROOT and wall - cpu > max(WAIT_SHARE * wall, least)
    }


def is_hit(frame: Frame, wanted: str) -> bool:
    """Tell whether a frame's function, module or file holds `wanted`, which is in lower case."""
    return wanted in f"{frame.function} {frame.module} {frame.file}".lower()


def hits_of(sums: MergedSums, wanted: str) -> set[int] | None:
    """Return the frames that a filter finds; None without a filter."""
    if not wanted:
        return None
    wanted, frame = wanted.lower(), sums.merged.frame
    return {node for node in sums.total if node != ROOT and is_hit(frame(node), wanted)}


def _hidden_by_name(sums: MergedSums, tree: Folded, hits: set[int] | None, wanted: str) -> set[int]:
    """Return the folds that hold a function of the wanted name: it is to be seen."""
    if not hits:
        return set()
    wanted, frame = wanted.lower(), sums.merged.frame
    return {
        tree.shown_as[node]
        for node in hits
        if tree.shown_as[node] in tree.folds and wanted in frame(node).function.lower()
    }


def _share_of(tree: Folded, value: Mapping[int, float], found: set[int]) -> float:
    """Return the share of the whole that is in the frames found, each counted once."""
    inside: set[int] = set()
    share = 0.0
    for node in sorted(value):  # callers come before what they call
        if node == ROOT:
            continue
        if tree.above[node] in inside:
            inside.add(node)
        elif node in found:
            inside.add(node)
            share += value[node]
    return share / value[ROOT]
