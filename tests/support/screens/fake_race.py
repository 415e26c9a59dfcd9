"""A race without programs: its sides are fake sessions, its stages are what a test says."""

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
from support.screens.fake_reader import FakeReader, FakeSession


class _Side(FakeSession):
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
    readers: tuple[FakeReader | None, FakeReader | None] = (None, None)
    ended: tuple[bool, bool] = (False, False)
    grown: bool = False
    problem: str = ""
    recorded: tuple[Path | None, Path | None] = (None, None)

    def state(self) -> RaceState:
        sides = []
        for reader, ended, figures in zip(
            self.readers, self.ended, (COLLECTED, STREAMED), strict=True
        ):
            if reader is None:
                sides.append(NOT_BEGUN)
                continue
            session = cast("Any", _Side(reader))
            sides.append(SideState(session, ended, figures if ended else NOTHING))
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


def finished_race(**changes: Any) -> FakeRace:
    """A race that is over, with growth and two recordings."""
    over = [FakeReader(now_s=18.4, state="exited", exit_code=0) for _ in range(2)]
    fields: dict[str, Any] = {
        "stage": "done",
        "readers": (over[0], over[1]),
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
