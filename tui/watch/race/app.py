"""The application around the screen of a race."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.race.screen import RaceScreen
from perftui.tui.terminal.app import TerminalApp

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.race.face import Runs


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

    def get_default_screen(self) -> Screen[None]:
        """Return the race: there is no other below it."""
        return RaceScreen(self._races)

    def on_mount(self) -> None:
        """Leave when the time is up. For signals see `TerminalApp.on_mount`."""
        if self._duration_s is not None:
            self.set_timer(self._duration_s, lambda: self.exit(None))

    def action_help_quit(self) -> None:
        """Say what ctrl+c does not do."""
        if isinstance(self.screen, RaceScreen):
            self.screen.say("ctrl+c does nothing here: q quits")
