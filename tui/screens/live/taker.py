"""Takes the pictures of the live screen, on its worker thread; the screen draws them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture import choosing
from perftui.tui.picture.view import Playback, take_view
from perftui.tui.screens.live.layout import live_axis
from perftui.tui.session.face import Noted, Recorded
from perftui.tui.session.spikes import SpikeWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.reader import Status
    from perftui.tui.picture.selection import Selection
    from perftui.tui.picture.view import Part, View
    from perftui.tui.session.face import LiveSession

SETTLE_S = 2.0
"""After the end, late records may still come: the picture follows for this long."""


class Wanted(NamedTuple):
    """Which picture: everything about it but the session's own state."""

    selection: Selection
    columns: int
    parts: frozenset[Part]
    playing: bool
    speed: float


class PictureTaker:
    """Takes a picture, unless it would be the one that is there.

    Args:
        session: What it is of.
        now_s: Seconds of a monotonic clock.
    """

    def __init__(self, session: LiveSession, now_s: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._now_s = now_s
        self._spike_watch = SpikeWatch(session)
        self._taken: tuple[Wanted, str] | None = None
        """What the last picture was of, and the session's state then."""
        self._ended_s: float | None = None
        self.note = ""
        """What the session says about its recording."""

    def forget(self) -> None:
        """Take the next picture in any case."""
        self._taken = None

    def take(self, wanted: Wanted, before: View | None) -> View | None:
        """Take a picture; None if it would be the one that is there.

        Args:
            wanted: Which.
            before: The picture that is there; what has not changed is taken over from it.
        """
        session = self._session
        status = session.reader.status()
        spikes = self._spike_watch.look(recorded=status.state == "recording")
        seen = before is None or spikes == before.spikes
        key = (wanted, status.state)
        if key == self._taken and seen and not self._moves(status, wanted.selection):
            return None
        selection = wanted.selection
        if before is None and status.state == "recording":
            selection = choosing.opening(session.reader, status)
        asked = _filled_in(selection, status)
        view = take_view(session.reader, asked, wanted.columns, wanted.parts, before)
        if isinstance(session, Noted):
            self.note = session.recording_note()
        self._taken = key
        playback = self._playback(wanted)
        return replace(view, selection=selection, playback=playback, spikes=spikes)

    def _playback(self, wanted: Wanted) -> Playback | None:
        session = self._session
        if not isinstance(session, Recorded):
            return None
        return Playback(session.recording_state, wanted.playing, wanted.speed, session.salvage)

    def _moves(self, status: Status, selection: Selection) -> bool:
        """Tell whether the next picture can differ without a key being pressed."""
        if status.state in ("exited", "waiting"):
            self._ended_s = self._ended_s or self._now_s()
            return self._now_s() - self._ended_s < SETTLE_S
        self._ended_s = None
        return status.state != "recording" and selection.paused_at_ns is None


def _filled_in(selection: Selection, status: Status) -> Selection:
    """Fill in what the person left open: the axis and the range around the cursor."""
    start, end = status.t_start_ns, status.t_end_ns
    shown = min(selection.paused_at_ns or end, end)
    axis = selection.axis
    if axis is None and status.state in ("live", "starting"):
        axis = live_axis(start, shown)
    elif axis is None:
        axis = (start, max(shown, start + NS_PER_S // 10))
    return selection.with_(axis=axis, range=choosing.asked_range(selection, start, shown))
