"""A race without programs: its sides are synthetic sessions, its stages what a test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.race.figures import NOTHING
from perftui.scenarios.race.growth import growth_of
from perftui.scenarios.race.plan import RacePlan, plan_race
from perftui.scenarios.race.race import RaceState, SideState
from perftui.scenarios.race.verdict import verdict
from support.scenarios.race_cases import COLLECT_POINTS, COLLECTED, STREAM_POINTS, STREAMED
from support.screens.synthetic_session import SyntheticSession


class Side(SyntheticSession):
    """One that is recorded."""

    def recording_note(self) -> str:
        return "rec race"


NOT_BEGUN = SideState(None, False, NOTHING)


@dataclass
class FakeRace:
    """A `ShownRace`; set its fields freely."""

    plan: RacePlan = field(default_factory=lambda: plan_race("streaming-vs-collect"))
    stage: str = "racing"
    prepared: float = 1.0
    elapsed_s: float = 8.4
    sides: tuple[Side | None, Side | None] = (None, None)
    ended: tuple[bool, bool] = (False, False)
    grown: bool = False
    problem: str = ""
    recorded: tuple[Path | None, Path | None] = (None, None)

    def state(self) -> RaceState:
        sides = []
        for side, ended, figures in zip(self.sides, self.ended, (COLLECTED, STREAMED), strict=True):
            if side is None:
                sides.append(NOT_BEGUN)
                continue
            sides.append(SideState(cast("Any", side), ended, figures if ended else NOTHING))
        pair, found, growth = self.plan.pair, None, (None, None)
        if all(self.ended):
            found = verdict(pair, self.plan.way, (COLLECTED, STREAMED))
        if self.grown:
            points = (COLLECT_POINTS, STREAM_POINTS)
            one, other = (growth_of(pair, each, 6.25e6) for each in points)
            growth = cast("Any", (one, other))
        return RaceState(
            cast("Any", self.stage),
            self.elapsed_s,
            self.prepared,
            (sides[0], sides[1]),
            found,
            growth,
            (3, 8),
            self.problem,
            0,
        )

    def recordings(self) -> tuple[Path | None, Path | None]:
        return self.recorded


def ended_side() -> Side:
    """Return one whose target has ended well."""
    side = Side()
    side.end()
    return side


def finished_race(**changes: Any) -> FakeRace:
    """A race that is over, with growth and two recordings."""
    fields: dict[str, Any] = {
        "stage": "done",
        "sides": (ended_side(), ended_side()),
        "ended": (True, True),
        "grown": True,
        "recorded": (
            Path("/r/race-collect-duckdb-300MB-1.perftui"),
            Path("/r/race-streaming-duckdb-300MB-2.perftui"),
        ),
    }
    return FakeRace(**{**fields, **changes})


@dataclass
class FakeRuns:
    """Notes what was asked of it."""

    race: FakeRace = field(default_factory=finished_race)
    installed: tuple[str, ...] = ("duckdb", "pyarrow")
    asked: list[str | None] = field(default_factory=list)
    refuses: str = ""

    def engines(self) -> tuple[str, ...]:
        return self.installed

    def again(self, engine: str | None = None) -> None:
        if self.refuses:
            raise ScenarioError(self.refuses)
        self.asked.append(engine)
        self.race = FakeRace(stage="preparing", prepared=0.4)

    def stop(self) -> None:
        """Nothing runs."""
