"""The application around the screen of a race."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.tui.screens.race.screen import RaceScreen
from perftui.tui.terminal.app import TerminalApp

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.race.face import Runs

_ENDING = ("SIGHUP", "SIGTERM")


class RaceApp(TerminalApp[None]):
    """Shows races until the person leaves."""

    def __init__(
        self,
        races: Runs,
        *,
        duration_s: float | None = None,
        ascii_only: bool | None = None,
    ) -> None:
        super().__init__(ascii_only=ascii_only)
        self._races = races
        self._duration_s = duration_s
        self.ended_by: int | None = None
        """The signal that closed the screen."""

    def get_default_screen(self) -> Screen[None]:
        """Return the race: there is no other below it."""
        return RaceScreen(self._races)

    def on_mount(self) -> None:
        """Leave in order when the terminal goes away, we are ended, or the time is up."""
        if self._duration_s is not None:
            self.set_timer(self._duration_s, lambda: self.exit(None))
        loop = asyncio.get_running_loop()
        for number in self._signals():
            with suppress(ValueError, RuntimeError, NotImplementedError):
                loop.add_signal_handler(number, self._ended, number)

    def on_unmount(self) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for number in self._signals():
            with suppress(ValueError, RuntimeError, NotImplementedError):
                loop.remove_signal_handler(number)

    def _signals(self) -> list[signal.Signals]:
        return [signal.Signals[name] for name in _ENDING if hasattr(signal, name)]

    def _ended(self, number: int) -> None:
        self.ended_by = number
        self.exit(None)

    def action_help_quit(self) -> None:
        """Say what ctrl+c does not do."""
        if isinstance(self.screen, RaceScreen):
            self.screen.say("ctrl+c does nothing here: q quits")
