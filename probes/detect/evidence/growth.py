"""Is a series of floors a lasting growth? The judgement that mem_growth and streaming_violation
share; each has its own strictness.
"""

from __future__ import annotations

import itertools
from math import inf, sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Line(NamedTuple):
    """A least-squares line through equally spaced values."""

    slope: float
    """Per step."""
    residual_sd: float
    """Of the values around the line."""

    def t(self, n: int) -> float:
        """Return the size of the slope by its standard error, for a line through `n` values."""
        error = self.residual_sd / sqrt(n * (n * n - 1) / 12)
        return abs(self.slope) / error if error > 0 else float("inf")


def fit_line(values: Sequence[float]) -> Line:
    """Fit a line to at least two values; the residual has two degrees of freedom less."""
    from statistics import linear_regression  # 10 ms that only a suspicion pays

    slope, start = linear_regression(range(len(values)), values)
    rest = sum((value - start - slope * i) ** 2 for i, value in enumerate(values))
    return Line(slope, sqrt(rest / max(len(values) - 2, 1)))


class Curve(NamedTuple):
    """A least-squares parabola through equally spaced values."""

    start_slope: float
    """Per step."""
    end_slope: float
    t: float
    """The curvature by its standard error; negative if it slows down."""


def fit_curve(levels: Sequence[float]) -> Curve:
    """Fit a parabola through equally spaced values of which some may be missing (`inf`).

    At least four must be known. Neighbours of a wander tell the same twice: the error is that of
    as many values as are independent, by the correlation of a residual with the one before it.
    """
    known = [(float(x), level) for x, level in enumerate(levels) if level < inf]
    n = len(known)
    middle = sum(x for x, _ in known) / n
    xs = [x - middle for x, _ in known]
    mean = sum(level for _, level in known) / n
    ys = [level - mean for _, level in known]
    square = sum(x * x for x in xs)
    cube = sum(x * x * x for x in xs)
    # x^2 without what a constant and a line explain of it: orthogonal to both.
    shape = [x * x - square / n - cube / square * x for x in xs]
    size = sum(each * each for each in shape)
    slope = sum(x * y for x, y in zip(xs, ys, strict=True)) / square
    curvature = sum(each * y for each, y in zip(shape, ys, strict=True)) / size
    rest = [y - slope * x - curvature * each for x, y, each in zip(xs, ys, shape, strict=True)]
    squares = sum(each * each for each in rest)
    error = sqrt(squares / (n - 3) / size)
    if squares > 0:
        alike = sum(a * b for a, b in itertools.pairwise(rest)) / squares
        alike = min(max(alike, 0.0), 0.9)
        error *= sqrt((1 + alike) / (1 - alike))
    t = curvature / error if error > 0 else (0.0 if curvature == 0 else curvature * inf)
    bend = cube / square * curvature
    return Curve(slope + curvature * 2 * xs[0] - bend, slope + curvature * 2 * xs[-1] - bend, t)


def roughness(values: list[float]) -> float:
    """Return the noise of single values, as a standard deviation, of a series that may bend.

    From second differences, which neither a slope nor a slow bend is part of.
    """
    seconds = [a - 2 * b + c for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return sqrt(sum(each * each for each in seconds) / (6 * max(len(seconds), 1)))


def increments(floors: list[float]) -> list[float]:
    """Return how much each floor is above the one before."""
    return [right - left for left, right in itertools.pairwise(floors)]


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return Pearson's r, 0 if either does not vary."""
    import statistics

    try:
        return statistics.correlation(xs, ys)
    except statistics.StatisticsError:
        return 0.0


def unexplained(xs: list[float], ys: list[float]) -> float:
    """Return the part of the variance of `ys` that a line over `xs` leaves, 0..1."""
    return 1.0 - correlation(xs, ys) ** 2
