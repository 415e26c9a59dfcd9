"""Does a growth that slows down have a ceiling? A cache has, a leak that slows its own work not.

What fills up comes nearer to its ceiling by the same part in the same time: of two rises after
each other the second is r times the first, and what is still to come is r / (1 - r) times the
second. A leak that makes every turn longer slows down ever less: what is still to come stays much.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.growth import increments

if TYPE_CHECKING:
    from collections.abc import Sequence

IN_SIGHT = 0.65
"""Of the growth so far: with less still to come, the ceiling is in sight."""
SLOWED = 0.8
"""The last third of a growth that slows rose less than this part of the first."""
LEAST_UP = 0.25
"""Of the mean: every step must be as large, or it has stopped and gone on."""


def to_come(floors: Sequence[float]) -> float:
    """Return how many bytes a growth will still rise by its last two pairs of steps, `inf` if it
    does not slow down.

    Args:
        floors: Of at least five blocks of the same length.
    """
    steps = increments(list(floors))
    before, last = sum(steps[-4:-2]), sum(steps[-2:])
    if last >= before:
        return inf
    ratio = max(last, 0.0) / before if before > 0 else 0.0
    return last * ratio / (1 - ratio)


def slows_without_ceiling(floors: list[float]) -> bool:
    """Tell a growth that slows down, rises everywhere, and has no ceiling in sight."""
    steps = increments(floors)
    third = len(steps) // 3 + 1
    grown = floors[-1] - floors[0]
    if grown <= 0 or min(steps) < LEAST_UP * grown / len(steps):
        return False
    if sum(steps[-third:]) >= SLOWED * sum(steps[:third]):
        return False
    return to_come(floors) > IN_SIGHT * grown
