"""One timeline: frame, y axis, areas in eighths, spans, cursor and the figures at its right.

Mouse: a drag selects a range, a click sets the cursor, the wheel zooms. What is kept and posted
are moments, not columns, so that a resize or a growing session moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, repeat
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style
from textual.message import Message

from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.text.fit import shorten_end, width_of
from perftui.tui.widgets.charts.frame import PlotRow, framed
from perftui.tui.widgets.draw.blocks import BLANK, EMPTY, Cell, heights, stacked
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.charts.series import Chart
    from perftui.tui.widgets.draw.kept_lines import KeptLines


class Span(NamedTuple):
    """A tinted stretch of the background, in columns of the line [left, right)."""

    left: int
    right: int
    tint: str
    """A field of `Paint`: bad_bg, warn_bg, range_bg, ..."""
    label: str = ""
    """Written at its left end in the top row, where nothing else is drawn."""


class ChartSign(NamedTuple):
    """A sign in the top row, over whatever is drawn there."""

    column: int
    sign: str
    colour: str
    """A field of `Paint`."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What lies over all timelines alike."""

    spans: tuple[Span, ...] = ()
    cursor: int | None = None
    marks: tuple[ChartSign, ...] = ()


class Timeline(Canvas):
    """A chart over the shared time axis."""

    DEFAULT_CSS = """
    Timeline { width: 100%; height: 5; }
    """

    class RangeChosen(Message):
        """A range was dragged; `done` when the button was let go."""

        def __init__(self, t0_ns: int, t1_ns: int, done: bool) -> None:
            super().__init__()
            self.t0_ns, self.t1_ns, self.done = t0_ns, t1_ns, done

    class MomentChosen(Message):
        """A moment was clicked."""

        def __init__(self, timeline: Timeline, t_ns: int) -> None:
            super().__init__()
            self.timeline = timeline
            self.t_ns = t_ns

    class Zoomed(Message):
        """The wheel turned over a moment: zoom in (factor < 1) or out around it."""

        def __init__(self, t_ns: int, factor: float) -> None:
            super().__init__()
            self.t_ns, self.factor = t_ns, factor

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._axis = AxisMap(0, 1, 0, 1)
        self._pressed: tuple[int, int] | None = None
        """(column, moment) where the button went down."""
        self._dragged = False

    def show(
        self,
        chart: Chart,
        axis: AxisMap,
        overlay: Overlay,
        paint: Paint,
        size: tuple[int, int],
        *,
        figures: bool,
    ) -> None:
        """Draw a chart of `size` (width, height) cells, frame included."""
        self._axis = axis
        if self.app.no_color:
            chart = silhouette(chart)
        if size[1] == 1:
            self.put([strip_line(chart, axis, overlay, paint, size[0])])
        elif size[0] > 4 and size[1] > 2:
            kept = self._kept
            self.put(chart_lines(chart, axis, overlay, paint, size, figures=figures, kept=kept))

    def _moment(self, event: events.MouseEvent) -> tuple[int, int]:
        column = int(event.x)
        return column, self._axis.time(column)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a drag, or a click."""
        column, t_ns = self._moment(event)
        inside = self._axis.left <= column < self._axis.left + self._axis.columns
        if event.button == 1 and inside:
            self.capture_mouse()
            self._pressed = (column, t_ns)
            self._dragged = False
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow a drag."""
        if self._pressed is None:
            return
        column, _ = self._moment(event)
        if column != self._pressed[0] or self._dragged:
            self._dragged = True
            self.post_message(self.RangeChosen(*self._dragged_range(column), done=False))
        event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End a drag, or a click."""
        if self._pressed is None:
            return
        self.release_mouse()
        column, _ = self._moment(event)
        _, t_ns = self._pressed
        if self._dragged:
            self.post_message(self.RangeChosen(*self._dragged_range(column), done=True))
        else:
            self.post_message(self.MomentChosen(self, t_ns))
        self._pressed = None
        event.stop()

    def _dragged_range(self, column: int) -> tuple[int, int]:
        """Return the range from the press to a column, both columns included."""
        assert self._pressed is not None
        pressed = self._axis.clamped(self._pressed[1])
        column = min(max(column, self._axis.left), self._axis.left + self._axis.columns - 1)
        left, right = sorted((pressed, column))
        return self._axis.edge(left), self._axis.edge(right + 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in."""
        self.post_message(self.Zoomed(self._moment(event)[1], 0.8))
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        self.post_message(self.Zoomed(self._moment(event)[1], 1.25))
        event.stop()


def silhouette(chart: Chart) -> Chart:
    """Return the chart as one area: layers on each other cannot be told apart without colour."""
    return replace(chart, layers=chart.layers[-1:], legend=())


def chart_lines(
    chart: Chart,
    axis: AxisMap,
    overlay: Overlay,
    paint: Paint,
    size: tuple[int, int],
    *,
    figures: bool,
    kept: KeptLines | None = None,
) -> list[Strip]:
    """Build all lines of a timeline of `size` (width, height) cells, but those that are `kept`."""
    rows = size[1] - 2
    edges = [heights(layer.edge, chart.top, rows) for layer in chart.layers]
    picture = stacked(edges, rows) if edges else [[] for _ in range(rows)]
    brush = _Brush(chart, axis, overlay, paint)
    plot = [brush.row(cells, top=row == 0) for row, cells in enumerate(picture)]
    empty = bool(chart.empty) and not any(any(edge) for edge in edges)
    place = (axis.left, axis.columns)
    return framed(chart, plot, place, paint, size, figures=figures, empty=empty, kept=kept)


def strip_line(chart: Chart, axis: AxisMap, overlay: Overlay, paint: Paint, width: int) -> Strip:
    """Build a timeline of one line: its name and value at the left, and no frame."""
    edges = [heights(layer.edge, chart.top, 1) for layer in chart.layers[-1:]]
    cells = stacked(edges, 1)[0] if edges else []
    brush = _Brush(replace(chart, layers=chart.layers[-1:]), axis, overlay, paint)
    room = axis.left - 1
    title = shorten_end(chart.title, room - 1)
    value = shorten_end(chart.value, max(room - 2 - width_of(title), 0))
    gap = max(room - 1 - width_of(title) - width_of(value), 0)
    ink = paint.named(chart.value_colour)
    pieces: list[Piece] = [(" ", None), (title, paint.dim), (" " * gap, None), (value, ink)]
    pieces.append((" ", None))
    pieces += brush.line(cells, top=False)
    pieces.append((" " * max(width - axis.left - axis.columns, 0), None))
    return strip_of(pieces)


class _Brush:
    """Turns cells of a picture into styled pieces, with spans and cursor behind them."""

    def __init__(self, chart: Chart, axis: AxisMap, overlay: Overlay, paint: Paint) -> None:
        self._axis = axis
        self._inks = [paint.named(layer.colour) for layer in chart.layers]
        self._paint = paint
        self._overlay = overlay
        self._styles: dict[tuple[int, int, str | None], Style | None] = {}
        self._tints: list[str | None] = [None] * axis.columns
        for span in overlay.spans:
            for column in range(
                max(span.left - axis.left, 0), min(span.right - axis.left, axis.columns)
            ):
                self._tints[column] = span.tint
        self._cursor = None if overlay.cursor is None else overlay.cursor - axis.left

    def row(self, cells: list[Cell], *, top: bool) -> PlotRow:
        """Return a row of a plot."""
        over = self._overlay if top else None
        made_of = (cells, self._tints, self._cursor, self._inks, over)
        return PlotRow(made_of, partial(self.line, cells, top=top))

    def line(self, cells: list[Cell], *, top: bool) -> list[Piece]:
        """Return the pieces of one row."""
        columns = self._axis.columns
        cells = [*cells[:columns], *repeat(BLANK, columns - len(cells))]
        labels = self._labels(cells) if top else {}
        special = {column for column in (self._cursor,) if column is not None}.union(labels)
        pieces: list[Piece] = []
        done = 0
        for column in sorted(column for column in special if 0 <= column < columns):
            pieces += self._plain(cells, done, column)
            cell, tint = cells[column], self._tints[column]
            if column == self._cursor:
                pieces.append(self._cursor_piece(cell, tint))
            else:
                text, ink = labels[column]
                under = tint is not None and ink.bgcolor is None
                pieces.append((text, ink + self._paint.named(tint) if under and tint else ink))
            done = column + 1
        return pieces + self._plain(cells, done, columns)

    def _plain(self, cells: list[Cell], first: int, end: int) -> list[Piece]:
        """Return the pieces of columns [first, end) without a sign: one for equal neighbours."""
        pieces: list[Piece] = []
        for (cell, tint), run in groupby(
            zip(cells[first:end], self._tints[first:end], strict=True)
        ):
            key = (cell.ink, cell.ground, tint)
            if key not in self._styles:
                self._styles[key] = self._style(*key)
            pieces.append((cell.char * len([*run]), self._styles[key]))
        return pieces

    def _style(self, ink: int, ground: int, tint: str | None) -> Style | None:
        style = self._inks[ink] if ink != EMPTY else None
        if ground != EMPTY:
            behind = Style(bgcolor=self._inks[ground].color)
        elif tint is not None:
            behind = self._paint.named(tint)
        else:
            return style
        return behind if style is None else style + behind

    def _cursor_piece(self, cell: Cell, tint: str | None) -> Piece:
        if cell.ink == EMPTY:
            style = self._paint.link
            return "│", style + self._paint.named(tint) if tint else style
        if cell.char == "█":  # a thin line through the area
            return "│", self._paint.on_area + Style(bgcolor=self._inks[cell.ink].color)
        return cell.char, self._style(cell.ink, cell.ground, tint)

    def _labels(self, cells: list[Cell]) -> dict[int, tuple[str, Style]]:
        """Place the labels of spans where the top row is free."""
        placed: dict[int, tuple[str, Style]] = {}
        for span in self._overlay.spans:
            if not span.label or span.left < self._axis.left:
                continue
            left = span.left - self._axis.left
            text = "▏" + span.label
            style = {"bad_bg": self._paint.bad, "warn_bg": self._paint.warn}.get(span.tint)
            style = self._paint.dim if style is None else style
            for offset, char in enumerate(text):
                column = left + offset
                if column >= len(cells) or cells[column].ink != EMPTY or column in placed:
                    break
                placed[column] = (char, style)
        for mark in self._overlay.marks:
            column = mark.column - self._axis.left
            if 0 <= column < len(cells):
                style = self._paint.named(mark.colour)
                cell = cells[column]
                if cell.ink != EMPTY and cell.char == "█":
                    style = self._paint.on_area + Style(bgcolor=self._inks[cell.ink].color)
                placed[column] = (mark.sign, style)
        return placed
