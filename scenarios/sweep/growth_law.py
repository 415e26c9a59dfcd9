"""How a cost grows with the work: cost ~ n^exponent, with an interval, and a verdict in words.

Pure functions on pairs (n, cost), several per n. The exponent is the slope of the least-squares
line through the logarithms; its interval is Student's, at 95 %, over all runs. A cost that has a
constant part bends in that picture, so the slope of the larger half of the sizes is looked at
too, and the verdict follows it where the two differ: what counts is where the growth is going.
"""

from __future__ import annotations

from math import log, sqrt
from statistics import linear_regression, median, variance
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Verdict = Literal["constant", "less than linear", "linear", "worse than linear", "cannot tell"]

CONSTANT_BELOW = 0.4
"""log10(2.5): ten times the data may take up to 2.5 times as much and still count as constant."""
LINEAR_FROM = 0.75
LINEAR_TO = 1.25
_SIZES = 3
"""Through two sizes every law fits."""
_SPAN = 3.0
_BENT = 0.25
"""Difference of the two slopes from which on we speak of a bend."""

# Student's t, 97.5 %, by degrees of freedom 1..30; above that the normal distribution's is near.
_T = (
    *(12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160),
    *(2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056),
    *(2.052, 2.048, 2.045, 2.042),
)
_T_NORMAL = 1.96


class Slope(NamedTuple):
    """An exponent with its 95 % interval."""

    exponent: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"n^{self.exponent:.2f} ({self.low:.2f} to {self.high:.2f})"


class Law(NamedTuple):
    """What is known about the growth of one cost."""

    verdict: Verdict
    words: str
    """One sentence; for "cannot tell" it says why and what to do."""
    overall: Slope | None
    large_end: Slope | None
    """Of the larger half of the sizes."""

    @property
    def decisive(self) -> Slope | None:
        """The exponent that the verdict goes by: where the growth is going."""
        if self.overall is None or self.large_end is None:
            return self.overall
        return self.large_end if _bent(self.overall, self.large_end) else self.overall


def growth_law(points: Iterable[tuple[float, float]], floor: float = 0.0) -> Law:
    """Say how cost grows with n.

    Args:
        points: (n, cost), in any order, each n several times.
        floor: Costs up to this cannot be told from nothing.
    """
    by_n = _by_n(points)
    sizes = sorted(by_n)
    reason = _too_little(sizes, by_n)
    if reason:
        return Law("cannot tell", f"cannot tell, because {reason}", None, None)
    costs = {n: median(by_n[n]) for n in sizes}
    if max(costs.values()) <= floor:
        return Law("constant", "constant: too little to be measured at any size", None, None)
    # Below the floor a logarithm would blow up what is nothing but noise.
    least = floor if floor > 0 else min(cost for found in by_n.values() for cost in found)
    if least <= 0:
        return Law("cannot tell", "cannot tell, because a cost of 0 was measured", None, None)
    logs = [(log(n), log(max(cost, least))) for n in sizes for cost in by_n[n]]
    overall = fitted_slope(logs)
    upper = set(sizes[len(sizes) // 2 :]) if len(sizes) > _SIZES else set(sizes[-2:])
    large_end = fitted_slope([(x, y) for x, y in logs if x in {log(n) for n in upper}])
    return _judged(overall, large_end)


def fitted_slope(points: Sequence[tuple[float, float]]) -> Slope | None:
    """The least-squares slope with Student's interval; None from less than three points."""
    n = len(points)
    if n < 3:
        return None
    xs, ys = zip(*points, strict=True)
    spread = variance(xs) * (n - 1)
    if spread == 0:
        return None
    slope, start = linear_regression(xs, ys)
    rest = sum((y - start - slope * x) ** 2 for x, y in points)
    freedom = n - 2
    t = _T[freedom - 1] if freedom <= len(_T) else _T_NORMAL
    half = t * sqrt(rest / freedom / spread)
    return Slope(slope, slope - half, slope + half)


def _by_n(points: Iterable[tuple[float, float]]) -> dict[float, list[float]]:
    by_n: dict[float, list[float]] = {}
    for n, cost in points:
        by_n.setdefault(n, []).append(cost)
    return by_n


def _too_little(sizes: Sequence[float], by_n: dict[float, list[float]]) -> str:
    if len(sizes) < _SIZES:
        number = "one size is" if len(sizes) == 1 else f"{len(sizes)} sizes are"
        return f"{number} too few: measure {_SIZES} or more"
    if sizes[0] <= 0:
        return "a size of 0 has no place in a law of growth"
    if sizes[-1] / sizes[0] < _SPAN:
        return (
            f"the largest size is only {sizes[-1] / sizes[0]:.1f} times the smallest: "
            "take sizes further apart"
        )
    if sum(map(len, by_n.values())) < len(sizes) + 2:
        return "single runs do not show their own scatter: measure each size several times"
    return ""


def _judged(overall: Slope | None, large_end: Slope | None) -> Law:
    assert overall is not None
    decisive, bend = overall, ""
    if large_end is not None and _bent(overall, large_end):
        decisive = large_end
        way = "steeper" if large_end.exponent > overall.exponent else "flatter"
        bend = f", {way} at the large end than over all sizes (n^{overall.exponent:.2f})"
    verdict = _verdict(decisive)
    if verdict == "cannot tell":
        kinds = _kinds_within(decisive)
        words = (
            f"cannot tell, because {decisive} may be anything from {kinds[0]} to {kinds[-1]}: "
            "measure more runs, or sizes further apart"
        )
        return Law(verdict, words, overall, large_end)
    return Law(verdict, f"{verdict}: {decisive}{bend}", overall, large_end)


def _bent(overall: Slope, large_end: Slope) -> bool:
    apart = abs(large_end.exponent - overall.exponent) > _BENT
    return apart and not large_end.low <= overall.exponent <= large_end.high


_BANDS: tuple[tuple[Verdict, float, float], ...] = (
    ("constant", float("-inf"), CONSTANT_BELOW),
    ("less than linear", CONSTANT_BELOW, LINEAR_FROM),
    ("linear", LINEAR_FROM, LINEAR_TO),
    ("worse than linear", LINEAR_TO, float("inf")),
)


def _kinds_within(slope: Slope) -> list[str]:
    return [name for name, low, high in _BANDS if slope.low < high and slope.high > low]


def _verdict(slope: Slope) -> Verdict:
    """The band that the interval lies in; neighbours may be touched, but not crossed.

    An interval that reaches into one neighbouring band goes by its middle, as long as it is
    no wider than the band of the linear: then two names at most would be right.
    """
    kinds = _kinds_within(slope)
    at = next(name for name, low, high in _BANDS if low <= slope.exponent < high)
    narrow = slope.high - slope.low <= LINEAR_TO - LINEAR_FROM
    if len(kinds) == 1 or (len(kinds) == 2 and narrow):
        return at
    return "cannot tell"
