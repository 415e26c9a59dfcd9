"""A figure over results as a chart of text: a dot a result, a line at the level it belongs to."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEAST_HEIGHT = 3


class Signs(NamedTuple):
    """What a chart is drawn with."""

    dot: str
    level: str
    change: str
    axis: str


UNICODE = Signs("●", "─", "╎", "│")
ASCII = Signs("o", "-", ":", "|")


def chart(
    values: Sequence[float | None],
    changes: Sequence[int],
    write: Callable[[float], str],
    *,
    width: int,
    height: int,
    signs: Signs = UNICODE,
) -> list[str]:
    """Return the lines of a chart; none without a value.

    Args:
        values: A result each, in the order of time; None leaves a gap.
        changes: Indexes at which a new level begins; a line is drawn before it.
        write: Writes a value with its unit, for the axis.
        width: Cells of a whole line. Of more results than there is room for, the newest are drawn.
        height: Lines.
        signs: With what.
    """
    known = [value for value in values if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    if high - low < 0.05 * abs(high):  # a flat line, and not noise made large
        middle, half = (low + high) / 2, 0.025 * abs(high) or 1.0
        low, high = middle - half, middle + half
    labels = [write(high), write((low + high) / 2), write(low)]
    room = max(map(len, labels)) + 2
    step = 2 if len(values) * 2 <= width - room else 1
    first = max(len(values) - (width - room) // step, 0)
    columns = len(values) - first
    grid = [[" "] * (columns * step) for _ in range(height)]

    def row_of(value: float) -> int:
        return round((high - value) / (high - low) * (height - 1))

    _draw_levels(grid, values, changes, first, step, row_of, signs)
    for index in range(first, len(values)):
        value = values[index]
        if value is not None:
            grid[row_of(value)][(index - first) * step] = signs.dot
    marked = {0: labels[0], (height - 1) // 2: labels[1], height - 1: labels[2]}
    return [
        f"{marked.get(number, ''):>{room - 2}} {signs.axis}{''.join(cells)}".rstrip()
        for number, cells in enumerate(grid)
    ]


def _draw_levels(
    grid: list[list[str]],
    values: Sequence[float | None],
    changes: Sequence[int],
    first: int,
    step: int,
    row_of: Callable[[float], int],
    signs: Signs,
) -> None:
    edges = [0, *changes, len(values)]
    for begin, end in itertools.pairwise(edges):
        inside = sorted(value for value in values[begin:end] if value is not None)
        if inside:
            row = row_of(inside[len(inside) // 2])
            for index in range(max(begin, first), end):
                for cell in range((index - first) * step, (index - first + 1) * step):
                    grid[row][cell] = signs.level
    if step == 2:  # between two results there is room for it
        for at in changes:
            if at > first:
                for cells in grid:
                    cells[(at - first) * step - 1] = signs.change
