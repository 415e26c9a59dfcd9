"""One call tree of several recordings, and where each one's nodes are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.calltree import ROOT, CallTree

if TYPE_CHECKING:
    from collections.abc import Sequence


def one_tree(trees: Sequence[CallTree]) -> tuple[CallTree, list[list[int]]]:
    """Return a tree that has all of them, and for each of them its nodes by their old number.

    The same path of functions is one node, whoever was in it.
    """
    whole = CallTree()
    places: list[list[int]] = []
    for tree in trees:
        place = [ROOT] * len(tree)
        for node in range(1, len(tree)):
            frame = tree.frame(node)
            number = whole.frame_id(frame.function, frame.file, frame.line, frame.kind)
            place[node] = whole.node_id(place[tree.parent(node)], number)
        places.append(place)
    return whole, places
