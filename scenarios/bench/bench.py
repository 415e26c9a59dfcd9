"""Many lab runs: one side, or two in turns (A B B A), until the answer is clear or time is up.

The first run of each side fills the page cache and writes bytecode: it is shown, and counts
nowhere. Looks are taken after 5, 10 and 20 runs a side, or once after as many as were asked for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.text.units import format_seconds
from perftui.scenarios.bench.answer import BenchAnswer, answer
from perftui.scenarios.bench.cold_files import ColdFiles
from perftui.scenarios.bench.gate import Gate
from perftui.scenarios.bench.lab_run import LabOptions, LabRun, SideName, lab_run
from perftui.scenarios.bench.series import LabSeries
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from perftui.scenarios.bench.answer import Stored
    from perftui.scenarios.bench.subject import Subject

LOOKS = ((5, 0.1), (10, 0.3), (20, 0.6))
"""(runs a side, share of the chance of a false alarm that the look may take)"""
_CALLS_S = 2.0
"""A process calls a function for about so long, as often as that allows."""
_LEAST_CALLS, _MOST_CALLS = 3, 60
_LONG_CALL_S = 5.0
"""Of calls this long a cold one and a warm one in each process are enough."""
PROBE_CALLS = 3
"""Of a warm-up, before it is known how long one takes."""
_HOPELESS = 2
"""Runs of a side without a single success: it would be the same again."""

Ended = Literal["clear", "all runs", "time is up", "asked to"]


class BenchPlan(NamedTuple):
    """What to measure."""

    new: Subject
    base: Subject | None = None
    """Run in turns with it."""
    runs: int | None = None
    """A side; None: 5, growing to 20 while the answer is not clear."""
    calls: int | None = None
    """Of a function in each process; None: as many as take some two seconds."""
    time_limit_s: float | None = None
    options: LabOptions = LabOptions()
    gate: Gate = Gate()
    cold: bool = False
    """Drop from the page cache, before each run, what the program touches."""


@dataclass(slots=True)
class Bench:
    """A bench as far as it has come."""

    plan: BenchPlan
    against: Stored | None = None
    """A stored baseline, if it is held against one."""
    floors: Mapping[str, float] = field(default_factory=dict)
    """Calibrated noise of this machine, by figure, as a part of the base."""
    told_base: str = ""
    """What it is compared with, for a person."""
    told_cold: str = ""
    """What was dropped from the page cache."""
    warnings: list[str] = field(default_factory=list)
    """What makes the sides hard to compare, the worst first."""
    new: LabSeries = field(default_factory=lambda: LabSeries("new"))
    base: LabSeries = field(default_factory=lambda: LabSeries("base"))
    calls: int = 1
    ended: Ended = "all runs"

    @property
    def sides(self) -> list[LabSeries]:
        """The series that are run, the base first."""
        return [self.new] if self.plan.base is None else [self.base, self.new]

    @property
    def named_sides(self) -> list[tuple[str, LabSeries]]:
        """The same, with their names."""
        return [(side.side, side) for side in self.sides]

    def answer(self, share: float = 1.0) -> BenchAnswer:
        """Return what the series say now."""
        base = None if self.plan.base is None else self.base
        return answer(self.new, base, self.against, self.plan.gate, share, self.floors)


def run_bench(
    bench: Bench,
    tell: Callable[[LabRun], None],
    begins: Callable[[SideName, int], None] = lambda side, number: None,
    go_on: Callable[[], None] = lambda: None,
    warmed_up: Callable[[], None] = lambda: None,
) -> BenchAnswer:
    """Measure until it is clear; the series are in `bench` all the while.

    Args:
        bench: What.
        tell: Is given each run when it has ended.
        begins: Told before each run.
        go_on: Called again and again; raises whatever is to end it all.
        warmed_up: Called after the first run of each side; raises if they are not to be compared.

    Raises:
        ScenarioError: no run of a side comes to a good end.
        LaunchError: it cannot be started.
    """
    started = time.monotonic()
    run = _Runner(bench, tell, begins, go_on)
    for side in bench.sides:
        run.once(side, 0, PROBE_CALLS if bench.plan.calls is None else bench.plan.calls)
    bench.calls = bench.plan.calls or calls_for(
        [run for side in bench.sides for run in side.warm_ups]
    )
    warmed_up()
    looks = LOOKS if bench.plan.runs is None else ((bench.plan.runs, 1.0),)
    number, share = 0, 1.0
    for until, share in looks:
        while number < until:
            if number and _time_is_up(bench, started, number):
                bench.ended = "time is up"
                return bench.answer(share)
            number += 1
            # A B B A: a machine that gets slower, or faster, does so for both sides.
            sides = bench.sides if number % 2 else bench.sides[::-1]
            for side in sides:
                run.once(side, number, bench.calls)
        if bench.answer(share).clear:
            bench.ended = "clear" if until < looks[-1][0] else "all runs"
            break
    return bench.answer(share)


class _Runner:
    def __init__(
        self,
        bench: Bench,
        tell: Callable[[LabRun], None],
        begins: Callable[[SideName, int], None],
        go_on: Callable[[], None],
    ) -> None:
        self._bench, self._tell, self._begins, self._go_on = bench, tell, begins, go_on
        self._cold: dict[str, ColdFiles] = {}

    def once(self, side: LabSeries, number: int, calls: int) -> None:
        plan = self._bench.plan
        subject = plan.new if side is self._bench.new or plan.base is None else plan.base
        self._go_on()
        self._begins(side.side, number)
        options = plan.options._replace(calls=calls if subject.kept else 1)
        if plan.cold and side.side not in self._cold:
            self._cold[side.side] = ColdFiles(subject)
        cold = self._cold.get(side.side)
        if cold is not None and number == 1 and side is self._bench.new:
            self._bench.told_cold = cold.told()
        run = lab_run(subject, side.side, number, options, self._go_on, cold)
        side.add(run)
        self._tell(run)
        if len(side.failed) >= _HOPELESS and not any(
            each.done for each in (*side.warm_ups, *side.runs)
        ):
            which = "" if plan.base is None else f"{side.side}: "
            raise ScenarioError(f"{which}{subject.title} fails every time: {run.why}")


def calls_for(warm_ups: Iterable[LabRun]) -> int:
    """Return how often each process calls a function, by what the slowest of some runs took."""
    warm = [run.steady.steady_s for run in warm_ups if run.steady.steady_s is not None]
    if not warm:
        return PROBE_CALLS
    slowest_s = max(*warm, 1e-6)
    least = 2 if slowest_s > _LONG_CALL_S else _LEAST_CALLS
    return int(min(max(_CALLS_S / slowest_s, least), _MOST_CALLS))


def _time_is_up(bench: Bench, started: float, number: int) -> bool:
    limit_s = bench.plan.time_limit_s
    if limit_s is None:
        return False
    taken_s = time.monotonic() - started
    rounds = number + len(bench.new.warm_ups)
    return taken_s + taken_s / rounds > limit_s


def ended_text(bench: Bench) -> str:
    """Say in a few words why there are no more runs; "" where that was clear before."""
    if bench.ended == "asked to":
        return "stopped in the middle: no more is known"
    if bench.ended == "time is up":
        limit = format_seconds(bench.plan.time_limit_s or 0.0)
        return f"stopped at the time limit of {limit}"
    if (
        bench.plan.runs is None
        and bench.ended == "all runs"
        and len(bench.new.runs) >= LOOKS[-1][0]
    ):
        return f"stopped at {LOOKS[-1][0]} runs"
    return ""
