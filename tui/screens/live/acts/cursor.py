"""The cursor of the live screen: by columns, samples, events and phases, or to a typed moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perftui.probes.spine.reader import Event
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.picture import choosing
from perftui.tui.picture.moments import Stretch, parse_moment
from perftui.tui.picture.selection import AROUND_CURSOR_NS
from perftui.tui.session.face import Recorded
from perftui.tui.widgets.charts.time_axis import moment_text

if TYPE_CHECKING:
    from perftui.tui.picture.selection import Selection
    from perftui.tui.picture.view import View
    from perftui.tui.screens.live.acts.player import Player
    from perftui.tui.screens.live.acts.session_thread import Say, SessionThread
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.session.face import LiveSession

SAMPLE_NS = NS_PER_S // 20
"""Metrics come 20 times a second."""


class TimeCursor:
    """Puts the cursor on moments. A live picture pauses; playing goes on from there."""

    def __init__(
        self, session: LiveSession, shown: Shown, player: Player, thread: SessionThread, say: Say
    ) -> None:
        self._session = session
        self._shown = shown
        self._player = player
        self._thread = thread
        self._say = say

    def go(self, t_ns: int) -> None:
        """Put the cursor on a moment."""
        view = self._shown.chosen_view
        if view is not None:
            self._shown.choose(choosing.cursor_at(view, t_ns))

    def point_at(self, t_ns: int) -> None:
        """Put the cursor where a timeline was clicked; the picture goes on."""
        if self._shown.view is not None:
            t_ns = min(t_ns, choosing.shown_end(self._shown.view))
            chosen = self._shown.selection.with_(cursor_ns=t_ns, range=None)
            self._shown.choose(chosen.with_(around_ns=AROUND_CURSOR_NS))

    def scrub(self, columns: int) -> None:
        """Move the cursor by columns of the screen."""
        view, axis = self._shown.chosen_view, self._shown.axis
        if view is not None and axis is not None:
            self._shown.choose(choosing.moved_cursor(view, axis, columns))

    def sample(self, step: int) -> None:
        """Move the cursor by the time between two samples, on a grid from the start."""
        view = self._shown.view
        if view is None:
            return
        cursor = self._shown.selection.cursor_ns
        at = choosing.shown_end(view) if cursor is None else cursor
        start = view.status.t_start_ns
        steps, rest = divmod(at - start, SAMPLE_NS)
        beside = steps + 1 if step > 0 else steps - (0 if rest else 1)
        self.go(start + beside * SAMPLE_NS)

    def first(self) -> None:
        """Go to the start of the session."""
        if self._shown.view is not None:
            self.go(self._shown.view.status.t_start_ns)

    def live(self) -> None:
        """Follow the session again; of a recording, show the whole."""
        self._player.stop()
        self._shown.choose(choosing.back_to_live(self._shown.selection))

    async def event(self, step: int) -> None:
        """Put the cursor on the next or previous event."""
        view = self._shown.view
        if view is None:
            return
        start, end = view.status.t_start_ns, choosing.shown_end(view)
        events = await self._thread.ask(lambda reader: reader.events(start, end + 1))
        now = self._shown.chosen_view
        if events is not None and now is not None:
            found = choosing.at_event(now, choosing.with_spikes(events, view.spikes), step)
            self._event_found(now, found, "event", step)

    async def alert(self, step: int) -> None:
        """Put the cursor on the next or previous alert or spike."""
        view = self._shown.chosen_view
        if view is not None:
            events = tuple(
                Event(alert.t_onset_ns, "alert", f"{alert.message}  Enter shows it")
                for alert in view.alerts
                if alert.severity != "info"
            )
            found = choosing.at_event(view, choosing.with_spikes(events, view.spikes), step)
            self._event_found(view, found, "alert", step)

    def _event_found(
        self, view: View, found: tuple[Selection, Event] | None, what: str, step: int
    ) -> None:
        if found is None:
            self._say(f"no later {what}" if step > 0 else f"no earlier {what}")
            return
        selection, event = found
        self._say(f"{event.kind}  {event.text}  at {moment_text(view.seconds(event.t_ns))}")
        self._shown.choose(selection)

    async def phase(self, step: int) -> None:
        """Put the cursor on the start of the next or previous phase."""
        view = self._shown.view
        if view is None:
            return
        start, end = view.status.t_start_ns, choosing.shown_end(view)
        phases = await self._thread.ask(lambda reader: reader.phases(start, end + 1))
        now = self._shown.chosen_view
        if phases is None or now is None:
            return
        found = choosing.at_phase(now, phases, step)
        if found is None:
            self._say("no later phase" if step > 0 else "no earlier phase")
            return
        selection, phase = found
        length = ""
        if phase.t1_ns is not None:
            length = f"  {format_seconds((phase.t1_ns - phase.t0_ns) / NS_PER_S)} long"
        at = moment_text(view.seconds(phase.t0_ns))
        self._say(f"phase  {phase.name}  at {at}{length}")
        self._shown.choose(selection)

    def go_to(self, text: str) -> None:
        """Go to a moment that was typed."""
        view = self._shown.view
        if view is None:
            return
        end = choosing.shown_end(view)
        cursor = self._shown.selection.cursor_ns
        now_ns = end if cursor is None else cursor
        try:
            found = parse_moment(text, Stretch(view.status.t_start_ns, end, now_ns, self._wall_ns))
        except ValueError as error:
            self._say(str(error), "warn")
            return
        self.go(found)

    def _wall_ns(self, t_ns: int) -> int | None:
        if isinstance(self._session, Recorded):
            return self._session.wall_ns(t_ns)
        return time.time_ns() - time.monotonic_ns() + t_ns
