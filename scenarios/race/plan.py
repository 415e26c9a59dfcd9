"""What is raced: a pair, an engine and an amount, checked before anything is started."""

from __future__ import annotations

import sys
from typing import NamedTuple

from perftui.scenarios.define.parameters import Parameter, ScenarioError
from perftui.scenarios.engines.available import require_modules
from perftui.scenarios.race.pairs import Pair, Way, find_pair, find_way
from perftui.scenarios.run.runner import Scenario, resolve


class RacePlan(NamedTuple):
    """What is raced."""

    pair: Pair
    way: Way
    scenario: Scenario
    amount: int
    """Of the work: bytes or rows."""
    amount_text: str
    """As it is written: "300MB"."""

    def values(self, side: int, *more: str) -> dict[str, object]:
        """The parameters of a side's run."""
        own = self.pair.sides[side].params
        shared = [text.format(engine=self.way.engine) for text in self.pair.params]
        work = f"{self.pair.work}={self.amount_text}"
        return self.scenario.bind([*shared, work, *own, *more])

    def command(self, side: int, *more: str) -> list[str]:
        """The argv of a side's run."""
        return self.scenario.command(sys.executable, self.values(side, *more))

    def title(self, side: int) -> str:
        """What the recording is called."""
        name = self.pair.sides[side].name.replace(" ", "-")
        return f"race {name} {self.way.engine} {self.amount_text}"


def plan_race(name: str, engine: str | None = None, size: str | None = None) -> RacePlan:
    """Check what is asked for.

    Raises:
        ScenarioError: No such pair or engine, a bad size, or something is not installed.
    """
    pair = find_pair(name)
    way = find_way(pair, engine)
    scenario = resolve(pair.scenario)
    work = _parameter(scenario, pair.work)
    try:
        amount = work.parse(size or pair.default)
    except ScenarioError as error:
        raise ScenarioError(f"--size: {error}") from None
    require_modules(f"engine {way.engine}", way.modules)
    assert isinstance(amount, int)
    plan = RacePlan(pair, way, scenario, int(amount), work.format(amount))
    plan.values(0)
    return plan


def _parameter(scenario: Scenario, name: str) -> Parameter:
    return next(each for each in scenario.parameters if each.name == name)
