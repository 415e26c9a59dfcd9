"""What the keys and the mouse do on the race's screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.screen import Screen

from perftui.tui.screens.race.keys import KEYS, MORE

if TYPE_CHECKING:
    from perftui.tui.screens.race.face import Picture, Runs
    from perftui.tui.widgets.bars.footer import KeyFooter
    from perftui.tui.widgets.charts.timeline import Timeline

OVER = ("done", "failed", "stopped")
"""Stages in which nothing runs any more."""


class RaceActions(Screen[None]):
    """The half of the screen that answers the person; `RaceScreen` is the half that draws."""

    runs: Runs
    chosen: int
    picture: Picture | None
    _over_s: float | None
    _rss: tuple[Timeline, Timeline]
    _cpu: tuple[Timeline, Timeline]
    _wake: asyncio.Event

    def say(self, text: str) -> None:
        """Answer a key, for a few seconds."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw the picture that is there."""
        raise NotImplementedError

    def _over(self) -> bool:
        return self.runs.race.state().stage in OVER

    def action_other_side(self) -> None:
        """Choose the other side."""
        self.chosen = 1 - self.chosen
        self.redraw()

    def on_timeline_moment_chosen(self, message: Timeline.MomentChosen) -> None:
        """Choose the side that was clicked."""
        control = message._sender
        for side, parts in enumerate(zip(self._rss, self._cpu, strict=True)):
            if control in parts:
                self.chosen = side
                self.redraw()

    def action_open_side(self) -> None:
        """Show the chosen side on the screen of its own."""
        from perftui.tui.screens.race.side import side_screen

        side = self.runs.race.state().sides[self.chosen]
        name = self.runs.race.plan.pair.sides[self.chosen].name
        if side.session is None:
            self.say(f"{name} has not begun yet")
            return
        try:
            screen = side_screen(side, self.runs.race.recordings()[self.chosen])
        except OSError as error:
            self.say(f"{name} cannot be opened: {error}")
            return
        self.app.push_screen(screen)

    def action_again(self) -> None:
        """Run the same race once more."""
        self._begin(None)

    def action_other_engine(self) -> None:
        """Run the race with the next engine that is installed."""
        engines = self.runs.engines()
        now = self.runs.race.plan.way.engine
        if len(engines) < 2:
            self.say(f"there is no other engine here: perftui demo --list; {now} stays")
            return
        self._begin(engines[(engines.index(now) + 1) % len(engines)])

    def _begin(self, engine: str | None) -> None:
        from perftui.scenarios.define.parameters import ScenarioError

        if not self._over():
            self.say("the race is still on: wait for its end, or q")
            return
        try:
            self.runs.again(engine)
        except ScenarioError as error:
            self.say(str(error))
            return
        self.picture = None
        self._over_s = None
        self._wake.set()

    def action_save_report(self) -> None:
        """Write the figures to a Markdown file."""
        from perftui.tui.screens.race.report_file import write_report

        race = self.runs.race
        state = race.state()
        if state.verdict is None:
            self.say("there is no verdict to report yet")
            return
        try:
            path = write_report(race.plan, state, race.recordings())
        except OSError as error:
            self.say(f"the report could not be saved: {error.strerror or error}")
            return
        self.say(f"saved {path}")

    async def action_compare(self) -> None:
        """Compare the two recordings, at first their work alone."""
        from perftui.tui.screens.race.compare import comparison_screen

        base, new = self.runs.race.recordings()
        if not self._over() or base is None or new is None:
            self.say("a comparison needs both recordings, complete")
            return
        try:
            screen = await asyncio.to_thread(
                comparison_screen, base, new, self.runs.race.plan.pair.phase
            )
        except OSError as error:
            self.say(f"they cannot be compared: {error}")
            return
        self.app.push_screen(screen)

    def action_help(self) -> None:
        """Show all keys."""
        from perftui.tui.screens.dialogs.help import HelpScreen

        self.app.push_screen(HelpScreen(KEYS, MORE))

    def action_leave(self) -> None:
        """Leave; what still runs is ended."""
        self.app.exit(None)

    async def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """Do what the clicked hint says."""
        await self.run_action(message.action)
