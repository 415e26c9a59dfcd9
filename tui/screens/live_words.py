"""What the live screen says about a picture beside drawing it: spans over it, words on the tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.units import NS_PER_S, format_clock, format_seconds
from perftui.tui import choosing
from perftui.tui.text import clean, shorten_end
from perftui.tui.widgets.time_axis import AxisMap, moment_text
from perftui.tui.widgets.timeline import Overlay, Span

if TYPE_CHECKING:
    from perftui.tui.theme import Paint
    from perftui.tui.view import View
    from perftui.tui.widgets.canvas import Piece


def overlays_of(view: View, axis: AxisMap) -> tuple[Overlay, Overlay]:
    """Return range and cursor for every timeline, and the same with the alerts' spans."""
    selection = view.selection
    cursor = None
    if selection.cursor_ns is not None and axis.t0_ns <= selection.cursor_ns <= axis.t1_ns:
        cursor = axis.clamped(selection.cursor_ns)
    ranges: tuple[Span, ...] = ()
    if selection.range is not None:
        t0, t1 = selection.range
        if t1 > axis.t0_ns and t0 < axis.t1_ns:
            ranges = (Span(axis.clamped(t0), axis.clamped(t1 - 1) + 1, "range_bg"),)
    alerts = tuple(
        Span(
            axis.column(alert.t_onset_ns),
            axis.clamped(alert.t_clear_ns or choosing.shown_end(view)) + 1,
            "bad_bg" if alert.severity == "critical" else "warn_bg",
            f"onset {format_clock(view.seconds(alert.t_onset_ns))}",
        )
        for alert in view.alerts
        if alert.severity != "info" and alert.t_onset_ns < axis.t1_ns
    )
    return Overlay(ranges, cursor), Overlay(alerts + ranges, cursor)


def about(view: View, tab: str, paint: Paint) -> list[Piece]:
    """Say what the tabs are about: weight, thread, filter and range."""
    selection = view.selection
    pieces: list[Piece] = []
    if tab in ("Flame", "Top"):
        pieces.append(("weight: ", paint.dim))
        for weight in choosing.WEIGHTS:
            on = weight == selection.weight
            word = "grown bytes" if weight == "grown" else weight
            pieces.append((word, paint.memory_text if on else paint.dim))
            if weight != choosing.WEIGHTS[-1]:
                pieces.append((" · ", paint.faint))
        if selection.by_line:
            pieces.append(("  by line", paint.link))
    if selection.process is not None:
        pieces.append((f"  process {selection.process}", paint.memory_text))
    if selection.thread is not None:
        names = {(t.pid, t.tid): t.name for t in view.threads}
        name = names.get(selection.thread, str(selection.thread[1]))
        pieces.append((f"  {shorten_end(clean(name), 20)}", paint.link))
    if selection.filter:
        pieces.append((f"  /{shorten_end(clean(selection.filter), 16)}", paint.link))
    if selection.range is not None:
        length = (selection.range[1] - selection.range[0]) / NS_PER_S
        pieces.append((f"  range {format_seconds(length)}", paint.link))
    elif selection.cursor_ns is not None:
        at = moment_text(view.seconds(selection.cursor_ns))
        around = f" ±{selection.around_ns / NS_PER_S:.1f} s" if selection.around_ns else ""
        pieces.append((f"  at {at}{around}", paint.link))
    else:
        pieces.append(("  whole session", paint.dim))
    if pieces and pieces[0][0].startswith("  "):
        pieces[0] = (pieces[0][0][2:], pieces[0][1])
    return pieces
