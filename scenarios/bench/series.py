"""A series: the lab runs of one side, in the order in which they were made."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.compare.facts import Figure
    from perftui.scenarios.bench.lab_run import LabRun, SideName


class LabSeries:
    """Grows while a bench runs. Warm-ups (number 0) are kept beside it: they count nowhere."""

    def __init__(self, side: SideName) -> None:
        self.side: SideName = side
        self.warm_ups: list[LabRun] = []
        self.runs: list[LabRun] = []

    def add(self, run: LabRun) -> None:
        """Take a run."""
        (self.runs if run.number else self.warm_ups).append(run)

    @property
    def done(self) -> list[LabRun]:
        """Runs that came to a good end."""
        return [run for run in self.runs if run.done]

    @property
    def failed(self) -> list[LabRun]:
        """Runs that did not, warm-ups among them."""
        return [run for run in (*self.warm_ups, *self.runs) if not run.done]

    def known(self) -> dict[str, Figure]:
        """Return a figure of each key that any good run has, in the order of the first."""
        found: dict[str, Figure] = {}
        for run in self.done:
            for key, figure in run.figures.items():
                found.setdefault(key, figure)
        return found

    def values(self, key: str) -> list[float]:
        """Return one figure of all good runs that have it."""
        return values_of(self.done, key)

    def median(self, key: str) -> float | None:
        """Return its median."""
        values = self.values(key)
        return median(values) if values else None

    def packages(self) -> dict[str, str] | None:
        """Return the distributions of its runs and their versions, None if none told any end."""
        runs = self.done or [run for run in self.warm_ups if run.done]
        if not runs:
            return None
        found: dict[str, set[str]] = {}
        for run in runs:
            for name, version in run.installed.items():
                found.setdefault(name, set()).add(version)
        return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}

    def in_order_of(self, key: str) -> list[LabRun]:
        """Return the good runs by a figure, the smallest first."""
        return sorted(
            (run for run in self.done if key in run.figures), key=lambda run: run.figures[key].value
        )


def values_of(runs: Iterable[LabRun], key: str) -> list[float]:
    """Return one figure of those runs that have it."""
    return [run.figures[key].value for run in runs if key in run.figures]


def pairs_of(base: LabSeries, new: LabSeries) -> list[tuple[LabRun, LabRun]]:
    """Return the pairs, by number, of which both runs came to a good end."""
    by_number = {run.number: run for run in base.done}
    return [(by_number[run.number], run) for run in new.done if run.number in by_number]


def paired_values(
    pairs: Sequence[tuple[LabRun, LabRun]], key: str
) -> tuple[list[float], list[float]]:
    """Return one figure of both sides of those pairs that have it."""
    both = [pair for pair in pairs if all(key in run.figures for run in pair)]
    return values_of((one for one, _ in both), key), values_of((other for _, other in both), key)
