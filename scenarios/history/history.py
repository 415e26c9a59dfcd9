"""All figures of one key over time, and what is told of them."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.scenarios.history.change_points import ChangePoint, change_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.scenarios.history.points import FigureRuns, Point

LATELY = 5
"""Results over which a trend is told."""


class FigureHistory(NamedTuple):
    """One figure; lists are as long as the points, None where it was not measured."""

    key: str
    unit: str
    better: str
    judged: bool
    medians: tuple[float | None, ...]
    changes: tuple[ChangePoint, ...]

    @property
    def lately(self) -> tuple[float, int] | None:
        """The change over the last results, as a part, and over how many; None of fewer than 2."""
        known = [value for value in self.medians if value is not None][-LATELY:]
        if len(known) < 2 or known[0] == 0:
            return None
        return known[-1] / known[0] - 1, len(known)


class BenchHistory(NamedTuple):
    """What was measured of a key."""

    key: str
    points: tuple[Point, ...]
    figures: tuple[FigureHistory, ...]
    """Those that are judged first."""
    other_machines: int
    """Results that were left out: a machine cannot be compared with another."""
    unreadable: int


def history_of(
    key: str, points: Sequence[Point], unreadable: int = 0, *, machine: str | None = None
) -> BenchHistory:
    """Return the history of a key.

    Args:
        key: Of the bench.
        points: In the order of time.
        unreadable: Results that could not be read.
        machine: Only those of this one; None: of the one that the newest result is of.
    """
    wanted = machine if machine is not None else (points[-1].machine if points else None)
    mine = tuple(point for point in points if point.machine == wanted)
    known: dict[str, FigureRuns] = {}
    for point in mine:
        known.update(point.figures)
    figures = [_figure(name, newest, mine) for name, newest in known.items()]
    figures.sort(key=lambda figure: not figure.judged)
    return BenchHistory(key, mine, tuple(figures), len(points) - len(mine), unreadable)


def _figure(name: str, newest: FigureRuns, points: Sequence[Point]) -> FigureHistory:
    runs = [point.figures[name].runs if name in point.figures else () for point in points]
    medians = tuple(median(each) if each else None for each in runs)
    judged = newest.threshold is not None
    changes = tuple(change_points(runs)) if judged else ()
    return FigureHistory(name, newest.unit, newest.better, judged, medians, changes)


def history_json(history: BenchHistory) -> dict[str, Any]:
    """Return the history as plain data (schema 1)."""
    return {
        "schema": 1,
        "key": history.key,
        "other_machines": history.other_machines,
        "unreadable": history.unreadable,
        "results": [
            {
                "created": point.created or None,
                "git_commit": point.commit,
                "git_dirty": point.dirty,
                "python": point.python,
            }
            for point in history.points
        ],
        "figures": [
            {
                "figure": figure.key,
                "unit": figure.unit,
                "better": figure.better,
                "medians": list(figure.medians),
                "changes": [
                    {
                        "at": change.at,
                        "git_commit": history.points[change.at].commit,
                        "change_pct": change.change.ratio * 100,
                        "change_interval_pct": [end * 100 for end in change.change.interval],
                    }
                    for change in figure.changes
                ],
            }
            for figure in history.figures
        ],
    }
