"""What the live screen does about time: pause, play, cursor, range, jumps. Live and replayed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.screen import Screen

from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.picture import choosing
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.picture.moments import Span, parse_moment
from perftui.tui.picture.play_clock import PlayClock, speed_text
from perftui.tui.picture.selection import AROUND_CURSOR_NS, Selection
from perftui.tui.picture.view import TIMELINE_MIN_NS, View
from perftui.tui.screens.live.layout import zoomed_axis
from perftui.tui.session.face import Recorded
from perftui.tui.text.fit import clean
from perftui.tui.widgets.bars.banner import Note, Tone
from perftui.tui.widgets.charts.time_axis import moment_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from typing import TypeVar

    from textual.widget import Widget

    from perftui.probes.spine.reader import Reader
    from perftui.tui.screens.live.layout import Layout
    from perftui.tui.session.face import LiveSession
    from perftui.tui.widgets.bars.go_bar import GoBar
    from perftui.tui.widgets.charts.timeline import Timeline
    from perftui.tui.widgets.panes.heat import HeatPane

    T = TypeVar("T")

ANSWER_S = 4.0
REFRESH_MOST_HZ = 10
SAMPLE_NS = NS_PER_S // 20
"""Metrics come 20 times a second."""


class TimeActions(Screen[None]):
    """One part of the live screen; `LiveScreen` has it all."""

    session: LiveSession
    selection: Selection
    view: View | None
    refresh_hz: int
    play: PlayClock
    _pool: ThreadPoolExecutor
    _layout_now: Layout | None
    _answer: tuple[Note, float] | None
    _go_bar: Widget | None

    def choose(self, selection: Selection) -> None:
        """Take over a new selection and draw it at once."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw the picture that is there, in the rows that are needed now."""
        raise NotImplementedError

    # -- answers ---------------------------------------------------------------------------

    def say(self, text: str, tone: Tone = "calm") -> None:
        """Answer a key in the banner, for a few seconds."""
        self._answer = (Note(tone, "·", "", clean(text)), time.monotonic() + ANSWER_S)
        self.redraw()
        self.set_timer(ANSWER_S + 0.05, self.redraw)

    async def off_thread(self, call: Callable[[], object], done: str) -> bool:
        """Make a call of the session on the worker thread and say how it went."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, call)
        except Exception as error:
            self.say(f"{error}" or type(error).__name__, "warn")
            return False
        if done:
            self.say(done)
        return True

    async def _asked_reader(self, question: Callable[[Reader], T]) -> T | None:
        """Ask the reader on the worker thread; None, said in the banner, if it fails."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, question, self.session.reader)
        except Exception as error:
            self.say(f"no answer: {error}", "warn")
            return None

    # -- what is there ---------------------------------------------------------------------

    @property
    def axis(self) -> AxisMap | None:
        """The time axis that is on the screen."""
        if self.view is None or self._layout_now is None:
            return None
        return AxisMap(*self.view.axis, self._layout_now.left, self._layout_now.columns)

    @property
    def replayed(self) -> bool:
        """Whether a recording is shown that does not go on."""
        return self.view is not None and self.view.status.state == "recording"

    @property
    def still(self) -> bool:
        """Whether the time axis belongs to the person: paused, or a recording."""
        return self.selection.paused_at_ns is not None or self.replayed

    def _chosen_view(self, view: View) -> View:
        """Return the picture with the newest choice: keys may come faster than pictures."""
        return replace(view, selection=self.selection)

    def _go(self, t_ns: int) -> None:
        """Put the cursor on a moment; playing goes on from there."""
        if self.view is not None:
            self.choose(choosing.cursor_at(self._chosen_view(self.view), t_ns))

    # -- pause and play --------------------------------------------------------------------

    def action_pause(self) -> None:
        """Freeze the picture or let it go on; play a recording or stop it."""
        if self.view is None:
            return
        if self.replayed:
            self._play_or_stop(self.view)
        elif self.selection.paused_at_ns is not None:
            self.choose(self.selection.with_(paused_at_ns=None, cursor_ns=None))
        elif self.view.status.state in ("live", "starting"):
            self.choose(self.selection.with_(paused_at_ns=self.view.status.t_end_ns))

    def _play_or_stop(self, view: View) -> None:
        if self.play.playing:
            self.play.stop()
            self.choose(self.selection)
            return
        cursor = self.selection.cursor_ns
        if cursor is None or cursor >= view.status.t_end_ns:
            cursor = view.status.t_start_ns
        self.play.start(time.monotonic())
        chosen = self._chosen_view(view)
        selection = choosing.cursor_at(chosen, cursor, self._around_ns())
        self.choose(selection.with_(range=None))

    def _around_ns(self) -> int:
        """Return what the tabs show around a moving cursor: nothing between pictures is missed."""
        return max(AROUND_CURSOR_NS, round(self.play.speed * NS_PER_S / self.refresh_hz / 2))

    def advance(self) -> None:
        """Move the cursor of a recording that is being played."""
        view = self.view
        if view is None or not self.play.playing:
            return
        at = self.selection.cursor_ns
        at = view.status.t_start_ns if at is None else at
        to = at + self.play.advance_ns(time.monotonic())
        if to >= view.status.t_end_ns:
            self.play.stop()
        chosen = self._chosen_view(view)
        self.selection = choosing.cursor_at(chosen, to, self._around_ns())

    def action_faster(self, step: int) -> None:
        """Change how fast a recording is played, or how many pictures are drawn a second."""
        if not self.replayed:
            self.refresh_hz = min(max(self.refresh_hz + step, 1), REFRESH_MOST_HZ)
            self.say(f"{self.refresh_hz} pictures a second")
            return
        self.play.advance_ns(time.monotonic())
        self.say(f"plays at {speed_text(self.play.change_speed(step))}")

    # -- the cursor ------------------------------------------------------------------------

    def action_scrub(self, columns: int) -> None:
        """Move the cursor."""
        if self.view is not None and self.axis is not None:
            view = self._chosen_view(self.view)
            self.choose(choosing.moved_cursor(view, self.axis, columns))

    def action_leap(self, columns: int) -> None:
        """Move the cursor far, whatever has the keys."""
        self.action_scrub(columns)

    def action_sample(self, step: int) -> None:
        """Move the cursor by the time between two samples, on a grid from the start."""
        if self.view is None:
            return
        cursor = self.selection.cursor_ns
        at = choosing.shown_end(self.view) if cursor is None else cursor
        start = self.view.status.t_start_ns
        steps, rest = divmod(at - start, SAMPLE_NS)
        beside = steps + 1 if step > 0 else steps - (0 if rest else 1)
        self._go(start + beside * SAMPLE_NS)

    def action_first(self) -> None:
        """Go to the start of the session."""
        if self.view is not None:
            self._go(self.view.status.t_start_ns)

    def action_live(self) -> None:
        """Follow the session again; of a recording, show the whole."""
        self.play.stop()
        self.choose(choosing.back_to_live(self.selection))

    async def action_event(self, step: int) -> None:
        """Put the cursor on the next or previous event."""
        view = self.view
        if view is None:
            return
        start, end = view.status.t_start_ns, choosing.shown_end(view)
        events = await self._asked_reader(lambda reader: reader.events(start, end + 1))
        if events is None:
            return
        events = choosing.with_spikes(events, view.spikes)
        found = choosing.at_event(self._chosen_view(view), events, step)
        if found is None:
            self.say("no later event" if step > 0 else "no earlier event")
            return
        selection, event = found
        self.say(f"{event.kind}  {event.text}  at {moment_text(view.seconds(event.t_ns))}")
        self.choose(selection)

    async def action_phase(self, step: int) -> None:
        """Put the cursor on the start of the next or previous phase."""
        view = self.view
        if view is None:
            return
        start, end = view.status.t_start_ns, choosing.shown_end(view)
        phases = await self._asked_reader(lambda reader: reader.phases(start, end + 1))
        if phases is None:
            return
        found = choosing.at_phase(self._chosen_view(view), phases, step)
        if found is None:
            self.say("no later phase" if step > 0 else "no earlier phase")
            return
        selection, phase = found
        length = ""
        if phase.t1_ns is not None:
            length = f"  {format_seconds((phase.t1_ns - phase.t0_ns) / NS_PER_S)} long"
        at = moment_text(view.seconds(phase.t0_ns))
        self.say(f"phase  {phase.name}  at {at}{length}")
        self.choose(selection)

    async def action_go(self) -> None:
        """Ask for a moment."""
        from perftui.tui.widgets.bars.go_bar import GoBar

        if self.view is None:
            return
        if not isinstance(self._go_bar, GoBar):
            self._go_bar = GoBar(id="go")
            await self.mount(self._go_bar, before="#panes")
        self._go_bar.open()

    def on_go_bar_asked(self, message: GoBar.Asked) -> None:
        """Go to the moment that was typed."""
        if self.view is None:
            return
        status = self.view.status
        end = choosing.shown_end(self.view)
        cursor = self.selection.cursor_ns
        span = Span(status.t_start_ns, end, end if cursor is None else cursor, self._wall_ns)
        try:
            found = parse_moment(message.text, span)
        except ValueError as error:
            self.say(str(error), "warn")
            return
        self._go(found)

    def _wall_ns(self, t_ns: int) -> int | None:
        if isinstance(self.session, Recorded):
            return self.session.wall_ns(t_ns)
        return time.time_ns() - time.monotonic_ns() + t_ns

    # -- range and zoom --------------------------------------------------------------------

    def action_range_start(self) -> None:
        """Start the range at the cursor."""
        self._set_range_end(start=True)

    def action_range_end(self) -> None:
        """End the range at the cursor."""
        self._set_range_end(start=False)

    def _set_range_end(self, *, start: bool) -> None:
        if self.view is not None and self.axis is not None:
            self.play.stop()
            view = self._chosen_view(self.view)
            self.choose(choosing.with_range_end(view, self.axis, start=start))

    def select_range(self, t0_ns: int, t1_ns: int) -> None:
        """Make a range what the tabs are about."""
        self.play.stop()
        t1_ns = max(t1_ns, t0_ns + 1)
        self.choose(self.selection.with_(range=(t0_ns, t1_ns), cursor_ns=None))

    def action_clear(self) -> None:
        """Clear range and cursor."""
        self.play.stop()
        self.choose(choosing.all_cleared(self.selection))

    def action_zoom_to_range(self) -> None:
        """Let the time axis show the range and nothing else."""
        if self.selection.range is None:
            self.say("no range to zoom to: drag over a timeline, or set one with [ and ]")
            return
        t0, t1 = self.selection.range
        self.choose(self.selection.with_(axis=(t0, max(t1, t0 + NS_PER_S // 100))))

    def on_timeline_range_chosen(self, message: Timeline.RangeChosen) -> None:
        """Take over a dragged range."""
        self.select_range(message.t0_ns, message.t1_ns)

    def on_heat_pane_range_chosen(self, message: HeatPane.RangeChosen) -> None:
        """Take over a range of the heat map."""
        self.select_range(message.t0_ns, message.t1_ns)

    def on_heat_pane_moment_chosen(self, message: HeatPane.MomentChosen) -> None:
        """Put the cursor where the heat map says."""
        self._go(message.t_ns)

    def on_timeline_moment_chosen(self, message: Timeline.MomentChosen) -> None:
        """Set the cursor where the timeline was clicked; the picture goes on."""
        if self.view is not None:
            t_ns = min(message.t_ns, choosing.shown_end(self.view))
            chosen = self.selection.with_(cursor_ns=t_ns, range=None, around_ns=AROUND_CURSOR_NS)
            self.choose(chosen)

    def on_timeline_zoomed(self, message: Timeline.Zoomed) -> None:
        """Zoom the time axis around the mouse."""
        if self.view is None:
            return
        start = self.view.status.t_start_ns
        least = 0 if self.replayed else TIMELINE_MIN_NS
        whole = (start, max(choosing.shown_end(self.view), start + least))
        axis = self.selection.axis or self.view.axis
        axis_now = zoomed_axis(axis, message.t_ns, message.factor, whole)
        self.choose(self.selection.with_(axis=axis_now))
