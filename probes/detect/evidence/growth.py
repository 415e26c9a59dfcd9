"""Is a series of floors a lasting growth? The judgement that mem_growth and streaming_violation
share; each has its own strictness.
"""

from __future__ import annotations

import itertools
from math import sqrt
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


def fit_curve(values: list[float]) -> Curve:
    """Fit a parabola; at least four values."""
    n = len(values)
    line = fit_line(values)
    middle = (n - 1) / 2
    mean_square = (n * n - 1) / 12
    shape = [(i - middle) ** 2 - mean_square for i in range(n)]
    size = sum(each * each for each in shape)
    curvature = sum(each * value for each, value in zip(shape, values, strict=True)) / size
    rest = line.residual_sd**2 * (n - 2) - curvature**2 * size
    error = sqrt(max(rest, 0.0) / (n - 3) / size)
    t = curvature / error if error > 0 else (0.0 if curvature == 0 else curvature * float("inf"))
    bend = 2 * curvature * middle
    return Curve(line.slope - bend, line.slope + bend, t)


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
