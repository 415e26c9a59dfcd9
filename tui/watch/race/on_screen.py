"""A race on the screen: what happens before it comes up and after it has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.scenarios.define.requirements import missing_modules
from perftui.tui.terminal.ending import Ending
from perftui.tui.text.words import tell
from perftui.tui.watch.race.headless import finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.scenarios.race.race import Race


class Races:
    """The race that is on; see `screens.race.face.Runs`."""

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

    def stop(self) -> None:
        """End what is still running."""
        self.race.stop()


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
    with Ending() as ending:
        ending.leave_now_if_asked()
        try:
            # The race starts first: it runs while textual is imported.
            race.start()
            from perftui.tui.terminal.watch import watch_terminal
            from perftui.tui.watch.race.app import RaceApp

            app = RaceApp(races, duration_s=duration_s)
            app.ending = ending
            if ending.number is None:
                with watch_terminal(ending=ending, on_stuck=races.stop):
                    app.run()
        finally:
            ending.tell(None)
            races.stop()
    if ending.number is not None:
        tell(f"perftui: ended by {ending.name}; what was started has ended")
        return ending.exit_code()
    if app.tell_last_words():
        return 1
    code = finish(races.race, json_path)
    return 0 if races.race.state().stage == "stopped" else code
