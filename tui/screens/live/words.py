"""What the live screen says about a picture beside drawing it: spans over it, words on the tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_clock, format_seconds
from perftui.tui.picture import choosing
from perftui.tui.screens.live.panes import FLAME
from perftui.tui.text.fit import clean, shorten_end
from perftui.tui.widgets.charts.time_axis import moment_text
from perftui.tui.widgets.charts.timeline import ChartSign, Overlay, Span

if TYPE_CHECKING:
    from perftui.probes.spine.records import Alert
    from perftui.tui.picture.axis_map import AxisMap
    from perftui.tui.picture.view import View
    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.draw.canvas import Piece


def loud_alerts(view: View) -> tuple[Alert, ...]:
    """Return the alerts that are more than a mark."""
    return tuple(alert for alert in view.alerts if alert.severity != "info")


def overlays_of(view: View, axis: AxisMap) -> tuple[Overlay, Overlay]:
    """Return spans, range and cursor for every timeline, and for the first with words and marks.

    An alert tints the time from its onset on, grey once it has cleared; what is of severity info
    is a mark, and so is a spike.
    """
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
            _tint(alert, selection.cursor_ns),
            f"onset {format_clock(view.seconds(alert.t_onset_ns))}",
        )
        for alert in loud_alerts(view)
        if alert.t_onset_ns < axis.t1_ns
        and (alert.t_clear_ns is None or alert.t_clear_ns > axis.t0_ns)
    )
    plain = tuple(span._replace(label="") for span in alerts)
    readable = _readable(alerts)
    taken = {
        column
        for span in readable
        if span.label
        for column in range(span.left, span.left + len(span.label) + 1)
    }
    # A sign in the middle of a word would make it unreadable; `n` and `p` still go there.
    marks = tuple(mark for mark in marks_of(view, axis) if mark.column not in taken)
    return Overlay(plain + ranges, cursor), Overlay(readable + ranges, cursor, marks)


def _readable(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Leave out the labels that would run into the one before."""
    shown: dict[Span, Span] = {}
    free = 0
    for span in sorted(spans, key=lambda each: each.left):
        fits = span.left >= free
        free = span.left + len(span.label) + 2 if fits else free
        shown[span] = span if fits else span._replace(label="")
    return tuple(shown[span] for span in spans)


def _tint(alert: Alert, cursor_ns: int | None) -> str:
    """Return the colour of a span: grey once it has cleared, as seen from the cursor."""
    clear_ns = alert.t_clear_ns
    inside = cursor_ns is not None and clear_ns is not None and cursor_ns < clear_ns
    if clear_ns is not None and not (inside and alert.t_onset_ns <= (cursor_ns or 0)):
        return "cleared_bg"
    return "bad_bg" if alert.severity == "critical" else "warn_bg"


def marks_of(view: View, axis: AxisMap) -> tuple[ChartSign, ...]:
    """Return the marks of spikes and of alerts that are only marks."""
    found = [
        ChartSign(axis.column(alert.t_onset_ns), "·", "dim")
        for alert in view.alerts
        if alert.severity == "info"
    ]
    found += [ChartSign(axis.column(spike.t0_ns), "▾", "bright") for spike in view.spikes]
    return tuple(mark for mark in found if axis.left <= mark.column < axis.left + axis.columns)


def about(view: View, tab: str, paint: Paint, *, brief: bool = False) -> list[Piece]:
    """Say what the tabs are about: weight, thread, filter and range.

    With `brief` only the chosen weight is named, not those that it could be.
    """
    selection = view.selection
    pieces: list[Piece] = []
    if tab in ("Flame", "Top"):
        pieces.append(("weight: ", paint.dim))
        for weight in [selection.weight] if brief else choosing.WEIGHTS:
            on = weight == selection.weight
            word = "grown bytes" if weight == "grown" and brief else weight
            pieces.append((word, paint.memory_text if on else paint.dim))
            if weight != choosing.WEIGHTS[-1] and not brief:
                pieces.append((" · ", paint.faint))
        if selection.by_line:
            pieces.append(("  by line", paint.link))
    if tab == FLAME and selection.inverted:
        pieces.append(("  upside down", paint.link))
    if tab == FLAME and selection.unfold:
        pieces.append(("  all frames", paint.link))
    if selection.process is not None:
        pieces.append((f"  process {selection.process}", paint.memory_text))
    if selection.thread is not None:
        names = {(t.pid, t.tid): t.name for t in view.threads}
        name = names.get(selection.thread, str(selection.thread[1]))
        pieces.append((f"  {shorten_end(clean(name), 20)}", paint.link))
    elif selection.group is not None:
        pieces.append((f"  {shorten_end(clean(selection.group[0]), 24)}", paint.link))
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
