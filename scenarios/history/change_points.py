"""Where a figure changed for good.

The middles of the results are cut into levels (`compare.levels`). A cut counts only if all runs of
the level before it and of the level after it differ by more than noise (`ratios.of_groups`: what
neighbours in time share counts less); the weakest one that does not is taken out, and its two
levels are one. The chance of a false alarm is shared by all places where a cut could be.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.compare.levels import cuts
from perftui.probes.compare.ratios import FALSE_ALARMS, of_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.ratios import SeriesChange

LEAST_RATIO = 0.02
"""A smaller change is told by nobody: machines differ from themselves by more over months."""


class ChangePoint(NamedTuple):
    """From one point to the next, and for good: until the next change or the end."""

    at: int
    """Index of the first point that is different."""
    change: SeriesChange
    """Of all runs from the change before until here, to those until the next."""


def change_points(runs: Sequence[Sequence[float]]) -> list[ChangePoint]:
    """Return where the level of a series of results changes, in order.

    Args:
        runs: The runs of each result, in the order of time; an empty one is skipped.
    """
    known = [(index, each) for index, each in enumerate(runs) if each]
    middles = [median(each) for _, each in known]
    if len(known) < 2 or min(middles) <= 0:
        return []
    edges = [*cuts([math.log(middle) for middle in middles], 1), len(known)]
    while len(edges) > 2:
        found = [_between(known, edges, number, len(known)) for number in range(1, len(edges) - 1)]
        weakest = min(range(len(found)), key=lambda number: _strength(found[number]))
        if _strength(found[weakest]) >= 1:
            return [
                ChangePoint(known[at][0], change)
                for at, change in zip(edges[1:-1], found, strict=True)
                if change is not None
            ]
        del edges[weakest + 1]
    return []


def _between(
    known: Sequence[tuple[int, Sequence[float]]], edges: Sequence[int], number: int, n: int
) -> SeriesChange | None:
    before, at, after = edges[number - 1 : number + 2]
    base, new = (
        [v for _, each in known[a:b] for v in each] for a, b in ((before, at), (at, after))
    )
    return of_groups(base, new, 2 * FALSE_ALARMS / (n - 1))


def _strength(change: SeriesChange | None) -> float:
    """Return how sure a change is: 1 and more if it is beyond noise, and not too small to tell."""
    if change is None or abs(math.log1p(max(change.ratio, -0.999_999))) < LEAST_RATIO:
        return 0.0
    low, high = (math.log1p(max(end, -0.999_999)) for end in change.alarm)
    half = (high - low) / 2
    return abs(high + low) / 2 / half if half > 0 else math.inf
