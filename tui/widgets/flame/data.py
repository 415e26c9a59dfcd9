"""One thread of a picture made ready for drawing as an icicle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.sums import WEIGHT_INDEX, MergedSums, MergedTree
from perftui.probes.spine.calltree import ROOT, package_of
from perftui.tui.widgets.flame.layout import Icicle
from perftui.tui.widgets.flame.words import wait_label

if TYPE_CHECKING:
    from perftui.probes.spine.reader import ThreadTree
    from perftui.tui.picture.view import View

WAIT_SHARE = 0.25
"""Less of a frame's own time off CPU than this may be the jitter of sampling, not waiting."""
WAIT_OF_THREAD = 0.05
"""Waits below this share of the thread are not drawn: the CPU of a thread is read a few times a
second and shared out over its stacks, so short waits rub off on their neighbours."""


class Drawn(NamedTuple):
    """What the flame is about at the moment."""

    view: View
    thread: ThreadTree
    sums: MergedSums
    icicle: Icicle
    matches: frozenset[int] | None
    """Frames that the filter found; None without a filter."""
    match_share: float
    waits_most: int
    """The frame with most time off CPU."""

    def wait_label(self, node: int) -> str:
        """Name what a frame waited for: the thread's reason belongs where most of it happened."""
        package = package_of(self.sums.merged.frame(node).module)
        if node == self.waits_most or (package and package in self.thread.waiting):
            return wait_label(self.thread.waiting)
        return wait_label("")


def prepare(view: View, thread: ThreadTree, merged: MergedTree) -> Drawn | None:
    """Sum up one thread of a picture; None if it has nothing of the chosen weight."""
    weight = view.selection.weight
    sums = MergedSums(merged, [thread])
    index = WEIGHT_INDEX[weight]
    value: dict[int, float] = {node: max(sums.total[node][index], 0) for node in sums.total}
    if not value[ROOT]:
        return None
    waiting: dict[int, float] = {}
    if weight == "wall":
        least = WAIT_OF_THREAD * value[ROOT]
        for node, (wall, cpu, *_) in sums.own.items():
            if node != ROOT and wall - cpu > max(WAIT_SHARE * wall, least):
                waiting[node] = wall - cpu
    most = max(waiting, key=lambda node: waiting[node], default=ROOT)
    icicle = Icicle(sums.children(), value, waiting)
    matches, share = _find(merged, value, view.selection.filter)
    return Drawn(view, thread, sums, icicle, matches, share, most)


def _find(
    merged: MergedTree, value: dict[int, float], wanted: str
) -> tuple[frozenset[int] | None, float]:
    """Return the frames whose function, module or file holds `wanted`, and their share."""
    if not wanted:
        return None, 0.0
    wanted = wanted.lower()
    found: set[int] = set()
    inside: set[int] = set()
    share = 0.0
    for node in sorted(value):  # callers come before what they call
        if node == ROOT:
            continue
        frame = merged.frame(node)
        hit = wanted in f"{frame.function} {frame.module} {frame.file}".lower()
        if hit:
            found.add(node)
        if merged.parent(node) in inside:
            inside.add(node)
        elif hit:
            inside.add(node)
            share += value[node]
    return frozenset(found), share / value[ROOT]
