"""Whether calls of one run reach a steady state: flat, warm-up, slowdown, or none.

The words, and the idea, are those of Barrett et al., "Virtual machine warmup blows hot and cold"
(OOPSLA 2017): the calls are cut where their level changes (`compare.levels`), and the levels are
compared with that of the last piece.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.levels import cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["flat", "warm-up", "slowdown", "no steady state", "unknown"]

LEAST_CALLS = 8
"""Fewer calls after the first tell nothing of levels."""
MOST_CALLS = 400
"""Looked at; of more, neighbours are put together (medians) first."""
_LEAST_PIECE = 3
_ALIKE = 0.05
"""Levels that differ by less (a part) are the same..."""
_ALIKE_S = 0.000_2
"""...or by less than this."""
_TAIL = 0.25
"""A level that begins in the last quarter is no steady one."""


class Steadiness(NamedTuple):
    """What became of the calls after the first."""

    state: State
    steady_s: float | None
    """Median of the last level; of all where nothing is known; None without calls."""
    settled_after: int
    """Calls, the first included, until that level began."""


def steadiness(calls_s: Sequence[float]) -> Steadiness:
    """Judge the durations of calls in their order; the first, which is cold, is left aside."""
    warm = [max(call, 1e-9) for call in calls_s[1:]]
    if not warm:
        return Steadiness("unknown", None, len(calls_s))
    if len(warm) < LEAST_CALLS:
        return Steadiness("unknown", median(warm), 1)
    step = -(-len(warm) // MOST_CALLS)
    shown = [median(warm[at : at + step]) for at in range(0, len(warm), step)]
    begins = cuts([math.log(call) for call in shown], _LEAST_PIECE)
    levels = [
        median(shown[t0:t1]) for t0, t1 in zip(begins, [*begins[1:], len(shown)], strict=True)
    ]
    last = levels[-1]
    at = len(levels) - 1
    while at > 0 and _alike(levels[at - 1], last):
        at -= 1
    settled = begins[at]
    steady_s = median(warm[settled * step :])
    if all(_alike(level, last) for level in levels):
        return Steadiness("flat", steady_s, 1)
    before = [level for level in levels[:at] if not _alike(level, last)]
    if settled >= len(shown) * (1 - _TAIL):
        return Steadiness("no steady state", median(warm), len(calls_s))
    state: State = "slowdown" if min(before) < last else "warm-up"
    return Steadiness(state, steady_s, 1 + settled * step)


def _alike(level_s: float, last_s: float) -> bool:
    return abs(level_s - last_s) <= max(_ALIKE * last_s, _ALIKE_S)
