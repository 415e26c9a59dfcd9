"""Where the frames of a flame graph stand: a tree of values in, boxes in shares of the root out.

Pure geometry. The root may be anything: all threads, one thread, two recordings at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = 0
MIN_SHARE = 0.001
"""Narrower frames stand together in one box."""
MAX_DEPTH = 512


class FlameTree(NamedTuple):
    """What is laid out. Node 0 is the root."""

    children: Mapping[int, Sequence[int]]
    """By node, in the order of drawing."""
    value: Mapping[int, float]
    """Total of a node with all that it called, never negative."""


class FlameBox(NamedTuple):
    """One drawn frame: [x0, x1) in shares of the root's width."""

    x0: float
    x1: float
    depth: int
    node: int
    """The frame; of a `more` box the caller of those it stands for."""
    value: float
    more: int = 0
    """How many callees this box stands for; 0 if it is the frame itself."""


class _Room(NamedTuple):
    """Where the callees of a frame may stand, in units of value: a cut frame has less."""

    node: int
    left: float
    end: float


def lay_out(
    tree: FlameTree, min_share: float = MIN_SHARE, max_depth: int = MAX_DEPTH
) -> list[FlameBox]:
    """Lay out a tree, row by row from the root, from left to right.

    Callees narrower than `min_share` become one box at the end of their row where their sum
    reaches it. Callees that claim more than their caller has are cut, never drawn outside of it.
    """
    children, value_of = tree
    whole = value_of.get(ROOT, 0)
    if whole <= 0:
        return []
    least = min_share * whole
    boxes = [FlameBox(0.0, 1.0, 0, ROOT, whole)]
    level = [_Room(ROOT, 0.0, whole)]
    for depth in range(1, max_depth):
        below: list[_Room] = []
        for node, left, end in level:
            small, count = 0.0, 0
            for child in children.get(node, ()):
                value = min(value_of[child], end - left)
                if value < least:
                    small, count = small + value, count + (value > 0)
                    continue
                boxes.append(
                    FlameBox(left / whole, (left + value) / whole, depth, child, value_of[child])
                )
                below.append(_Room(child, left, left + value))
                left += value
            small = min(small, end - left)
            if count and small >= least:
                boxes.append(
                    FlameBox(left / whole, (left + small) / whole, depth, node, small, count)
                )
        if not below:
            break
        level = below
    return boxes
