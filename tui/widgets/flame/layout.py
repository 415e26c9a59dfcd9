"""Where the frames of an icicle stand: pure geometry, no drawing.

The root is on top. Both edges of a frame are rounded from its cumulative value, so siblings
never overlap and never leave a gap of rounding. Children narrower than a cell are left out and
stand together at the end as one `rest` box where their sum fills one: that makes 2,000 frames
as cheap as 300 and tells honestly that something is not drawn.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

BoxKind = Literal["frame", "wait", "rest"]


class Box(NamedTuple):
    """One drawn frame: the cells [x0, x1) of its row."""

    x0: int
    x1: int
    node: int
    """The frame; of `wait` and `rest` boxes the frame they are a part of."""
    kind: BoxKind
    value: float


class Icicle(NamedTuple):
    """What is laid out; all values in one weight."""

    children: Mapping[int, Sequence[int]]
    """Called nodes in the order of drawing."""
    value: Mapping[int, float]
    """Total by node, never negative; every child has one."""
    waiting: Mapping[int, float]
    """The part of a node's own time that it waited: drawn as a box below it."""


class _Room(NamedTuple):
    """Where the callees of a frame may stand, in units of value: a cut frame has less."""

    node: int
    left: float
    end: float


def lay_out(icicle: Icicle, top: int, width: int, max_depth: int = 1024) -> list[list[Box]]:
    """Lay out the tree below `top`, which takes the whole width.

    Args:
        icicle: The tree and its values.
        top: Node of the first row.
        width: Cells.
        max_depth: Rows at most.

    Returns:
        One list of boxes per row, from left to right. Empty if there is nothing to show.
    """
    whole = icicle.value.get(top, 0)
    if whole <= 0 or width <= 0:
        return []
    scale = width / whole
    children, value_of, waiting = icicle
    rows: list[list[Box]] = [[Box(0, width, top, "frame", whole)]]
    level = [_Room(top, 0.0, whole)]
    while level and len(rows) < max_depth:
        row: list[Box] = []
        below: list[_Room] = []
        for node, left, end in level:
            small = 0.0
            for child in children.get(node, ()):
                value = min(value_of[child], end - left)  # callees may claim more than there is
                if value * scale < 1.0:
                    small += value
                    continue
                # Half up, always: round() goes to even and could make a box vanish.
                x0 = int(left * scale + 0.5)
                row.append(Box(x0, int((left + value) * scale + 0.5), child, "frame", value))
                below.append(_Room(child, left, left + value))
                left += value
            wait = min(waiting.get(node, 0.0), end - left)
            if wait * scale >= 1.0:
                row.append(Box(_cell(left, scale), _cell(left + wait, scale), node, "wait", wait))
                left += wait
            small = min(small, end - left)
            if small * scale >= 1.0:
                row.append(Box(_cell(left, scale), _cell(left + small, scale), node, "rest", small))
        if row:
            rows.append(row)
        level = below
    return rows


def _cell(value: float, scale: float) -> int:
    return int(value * scale + 0.5)


def box_at(rows: Sequence[Sequence[Box]], depth: int, x: int) -> Box | None:
    """Return the box at a cell, None between boxes."""
    if not 0 <= depth < len(rows):
        return None
    row = rows[depth]
    index = bisect_right(row, x, key=lambda box: box.x0) - 1
    if index >= 0 and x < row[index].x1:
        return row[index]
    return None


def find_box(rows: Sequence[Sequence[Box]], node: int, kind: str) -> tuple[int, Box] | None:
    """Return (depth, box) of a frame by identity."""
    for depth, row in enumerate(rows):
        for box in row:
            if box.node == node and box.kind == kind:
                return depth, box
    return None


def first_of(rows: Sequence[Sequence[Box]], nodes: Collection[int]) -> tuple[int, Box] | None:
    """Return (depth, box) of the first of some frames: in the topmost row, the widest."""
    for depth, row in enumerate(rows):
        found = [box for box in row if box.kind == "frame" and box.node in nodes]
        if found:
            return depth, max(found, key=lambda box: (box.x1 - box.x0, -box.x0))
    return None


def neighbour(
    rows: Sequence[Sequence[Box]],
    depth: int,
    box: Box,
    move: Literal["up", "down", "left", "right"],
) -> tuple[int, Box] | None:
    """Return the box that an arrow key leads to: caller, widest callee, or sibling."""
    if move in ("left", "right"):
        row = rows[depth]
        index = row.index(box) + (1 if move == "right" else -1)
        return (depth, row[index]) if 0 <= index < len(row) else None
    if move == "up":
        above = box_at(rows, depth - 1, box.x0)
        return (depth - 1, above) if above else None
    if depth + 1 >= len(rows):
        return None
    below = [each for each in rows[depth + 1] if box.x0 <= each.x0 and each.x1 <= box.x1]
    if not below or box.kind != "frame":
        return None
    return depth + 1, max(below, key=lambda each: (each.x1 - each.x0, -each.x0))
