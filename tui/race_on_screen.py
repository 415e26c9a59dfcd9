"""A race on the screen: the application around it, and what is printed when it has gone."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.scenarios.runner import missing_modules
from perftui.tui.cli import COMMANDS
from perftui.tui.race_headless import ended_with_us, finish
from perftui.tui.screens.race import RaceScreen
from perftui.tui.terminal_app import TerminalApp
from perftui.tui.terminal_watch import watch_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from perftui.scenarios.race import Race

Recordings = tuple[str, str]
_ENDING = ("SIGHUP", "SIGTERM")


class Races:
    """The race that is on; see `screens.race.Runs`."""

    def __init__(self, race: Race, make: Callable[[str | None], Race]) -> None:
        self.race = race
        self._make = make

    def engines(self) -> tuple[str, ...]:
        """The engines of this pair that are installed."""
        ways = self.race.plan.pair.ways
        return tuple(way.engine for way in ways if not missing_modules(way.modules))

    def again(self, engine: str | None = None) -> None:
        """Begin a new race.

        Raises:
            ScenarioError: it cannot be begun.
        """
        race = self._make(engine or self.race.plan.way.engine)
        self.race.stop()
        self.race = race
        race.start()

    def can_compare(self) -> bool:
        """Whether this perftui has the command."""
        return "compare" in COMMANDS

    def stop(self) -> None:
        """End what is still running."""
        self.race.stop()


class RaceApp(TerminalApp["Recordings | None"]):
    """Shows races until the person leaves. The result: two recordings to compare, or None."""

    def __init__(
        self,
        races: Races,
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


def run_on_screen(
    race: Race, make: Callable[[str | None], Race], json_path: str | None, duration_s: float | None
) -> int:
    """Show a race, then print what it found.

    Args:
        race: To begin with.
        make: Makes another one for an engine.
        json_path: Where the figures go too.
        duration_s: Leave by itself after so long.

    Returns:
        0; 1 or 2 if a side failed; 3 without a winner; 128+N if signal N closed the screen.
    """
    races = Races(race, make)
    app = RaceApp(races, duration_s=duration_s)
    with ended_with_us(races.stop):
        race.start()
        with watch_terminal(races.stop):
            chosen = app.run()
    if app.ended_by is not None:
        return 128 + app.ended_by
    if app.tell_last_words():
        return 1
    code = finish(races.race, json_path)
    if chosen is not None:
        from perftui.tui.cli import main

        return main(["compare", *chosen])
    return 0 if races.race.state().stage == "stopped" else code
