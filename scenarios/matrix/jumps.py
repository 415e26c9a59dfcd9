"""What changed from one version to the next, and where a figure jumped.

Neighbours of the table are compared as the two sides of a bench are (`bench.answer`): their runs
were made in turns. All steps share the chance of one false alarm in a hundred tables.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from perftui.scenarios.bench.answer import answer
from perftui.scenarios.environments.integrity import normalized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.scenarios.bench.answer import BenchAnswer, BenchRow
    from perftui.scenarios.matrix.matrix import Matrix, ReleaseRuns
    from perftui.scenarios.matrix.plan import Release

_CERTAIN = ("regressed", "improved")
_LIKELY = (*_CERTAIN, "moved", "suspect")


class Step(NamedTuple):
    """From one version to the next that could be measured."""

    before: Release
    after: Release
    answer: BenchAnswer
    also: tuple[str, ...]
    """Other distributions that differ: "numpy 2.3.1 → 2.4.0"."""


class Jump(NamedTuple):
    """Where a figure changed most."""

    row: BenchRow
    step: Step

    @property
    def certain(self) -> bool:
        """More than noise, by the interval that alarms go by."""
        return self.row.verdict in _CERTAIN


def steps_of(matrix: Matrix) -> list[Step]:
    """Return the steps between neighbours, in the order of the table."""
    columns = matrix.measured
    share = 1 / max(len(columns) - 1, 1)
    found = []
    for before, after in pairwise(columns):
        told = answer(after.series, before.series, None, matrix.plan.gate, share)
        found.append(Step(before.cell, after.cell, told, _also(before, after, matrix)))
    return found


def jumps_of(steps: list[Step]) -> list[Jump]:
    """Return for each judged figure the step at which it changed most, if it did; largest first."""
    largest: dict[str, Jump] = {}
    for step in steps:
        for row in step.answer.rows:
            if row.threshold is None or row.verdict not in _LIKELY or row.ratio is None:
                continue
            best = largest.get(row.key)
            if best is None or _size(Jump(row, step)) > _size(best):
                largest[row.key] = Jump(row, step)
    return sorted(largest.values(), key=_size, reverse=True)


def _size(jump: Jump) -> tuple[bool, float]:
    ratio = jump.row.ratio or 0.0
    # Twice as slow and twice as fast are jumps of the same size.
    return jump.certain, ratio if ratio >= 0 else -ratio / max(1 + ratio, 1e-9)


def _also(before: ReleaseRuns, after: ReleaseRuns, matrix: Matrix) -> tuple[str, ...]:
    one, other = _versions(before), _versions(after)
    package = normalized(matrix.plan.package)
    return tuple(
        f"{name} {one.get(name, 'none')} → {other.get(name, 'none')}"
        for name in sorted({*one, *other} - {package})
        if one.get(name) != other.get(name)
    )


def _versions(column: ReleaseRuns) -> Mapping[str, str]:
    environment = column.prepared.environment
    return {} if environment is None else environment.versions
