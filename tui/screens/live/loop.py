"""When pictures are taken: a few times a second, at once after a key, never two at a time.

A picture is asked for on the session's thread, so that the screen stays quick; where drawing is
dear they come later.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.probes.spine.wakes import near_s
from perftui.tui.picture.refresh_pace import BEHIND_S, CALM_HZ, RefreshPace
from perftui.tui.screens.live.taker import PictureTaker, Wanted
from perftui.tui.session.face import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.tui.picture.view import Part, View
    from perftui.tui.screens.live.acts.player import Player
    from perftui.tui.screens.live.acts.session_thread import Say, SessionThread
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.session.face import LiveSession


class PictureLoop:
    """Takes pictures until it is ended.

    Args:
        session: What is shown.
        shown: What is on the screen and was chosen.
        player: How fast pictures come.
        thread: Where the session is asked.
        say: Where is told that there is no picture.
        covered: Tells whether the screen is below one that it must not change under.
        wants: Tells which parts of a picture can be seen.
        draw: Shows one.
    """

    def __init__(
        self,
        session: LiveSession,
        shown: Shown,
        player: Player,
        thread: SessionThread,
        say: Say,
        *,
        covered: Callable[[], bool],
        wants: Callable[[], frozenset[Part]],
        draw: Callable[[View], None],
    ) -> None:
        self._shown = shown
        self._player = player
        self._thread = thread
        self._say = say
        self._covered = covered
        self._wants = wants
        self._draw = draw
        self._taker = PictureTaker(session)
        self._wake = asyncio.Event()
        self._open = True
        self.pictures = 0
        """Pictures drawn so far."""
        self.paced = not isinstance(session, Recorded)
        """Pictures come later where drawing is dear; not so in tests, and a replay takes nothing
        from a target."""

    @property
    def note(self) -> str:
        """What the last line says at its right: where this is recorded."""
        return self._taker.note

    def end(self) -> None:
        """Draw nothing more."""
        self._open = False

    def wake(self) -> None:
        """Take a picture at once."""
        self._wake.set()

    def changed(self) -> None:
        """Take a picture at once: something else is wanted than was shown."""
        self._taker.forget()
        self._wake.set()

    async def run(self) -> None:
        """Take and draw pictures until the screen is closed."""
        pace, cpu_s, drawn = RefreshPace(), time.thread_time(), self.pictures
        while True:
            begun = time.monotonic()
            self._wake.clear()
            self._player.advance()
            await self.take_one()
            took_s, spent_s = time.monotonic() - begun, time.thread_time() - cpu_s
            drew = self.pictures != drawn or not drawn
            cpu_s, drawn = cpu_s + spent_s, self.pictures
            hz: float = self._player.refresh_hz
            rest = max(1 / hz - took_s, 0.01)
            if self.paced:
                if not self._player.chosen_hz:
                    hz = pace.calm_hz(hz)
                rest = pace.rest_s(hz, took_s=took_s, cpu_s=spent_s, drew=drew)
                if hz <= CALM_HZ:
                    rest = near_s(time.monotonic_ns(), rest, 1 / CALM_HZ) + BEHIND_S
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), rest)

    async def take_one(self) -> None:
        """Take one picture and draw it, unless it would be the one that is there."""
        layout = self._shown.layout
        # Below another screen every change is a whole screen for the terminal.
        if layout is None or self._covered():
            return
        wanted = Wanted(
            self._shown.selection,
            layout.columns,
            self._wants(),
            self._player.playing,
            self._player.speed,
        )
        before = self._shown.view
        try:
            view = await self._thread.run(lambda: self._taker.take(wanted, before))
        except Exception as error:  # a picture less, not a screen less
            if self._open:
                self._say(f"no picture: {type(error).__name__}: {error}", "warn")
            return
        if view is not None and self._open:
            self._draw(view)
            self.pictures += 1
