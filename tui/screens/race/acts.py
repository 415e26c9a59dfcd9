"""What the keys of the race's screen do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from perftui.tui.screens.race.face import Runs

OVER = ("done", "failed", "stopped")
"""Stages in which nothing runs any more."""


class RaceActs:
    """Chooses a side, opens what there is of it, and runs the race anew.

    Args:
        screen: Other screens are opened on top of it.
        runs: The race that is on, and those that can follow it.
        say: Answers a key.
        redraw: Another side was chosen.
        begun: Another race has begun.
    """

    def __init__(
        self,
        screen: Screen[None],
        runs: Runs,
        say: Callable[[str], None],
        redraw: Callable[[], None],
        begun: Callable[[], None],
    ) -> None:
        self._screen = screen
        self._runs = runs
        self._say = say
        self._redraw = redraw
        self._begun = begun
        self.chosen = 0
        """Number of the chosen side."""

    @property
    def over(self) -> bool:
        """Whether nothing runs any more."""
        return self._runs.race.state().stage in OVER

    def choose(self, side: int) -> None:
        """Choose a side."""
        self.chosen = side
        self._redraw()

    def choose_other(self) -> None:
        """Choose the other side."""
        self.choose(1 - self.chosen)

    def open_side(self) -> None:
        """Show the chosen side on the screen of its own."""
        from perftui.tui.screens.race.side import side_screen

        race = self._runs.race
        side = race.state().sides[self.chosen]
        name = race.plan.pair.sides[self.chosen].name
        if side.session is None:
            self._say(f"{name} has not begun yet")
            return
        try:
            screen = side_screen(side, race.recordings()[self.chosen])
        except OSError as error:
            self._say(f"{name} cannot be opened: {error}")
            return
        self._screen.app.push_screen(screen)

    def again(self) -> None:
        """Run the same race once more."""
        self._begin(None)

    def other_engine(self) -> None:
        """Run the race with the next engine that is installed."""
        engines = self._runs.engines()
        now = self._runs.race.plan.way.engine
        if len(engines) < 2:
            self._say(f"there is no other engine here: perftui demo --list; {now} stays")
            return
        self._begin(engines[(engines.index(now) + 1) % len(engines)])

    def _begin(self, engine: str | None) -> None:
        if not self.over:
            self._say("the race is still on: wait for its end, or q")
            return
        try:
            self._runs.again(engine)
        except ScenarioError as error:
            self._say(str(error))
            return
        self._begun()

    def save_report(self) -> None:
        """Write the figures to a Markdown file."""
        from perftui.tui.screens.race.report_file import write_report

        race = self._runs.race
        state = race.state()
        if state.verdict is None:
            self._say("there is no verdict to report yet")
            return
        try:
            path = write_report(race.plan, state, race.recordings())
        except OSError as error:
            self._say(f"the report could not be saved: {error.strerror or error}")
            return
        self._say(f"saved {path}")

    async def compare(self) -> None:
        """Compare the two recordings, at first their work alone."""
        from perftui.tui.screens.race.compare import comparison_screen

        race = self._runs.race
        base, new = race.recordings()
        if not self.over or base is None or new is None:
            self._say("a comparison needs both recordings, complete")
            return
        try:
            screen = await asyncio.to_thread(comparison_screen, base, new, race.plan.pair.phase)
        except OSError as error:
            self._say(f"they cannot be compared: {error}")
            return
        self._screen.app.push_screen(screen)
