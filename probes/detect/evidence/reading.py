"""Does memory grow with the rows that are read, or with the time? Both do where rows come evenly;
where reading swings, one of them explains it better.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.growth import unexplained

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.history import History

LEAST_KNOWN = 8
"""Buckets with a floor and a counter."""
ROWS_POOR = 0.01
"""Rows that leave less of the variance than this unexplained explain it all."""
TIME_BETTER = 4.0
"""So many times less must time leave unexplained for a growth to be one with time."""
ROWS_BETTER = 2.0
"""So many times less must rows leave for a growth that once was one with time to be theirs."""


def with_time_alone(history: History, start: int) -> bool:
    """Tell whether time explains RSS since a bucket far better than the rows do: a leak beside the
    reading.

    Where rows come evenly both explain it, and the rows have it.
    """
    by_rows, by_time = _unexplained(history, start)
    return by_rows > ROWS_POOR and TIME_BETTER * by_time < by_rows


def with_rows_alone(history: History, start: int) -> bool:
    """Tell whether the rows explain RSS since a bucket better than time does."""
    by_rows, by_time = _unexplained(history, start)
    return ROWS_BETTER * by_rows < by_time


def _unexplained(history: History, start: int) -> tuple[float, float]:
    """Return what rows and time leave of the variance of RSS; nothing where little is known."""
    times: list[float] = []
    rows: list[float] = []
    floors: list[float] = []
    for at in range(start, history.end):
        floor, count = history.floor(at, at + 1), history.rows_at(at)
        if floor < inf and count is not None:
            times.append(at)
            rows.append(count)
            floors.append(floor)
    if len(floors) < LEAST_KNOWN:
        return 0.0, 0.0
    return unexplained(rows, floors), unexplained(times, floors)
