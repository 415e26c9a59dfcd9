"""What stands around the plot of a chart: title line, y axis, figures and frame. Pure drawing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from perftui.tui.text.fit import shorten_end
from perftui.tui.widgets.charts.facts import FACTS_WIDTH, fact_pieces
from perftui.tui.widgets.draw.canvas import Piece, cells_of, strip_of
from perftui.tui.widgets.draw.kept_lines import KeptLines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.strip import Strip

    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.charts.facts import Fact
    from perftui.tui.widgets.charts.series import Chart


class PlotRow(NamedTuple):
    """One row of a plot."""

    made_of: tuple[object, ...]
    """All that it depends on, but the styles."""
    draw: Callable[[], list[Piece]]


def framed(
    chart: Chart,
    plot: Iterable[PlotRow],
    axis: tuple[int, int],
    paint: Paint,
    size: tuple[int, int],
    *,
    figures: bool,
    empty: bool,
    kept: KeptLines | None = None,
) -> list[Strip]:
    """Build all lines of a chart of `size` (width, height) cells.

    Args:
        chart: Title, value, top, axis and figures; its layers are not drawn.
        plot: The rows of the plot, `height - 2` of them, the top row first.
        axis: (first column of the plot, its columns).
        paint: Styles.
        size: Cells, frame included.
        figures: There is room for the figures at the right.
        empty: There is nothing in the plot; the chart says so instead of its middle row.
        kept: Lines of the picture before.
    """
    width, height = size
    rows = height - 2
    labels = axis_labels(chart, rows)
    kept = KeptLines() if kept is None else kept
    said = (chart.title, chart.value, chart.value_colour, chart.note, chart.note_colour)
    made_of: tuple[object, ...] = (said, chart.legend, chart.aside, width, paint)
    lines = [kept.line(-1, made_of, lambda: strip_of(top_line(chart, width, paint)))]
    for row, drawn in enumerate(plot):
        label = labels.get(row, "")
        fact = chart.facts[row] if row < len(chart.facts) else None
        instead = chart.empty if empty and row == rows // 2 else None
        made_of = (drawn.made_of, label, fact, instead, axis, width, figures, paint)
        draw = partial(_row, drawn, label, fact, instead, axis, width, paint, figures=figures)
        lines.append(kept.line(row, made_of, draw))
    lines.append(strip_of([("╰" + "─" * (width - 2) + "╯", paint.faint)]))
    return lines


def _row(
    drawn: PlotRow,
    label: str,
    fact: Fact | None,
    instead: str | None,
    axis: tuple[int, int],
    width: int,
    paint: Paint,
    *,
    figures: bool,
) -> Strip:
    """Build a row with its label, its figure and the frame around it."""
    left, columns = axis
    pieces: list[Piece] = [("│", paint.faint)]
    pieces.append((label.rjust(left - 2)[: left - 2], paint.dim))
    pieces.append((" ", None))
    if instead is not None:
        pieces.append((shorten_end(instead, columns).ljust(columns), paint.dim))
    else:
        pieces += drawn.draw()
    rest = width - left - columns - 1
    if figures and rest > FACTS_WIDTH:
        pieces.append((" " * (rest - FACTS_WIDTH - 1), None))
        pieces += fact_pieces(fact, FACTS_WIDTH, paint)
        pieces.append((" ", None))
    else:
        pieces.append((" " * max(rest, 0), None))
    pieces.append(("│", paint.faint))
    return strip_of(pieces)


def axis_labels(chart: Chart, rows: int) -> dict[int, str]:
    """Return the y labels by row: the top, 0 at the bottom, and steps between if they fit."""
    labels = {rows - 1: chart.axis_text(0.0)}
    if rows < 2:
        return {0: chart.axis_text(chart.top)}
    for parts in (4, 3, 2, 1):
        if parts == 1 or (rows >= parts * 3 and _exact(chart, parts)):
            break
    for part in range(1, parts + 1):
        # A label stands in the row whose upper edge is its value, the top one in row 0.
        row = round(rows * (1 - part / parts))
        text = chart.axis_text(chart.top * part / parts)
        if row not in labels and text not in labels.values():
            labels[row] = text
    return labels


def _exact(chart: Chart, parts: int) -> bool:
    """Tell whether the labels of an axis in so many parts are true as they are written."""
    try:
        whole, part = (
            float(chart.axis_text(value).split()[0]) for value in (chart.top, chart.top / parts)
        )
    except ValueError:
        return False
    return abs(part * parts - whole) < 1e-6 * whole


def top_line(chart: Chart, width: int, paint: Paint) -> list[Piece]:
    """Build `╭─ RSS ─ 1.18 GB ▲ +82 MB/s ──── ■ heap ■ DuckDB ─╮`."""
    left: list[Piece] = [("╭─ ", paint.faint), (chart.title, paint.bright)]
    if chart.value:
        left += [(" ─ ", paint.faint), (chart.value, paint.named(chart.value_colour))]
    if chart.note:
        left += [(" ", None), (chart.note, paint.named(chart.note_colour))]
    left.append((" ", None))
    right: list[Piece] = []
    for name, colour in chart.legend:
        right += [("■ ", paint.named(colour)), (f"{name} ", paint.dim)]
    if chart.aside:
        right.append((f"{chart.aside} ", paint.dim))
    if right:
        right.insert(0, (" ", None))
    used = cells_of(left)
    legend = cells_of(right)
    if used + legend + 4 > width:
        right, legend = [], 0
    if used + 2 > width:
        text = shorten_end("".join(text for text, _ in left), width - 1)
        return [(text.ljust(width - 1), paint.dim), ("╮", paint.faint)]
    tail: Piece = ("─╮", paint.faint)
    line = "─" * (width - used - legend - 2)
    return [*left, (line, paint.faint), *right, tail]
