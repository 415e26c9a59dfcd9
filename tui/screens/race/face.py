"""What the race's screen needs of a race, and the picture that it takes of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from perftui.scenarios.race.figures import Figures
    from perftui.scenarios.race.plan import RacePlan
    from perftui.scenarios.race.race import RaceState
    from perftui.scenarios.race.report import Recordings
    from perftui.tui.picture.view import View


class ShownRace(Protocol):
    """What the screen needs of a race: `scenarios.race.race.Race` has it."""

    plan: RacePlan

    def state(self) -> RaceState:
        """Where it stands."""
        ...

    def recordings(self) -> Recordings:
        """Where the sides are recorded."""
        ...


class Runs(Protocol):
    """The race that is on, and how another one is begun."""

    @property
    def race(self) -> ShownRace:
        """The race that is on."""
        ...

    def engines(self) -> tuple[str, ...]:
        """The engines of this pair that are installed."""
        ...

    def again(self, engine: str | None = None) -> None:
        """Begin a new race, with another engine if one is given.

        Raises:
            ScenarioError: it cannot be begun.
        """
        ...


class Picture(NamedTuple):
    """One picture of a race."""

    state: RaceState
    views: tuple[View | None, View | None]
    figures: tuple[Figures, Figures]
    recordings: Recordings
