"""Fresh processes of all versions, in turns: what disturbs the machine disturbs all of them.

The first round fills the page cache and writes bytecode: it is shown, and counts nowhere.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.scenarios.bench.bench import PROBE_CALLS, calls_for
from perftui.scenarios.bench.lab_run import lab_run
from perftui.scenarios.bench.series import LabSeries
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.scenarios.bench.lab_run import LabRun
    from perftui.scenarios.matrix.plan import MatrixPlan, Release
    from perftui.scenarios.matrix.prepare import Preparation, Prepared

_HOPELESS = 2
"""Runs without a single success: it would be the same again."""


@dataclass(slots=True)
class ReleaseRuns:
    """One version: its environment and its runs."""

    prepared: Prepared
    series: LabSeries = field(default_factory=lambda: LabSeries("new"))

    @property
    def cell(self) -> Release:
        """Which."""
        return self.prepared.cell

    @property
    def hopeless(self) -> bool:
        """It cannot be measured: there is no environment, or every run fails."""
        if self.prepared.environment is None:
            return True
        tried = (*self.series.warm_ups, *self.series.runs)
        return len(tried) >= _HOPELESS and not any(run.done for run in tried)

    @property
    def why(self) -> str:
        """Why it could not be measured, in one line; "" if it could."""
        if self.prepared.environment is None:
            return self.prepared.why
        failed = self.series.failed
        return failed[-1].why if failed and not self.series.done else ""


@dataclass(slots=True)
class Matrix:
    """A matrix as far as it has come."""

    plan: MatrixPlan
    preparation: Preparation
    columns: list[ReleaseRuns] = field(default_factory=list)
    calls: int = 1
    out_of_time: bool = False
    stopped: bool = False
    """Somebody has ended it in the middle."""
    took_s: float = 0.0
    """Of the runs, by the clock on the wall."""

    def __post_init__(self) -> None:
        """Make a column of each cell."""
        self.columns = self.columns or [ReleaseRuns(each) for each in self.preparation.prepared]

    @property
    def measured(self) -> list[ReleaseRuns]:
        """Those of which a run came to a good end."""
        return [column for column in self.columns if column.series.done]


def run_matrix(
    matrix: Matrix,
    tell: Callable[[ReleaseRuns, LabRun], None],
    begins: Callable[[ReleaseRuns, int], None] = lambda column, number: None,
    go_on: Callable[[], None] = lambda: None,
) -> None:
    """Measure; what is known is in `matrix` all the while.

    Args:
        matrix: What.
        tell: Is given each run when it has ended.
        begins: Told before each run.
        go_on: Called again and again; raises whatever is to end it all.

    Raises:
        ScenarioError: no version can be measured.
        LaunchError: none can be started.
    """
    plan = matrix.plan
    began = time.monotonic()
    rounds = 0
    for number in range(plan.runs + 1):
        order = matrix.columns if number % 2 == 0 else matrix.columns[::-1]
        for column in order:
            environment = column.prepared.environment
            if environment is None or column.hopeless:
                continue
            go_on()
            begins(column, number)
            options = plan.options._replace(
                calls=matrix.calls if number else plan.calls or PROBE_CALLS
            )
            subject = plan.subject(column.cell, environment)
            run = lab_run(subject, "new", number, options, go_on)
            column.series.add(run)
            tell(column, run)
        if number == 0:
            warm = [run for column in matrix.columns for run in column.series.warm_ups]
            matrix.calls = plan.calls or calls_for(warm)
        rounds += 1
        matrix.took_s = time.monotonic() - began
        if plan.time_limit_s is not None and number < plan.runs:
            matrix.out_of_time = matrix.took_s * (1 + 1 / rounds) > plan.time_limit_s
            if matrix.out_of_time and number:
                break
    if not matrix.measured:
        why = next((column.why for column in matrix.columns if column.why), "no run was made")
        raise ScenarioError(f"no version of {plan.package} can be measured: {why}")
