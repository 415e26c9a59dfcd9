"""Pause and play: the screen stands still, goes on, or plays a recording at some speed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture import choosing
from perftui.tui.picture.play_clock import PlayClock, speed_text
from perftui.tui.picture.selection import AROUND_CURSOR_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.tui.picture.view import View
    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.screens.live.acts.shown import Shown

REFRESH_HZ = 4
REFRESH_MOST_HZ = 10


class Player:
    """Moves the cursor of a recording while it plays, and holds a live picture.

    Args:
        shown: What is on the screen.
        say: Answers a key.
        now_s: Seconds of a monotonic clock.
    """

    def __init__(self, shown: Shown, say: Say, now_s: Callable[[], float] = time.monotonic) -> None:
        self._shown = shown
        self._say = say
        self._now_s = now_s
        self._clock = PlayClock()
        self.refresh_hz = REFRESH_HZ
        """Pictures a second."""
        self.chosen_hz = False
        """Whether a person has set it: then it is kept to, also where less would do."""

    @property
    def playing(self) -> bool:
        """Whether a recording is being played."""
        return self._clock.playing

    @property
    def speed(self) -> float:
        """Seconds of a recording that go by in one of ours."""
        return self._clock.speed

    def stop(self) -> None:
        """Stand still."""
        self._clock.stop()

    def pause(self) -> None:
        """Freeze the picture or let it go on; play a recording or stop it."""
        shown = self._shown
        if shown.view is None:
            return
        if shown.replayed:
            self._play_or_stop(shown.view)
        elif shown.paused:
            shown.choose(shown.selection.with_(paused_at_ns=None, cursor_ns=None))
        elif not shown.ended:
            shown.choose(shown.selection.with_(paused_at_ns=shown.view.status.t_end_ns))

    def _play_or_stop(self, view: View) -> None:
        if self.playing:
            self.stop()
            self._shown.choose(self._shown.selection)
            return
        cursor = self._shown.selection.cursor_ns
        if cursor is None or cursor >= view.status.t_end_ns:
            cursor = view.status.t_start_ns
        self._clock.start(self._now_s())
        self._move_to(cursor)
        self._shown.choose(self._shown.selection.with_(range=None))

    def advance(self) -> None:
        """Move the cursor of a recording that is being played to where it is by now."""
        view = self._shown.view
        if view is None or not self.playing:
            return
        at = self._shown.selection.cursor_ns
        at = view.status.t_start_ns if at is None else at
        to = at + self._clock.advance_ns(self._now_s())
        if to >= view.status.t_end_ns:
            self.stop()
        self._move_to(to)

    def _move_to(self, t_ns: int) -> None:
        # What the tabs show around it is as long as a step, so that nothing between is missed.
        around_ns = max(AROUND_CURSOR_NS, round(self.speed * NS_PER_S / self.refresh_hz / 2))
        view = self._shown.chosen_view
        if view is not None:
            self._shown.selection = choosing.cursor_at(view, t_ns, around_ns)

    def faster(self, step: int) -> None:
        """Change how fast a recording is played, or how many pictures are drawn a second."""
        if not self._shown.replayed:
            self.refresh_hz = min(max(self.refresh_hz + step, 1), REFRESH_MOST_HZ)
            self.chosen_hz = True
            self._say(f"{self.refresh_hz} pictures a second")
            return
        self._clock.advance_ns(self._now_s())
        self._say(f"plays at {speed_text(self._clock.change_speed(step))}")
