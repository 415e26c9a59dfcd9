"""Two runs in one chart over one axis: the base as an area, the new one as a line over it.

Area and line are told apart without colour. Pure drawing; the widget only holds the lines.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.style import Style

from perftui.tui.widgets.charts.frame import PlotRow, framed
from perftui.tui.widgets.draw.blocks import BLANK, EMPTY, Cell, hold, stacked
from perftui.tui.widgets.draw.blocks import heights as heights_of
from perftui.tui.widgets.draw.canvas import Canvas, Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.charts.series import Chart

LINE = 1
"""Ink of the line in a picture of cells; 0 is the area's."""
HOLD_COLUMNS = 6


class TwinChart(Canvas):
    """A chart of both runs."""

    DEFAULT_CSS = """
    TwinChart { width: 100%; height: 6; }
    """

    def show(self, lines: Sequence[Strip]) -> None:
        """Show what `twin_lines` made."""
        self.put(list(lines))


def twin_picture(
    area: Sequence[float | None], line: Sequence[float | None], top: float, rows: int
) -> list[list[Cell]]:
    """Draw one series as an area and the other as a line over it.

    Returns:
        Rows of cells, the top row first. Where the line crosses the area, its cell has the
        area's ink as ground.
    """
    held = hold(area, HOLD_COLUMNS)
    cells = stacked([heights_of(held, top, rows)], rows)
    before: int | None = None
    for column, height in enumerate(heights_of(hold(line, HOLD_COLUMNS), top, rows)):
        if height == 0:
            before = None
            continue
        from_top, inside = divmod(rows * 8 - height, 8)
        char = "▔" if inside <= 2 else "━" if inside <= 5 else "▁"
        if before is not None and abs(from_top - before) > 1:
            low, high = sorted((from_top, before))
            for row in range(low + 1, high):
                _over(cells, row, column, "│")
        _over(cells, from_top, column, char)
        before = from_top
    return cells


def _over(cells: list[list[Cell]], row: int, column: int, char: str) -> None:
    below = cells[row][column]
    filled = below.char in "▅▆▇█"
    cells[row][column] = Cell(char, LINE, below.ink if filled else EMPTY)


def twin_lines(
    chart: Chart,
    series: tuple[Sequence[float | None], Sequence[float | None]],
    left: int,
    paint: Paint,
    size: tuple[int, int],
    *,
    inks: tuple[str, str],
    figures: bool,
    tint: tuple[int, int] | None = None,
) -> list[Strip]:
    """Build all lines of a chart of `size` (width, height) cells, frame included.

    Args:
        chart: Title, value, top, axis and figures; its layers are not drawn.
        series: Area and line, one value per column.
        left: First column of the axis.
        paint: Styles.
        size: Cells.
        inks: Colours of area and line, fields of `Paint`.
        figures: There is room for the figures at the right.
        tint: Columns [first, last) of the series with a tinted ground.
    """
    columns = len(series[0])
    picture = twin_picture(*series, chart.top, size[1] - 2)
    brush = _Brush(paint, inks, tint)
    plot = [PlotRow((), partial(brush.line, cells or [BLANK] * columns)) for cells in picture]
    empty = not any(value is not None for side in series for value in side)
    return framed(chart, plot, (left, columns), paint, size, figures=figures, empty=empty)


class _Brush:
    """Turns cells into styled pieces."""

    def __init__(self, paint: Paint, inks: tuple[str, str], tint: tuple[int, int] | None) -> None:
        self._inks = [paint.named(ink) for ink in inks]
        self._tint = tint or (0, 0)
        self._ground = paint.range_bg

    def line(self, cells: Sequence[Cell]) -> list[Piece]:
        pieces: list[Piece] = []
        for column, cell in enumerate(cells):
            style = self._inks[cell.ink] if cell.ink != EMPTY else None
            if cell.ground != EMPTY:
                behind = Style(bgcolor=self._inks[cell.ground].color)
                style = behind if style is None else style + behind
            elif self._tint[0] <= column < self._tint[1]:
                style = self._ground if style is None else style + self._ground
            pieces.append((cell.char, style))
        return pieces
