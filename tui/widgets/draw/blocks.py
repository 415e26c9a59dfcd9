"""Areas in eighths of a cell: values in, rows of cells out. Pure: no widget, no colour.

A cell is (character, ink, ground): ink and ground are the layers, bottom layer 0, that colour
its foreground and background, EMPTY for nothing. Where one layer ends inside a cell and the
next goes on above it, the lower one is drawn as an eighth block on the ground of the upper one.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

EIGHTHS = " ▁▂▃▄▅▆▇█"
EMPTY = -1


class Cell(NamedTuple):
    """One cell of a chart."""

    char: str
    ink: int
    ground: int


BLANK = Cell(" ", EMPTY, EMPTY)


def eighths(value: float | None, top: float, rows: int) -> int:
    """Return the height of a value in eighths of a row; something above 0 is never invisible."""
    if value is None or top <= 0 or not math.isfinite(value) or value <= 0:
        return 0
    full = rows * 8
    return max(1, min(full, round(value / top * full)))


class KnownHeights(dict["float | None", int]):
    """Heights in eighths by value, of one axis: `eighths`, asked once for every value.

    From one picture to the next nearly all values of a line are the same.
    """

    def __init__(self, top: float, rows: int) -> None:
        super().__init__()
        self._top, self._rows = top, rows

    def __missing__(self, value: float | None) -> int:
        """Find the height of a value, and keep it."""
        if len(self) >= _MOST_HEIGHTS:
            self.clear()
        height = self[value] = eighths(value, self._top, self._rows)
        return height


_MOST_HEIGHTS = 4096


@lru_cache(maxsize=16)
def _scale(top: float, rows: int) -> KnownHeights:
    """Return what knows the heights of an axis."""
    return KnownHeights(top, rows)


def heights(values: Sequence[float | None], top: float, rows: int) -> list[int]:
    """Return the height of every value in eighths: `eighths` for a whole line at once."""
    scale = _scale(top, rows)
    return [scale[value] for value in values]


def stacked(edges: Sequence[Sequence[int]], rows: int) -> list[list[Cell]]:
    """Draw layers above each other.

    Args:
        edges: Per layer, bottom first, its upper edge in eighths for each column; an edge below
            the one before it counts as equal (the layer is not to be seen there).
        rows: Height in cells.

    Returns:
        Rows of cells, the top row first.
    """
    columns = [column(edge, rows) for edge in zip(*edges, strict=True)]
    return [list(line) for line in zip(*columns, strict=True)] or [[] for _ in range(rows)]


@lru_cache(maxsize=4096)
def column(edges: tuple[int, ...], rows: int) -> tuple[Cell, ...]:
    """Draw one column, the top row first. Most columns of a picture were in the one before."""
    cells = [BLANK] * rows
    bottom = 0
    for layer, edge in enumerate(edges):
        edge = min(edge, rows * 8)
        if edge > bottom:
            _fill(cells, layer, bottom, edge)
            bottom = edge
    return tuple(reversed(cells))


@lru_cache(maxsize=1024)
def _cell(char: str, ink: int, ground: int) -> Cell:
    """Return the one object for such a cell: equal neighbours are found by identity."""
    return Cell(char, ink, ground)


def _fill(cells: list[Cell], layer: int, bottom: int, edge: int) -> None:
    """Draw one layer from `bottom` to `edge` eighths into the cells of a column, lowest first."""
    first, inside = divmod(bottom, 8)
    last, rest = divmod(edge, 8)
    if inside:
        # The cell begins with a lower layer. This one becomes the ground behind it if it
        # reaches the cell's end; else a cell has no third colour, and the larger part wins.
        below = cells[first]
        if edge >= (first + 1) * 8:
            cells[first] = _cell(below.char, below.ink, layer)
        elif rest - inside > inside:
            cells[first] = _cell(EIGHTHS[rest], layer, EMPTY)
        first += 1
    for row in range(first, last):
        cells[row] = _cell("█", layer, EMPTY)
    if rest and last >= first:
        cells[last] = _cell(EIGHTHS[rest], layer, EMPTY)


_STEPS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.4, 3.0, 3.6, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)


def nice_top(value: float) -> float:
    """Return a round number at or a little above `value` to end an axis with."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    for step in _STEPS:
        if step * power >= value * 0.9999:
            return step * power
    return 10 * power


def hold(values: Sequence[float | None], most: int) -> list[float | None]:
    """Repeat the last value over holes of at most `most` columns.

    Sampling is coarser than a column when zoomed in; a longer hole means that nothing was
    measured, and stays one.
    """
    held: list[float | None] = list(values)
    if None not in held:
        return held
    last: float | None = None
    hole = 0
    for index, value in enumerate(values):
        if value is not None:
            if last is not None and 0 < hole <= most:
                held[index - hole : index] = [last] * hole
            last, hole = value, 0
        else:
            hole += 1
    return held


def hold_until(values: Sequence[float | None], end: int, most: int) -> list[float | None]:
    """As `hold`, and carry the newest value on to column `end` (now) if it is that young."""
    newest = len(values) - 1
    while newest >= 0 and values[newest] is None:
        newest -= 1
    held = [*hold(values[: newest + 1], most), *values[newest + 1 :]]
    if 0 <= newest < end and end - newest <= most + 1:
        stop = min(end, len(held) - 1)
        held[newest + 1 : stop + 1] = [held[newest]] * (stop - newest)
    return held
