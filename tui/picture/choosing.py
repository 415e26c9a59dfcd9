"""What the keys do to a `Selection`: pure functions from one choice to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perftui.probes.detect.spikes.spike import what_rose
from perftui.probes.spine.reader import Event
from perftui.tui.picture.selection import AROUND_CURSOR_NS, Selection

if TYPE_CHECKING:
    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.spine.reader import Phase, Reader, Status
    from perftui.tui.picture.axis_map import AxisMap
    from perftui.tui.picture.selection import Weight
    from perftui.tui.picture.view import View

WEIGHTS: tuple[Weight, ...] = ("wall", "cpu", "waiting", "touched", "grown")
GROWTH = ("mem_growth", "streaming_violation", "oom_risk", "rss")
"""Kinds of alerts and spikes that are about memory."""


def shown_end(view: View) -> int:
    """Return the latest moment on the screen: the pause, or the end so far."""
    end = view.status.t_end_ns
    return min(view.selection.paused_at_ns or end, end)


def asked_range(selection: Selection, t_start_ns: int, t_end_ns: int) -> tuple[int, int] | None:
    """Return the range that the tabs are about; None is the whole session."""
    if selection.range is not None:
        return selection.range
    if selection.cursor_ns is None or not selection.around_ns:
        return None
    t0 = max(selection.cursor_ns - selection.around_ns, t_start_ns)
    t1 = min(selection.cursor_ns + selection.around_ns, max(t_end_ns, t_start_ns + 1))
    return min(t0, t1 - 1), t1


def opening(reader: Reader, status: Status) -> Selection:
    """Return what of a recording is shown first: all of it, marked where the first alert began."""
    told = reader.alerts(status.t_start_ns, status.t_end_ns + 1)
    onset = min((a.t_onset_ns for a in told if a.severity != "info"), default=status.t_end_ns)
    cursor = min(max(onset, status.t_start_ns), status.t_end_ns)
    return Selection(cursor_ns=cursor, around_ns=0)


def moved_cursor(view: View, axis: AxisMap, columns: int) -> Selection:
    """Move the cursor by columns; it begins at the newest moment and pauses a live view."""
    selection = view.selection
    end = shown_end(view)
    from_ns = end if selection.cursor_ns is None else selection.cursor_ns
    return cursor_at(view, from_ns + columns * axis.step_ns)


def cursor_at(view: View, t_ns: int, around_ns: int = AROUND_CURSOR_NS) -> Selection:
    """Put the cursor on a moment, or the nearest there is; a live view pauses."""
    cursor = min(max(t_ns, view.status.t_start_ns), shown_end(view))
    moved = _paused(view.selection, view).with_(cursor_ns=cursor, around_ns=around_ns)
    return _panned(moved, cursor)


def _paused(selection: Selection, view: View) -> Selection:
    if selection.paused_at_ns is None and view.status.state in ("live", "starting"):
        return selection.with_(paused_at_ns=view.status.t_end_ns)
    return selection


def _panned(selection: Selection, t_ns: int) -> Selection:
    """Move a zoomed axis so that it holds the moment."""
    if selection.axis is None:
        return selection
    t0, t1 = selection.axis
    if t0 <= t_ns < t1:
        return selection
    shift = t_ns - t0 - (t1 - t0) // 4 if t_ns < t0 else t_ns - t1 + (t1 - t0) // 4
    return selection.with_(axis=(t0 + shift, t1 + shift))


def with_range_end(view: View, axis: AxisMap, *, start: bool) -> Selection:
    """Set one end of the range at the cursor, or at the middle of the axis without one."""
    selection = view.selection
    middle = (axis.t0_ns + min(axis.t1_ns, shown_end(view))) // 2
    at = middle if selection.cursor_ns is None else selection.cursor_ns
    first, last = view.status.t_start_ns, shown_end(view)
    old0, old1 = selection.range or (first, last)
    if start:
        t0, t1 = at, old1 if old1 > at else last
    else:
        t0, t1 = old0 if old0 < at else first, at
    return selection.with_(range=(t0, max(t1, t0 + 1)))


def next_thread(view: View, step: int) -> Selection:
    """Go to the next thread with stacks; past the last one come all threads again."""
    threads = sorted((stack.pid, stack.tid) for stack in view.stacks)
    if "stacks" not in view.has:
        threads = sorted((thread.pid, thread.tid) for thread in view.threads if thread.is_python)
    chosen = view.selection.thread
    if chosen is not None and chosen not in threads:
        threads = sorted([*threads, chosen])
    ring = [None, *threads]
    return view.selection.with_(thread=ring[(ring.index(chosen) + step) % len(ring)])


def next_weight(selection: Selection) -> Selection:
    """wall, cpu, grown, wall, ..."""
    index = WEIGHTS.index(selection.weight)
    return selection.with_(weight=WEIGHTS[(index + 1) % len(WEIGHTS)])


def with_span(selection: Selection, kind: str, span: tuple[int, int]) -> Selection:
    """Lay the span of an alert or spike against the time before it, by what it is about."""
    weight: Weight = "grown" if kind in GROWTH else "wall"
    span = (span[0], max(span[1], span[0] + 1))
    return selection.with_(range=span, cursor_ns=None, against=True, weight=weight)


def with_spikes(events: tuple[Event, ...], spikes: tuple[Spike, ...]) -> tuple[Event, ...]:
    """Return events with spikes among them, by time."""
    found = [Event(spike.t0_ns, "spike", f"{what_rose(spike)}  Enter shows it") for spike in spikes]
    return tuple(sorted([*events, *found]))


def at_event(view: View, events: tuple[Event, ...], step: int) -> tuple[Selection, Event] | None:
    """Put the cursor on the next or previous event; None if there is none that way."""
    selection = view.selection
    at = shown_end(view) + 1 if selection.cursor_ns is None else selection.cursor_ns
    if step > 0:
        found = next((event for event in events if event.t_ns > at), None)
    else:
        found = next((event for event in reversed(events) if event.t_ns < at), None)
    if found is None:
        return None
    return cursor_at(view, found.t_ns), found


def at_phase(view: View, phases: tuple[Phase, ...], step: int) -> tuple[Selection, Phase] | None:
    """Put the cursor on the start of the next or previous phase; None if there is none."""
    at = view.selection.cursor_ns
    at = shown_end(view) + 1 if at is None else at
    begun = sorted(phases, key=lambda phase: (phase.t0_ns, phase.depth))
    if step > 0:
        found = next((phase for phase in begun if phase.t0_ns > at), None)
    else:
        found = next((phase for phase in reversed(begun) if phase.t0_ns < at), None)
    return None if found is None else (cursor_at(view, found.t0_ns), found)


def all_cleared(selection: Selection) -> Selection:
    """Forget range and cursor; pause and zoom stay."""
    return replace(selection, range=None, cursor_ns=None, against=False)


def back_to_live(selection: Selection) -> Selection:
    """Follow the session again: no pause, zoom, range or cursor."""
    return replace(
        selection, axis=None, range=None, cursor_ns=None, paused_at_ns=None, against=False
    )
