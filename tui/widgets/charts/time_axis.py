"""The one time axis below all timelines: ticks, the range, the cursor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_clock
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from rich.style import Style
    from textual.strip import Strip

    from perftui.tui.picture.axis_map import AxisMap
    from perftui.tui.picture.view import View
    from perftui.tui.terminal.theme import Paint


_TICKS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60)
_ZOOMED = " zoomed"
"""Stands left of an axis that does not show the whole session."""
_TICKS_LONG_S = (120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def tick_step_s(span_s: float, ticks: int) -> float:
    """Return a round step that puts at most `ticks` labels on the axis."""
    least = span_s / max(ticks, 1)
    for step in (*_TICKS_S, *_TICKS_LONG_S):
        if step >= least:
            return float(step)
    return math.ceil(least / 86400) * 86400.0


def tick_text(seconds: float, step_s: float) -> str:
    """Name a moment with no more digits than its neighbours need."""
    digits = 0 if step_s >= 1 else min(max(-math.floor(math.log10(step_s)), 1), 3)
    return format_clock(round(seconds, 3), digits)


def moment_text(seconds: float) -> str:
    """Name a moment that somebody chose: as the header and the axis do, one form for all."""
    return format_clock(seconds, 3) if 0 < round(seconds, 3) < 1 else format_clock(seconds)


def start_text(seconds: float) -> str:
    """Name a moment at which something began, in a table: imports may be milliseconds apart."""
    return format_clock(seconds, 2 if seconds < 3600 else 0)


def ticks_of(view: View, axis: AxisMap) -> list[tuple[int, str]]:
    """Return (column, label) of the ticks of an axis."""
    span_s = (axis.t1_ns - axis.t0_ns) / NS_PER_S
    step = tick_step_s(span_s, max(axis.columns // 16, 2))
    first = math.ceil(view.seconds(axis.t0_ns) / step - 1e-9) * step
    ticks: list[tuple[int, str]] = []
    origin = view.status.t_start_ns
    while (t_ns := origin + round(first * NS_PER_S)) <= axis.t1_ns and len(ticks) < 64:
        ticks.append((axis.column(t_ns), tick_text(first, step)))
        first += step
    return ticks


class TimeAxis(Canvas):
    """Ticks, "now", the range in brackets and the cursor."""

    DEFAULT_CSS = """
    TimeAxis { height: 1; width: 100%; }
    """

    def show(self, view: View, axis: AxisMap, width: int, paint: Paint) -> None:
        """Draw the axis of a picture."""
        self.put([axis_line(view, axis, width, paint)])


def axis_line(view: View, axis: AxisMap, width: int, paint: Paint) -> Strip:
    """Build the line: later things are written over earlier ones."""
    blank: Piece = (" ", None)
    cells: list[Piece] = [blank] * max(width, 0)

    def write(column: int, text: str, style: Style, *, free: bool = False) -> bool:
        column = max(min(column, axis.left + axis.columns - len(text)), axis.left)
        end = max(min(column + len(text), width), column)
        around = cells[max(column - 1, 0) : end + 1]
        if free and around.count(blank) < len(around):
            return False
        cells[column:end] = [(char, style) for char in text[: end - column]]
        return True

    origin = view.status.t_start_ns
    selection = view.selection
    marked: list[int] = []
    if selection.range is not None:
        t0, t1 = selection.range
        if t1 > axis.t0_ns and t0 < axis.t1_ns:
            left, right = axis.clamped(t0), axis.clamped(max(t1 - 1, t0))
            marked += [left, right]
            _write_range(cells, view, (left, right), axis, paint)
    if selection.cursor_ns is not None and axis.t0_ns <= selection.cursor_ns <= axis.t1_ns:
        column = axis.clamped(selection.cursor_ns)
        text = f"▲ {moment_text(view.seconds(selection.cursor_ns))}"
        if column + len(text) > axis.left + axis.columns:
            text = f"{text[2:]} ▲"
            column -= len(text) - 1
        if not write(column, text, paint.link, free=True):
            ground = cells[axis.clamped(selection.cursor_ns)][1]
            write(axis.clamped(selection.cursor_ns), "▲", (ground or paint.link) + paint.link)
    shown = selection.paused_at_ns or view.status.t_end_ns
    if selection.axis is None and view.status.state in ("live", "starting"):
        word = "now" if selection.paused_at_ns is None else "paused"
        write(axis.clamped(shown) - len(word) + 1, word, paint.link, free=True)
    if axis.t0_ns > origin or (selection.axis is not None and axis.t1_ns < view.status.t_end_ns):
        for offset, char in enumerate(_ZOOMED[: axis.left]):
            cells[offset] = (char, paint.link)
    for column, text in ticks_of(view, axis):
        if column + len(text) <= axis.left + axis.columns:
            write(column, text, paint.dim, free=True)
    return strip_of(cells)


def _write_range(
    cells: list[Piece],
    view: View,
    columns: tuple[int, int],
    axis: AxisMap,
    paint: Paint,
) -> None:
    """Write `[ 11.4 s      16.9 s ]`, with the ends outside if the range is too narrow."""
    assert view.selection.range is not None
    left, right = columns
    t0, t1 = (moment_text(view.seconds(t)) for t in view.selection.range)
    style = paint.link + paint.range_bg
    wide = right - left + 1
    if wide >= len(t0) + len(t1) + 6:
        inner = f"[ {t0}".ljust(wide - len(t1) - 2) + f"{t1} ]"
    elif wide >= 2:
        inner = "[" + " " * (wide - 2) + "]"
    else:
        inner = "│"
    for offset, char in enumerate(inner):
        cells[left + offset] = (char, style)
    if wide < len(t0) + len(t1) + 6:
        label = f"{t0} – {t1}"
        start = right + 2
        if start + len(label) > axis.left + axis.columns:
            start = left - 1 - len(label)
        if start >= axis.left:
            for offset, char in enumerate(label):
                cells[start + offset] = (char, paint.link)
