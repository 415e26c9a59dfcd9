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
    """A least-squares polynomial through equally spaced values."""

    start_slope: float
    """Per step."""
    end_slope: float
    t: float
    """Its highest power by its standard error: of a parabola it is negative if it slows down, of a
    cubic if it is steepest in its middle."""


def fit_curve(levels: Sequence[float], degree: int = 2) -> Curve:
    """Fit a parabola, or a cubic, through equally spaced values; some may be missing (`inf`).

    More than `degree` + 1 must be known. Neighbours of a wander tell the same twice: the error is
    that of as many values as are independent, by the correlation of a residual with the one before
    it.
    """
    known = [(float(x), level) for x, level in enumerate(levels) if level < inf]
    n = len(known)
    middle = sum(x for x, _ in known) / n
    xs = [x - middle for x, _ in known]
    rest = [level for _, level in known]
    # Powers of x, each without what the lower ones explain of it; and their slopes at both ends.
    shapes: list[tuple[list[float], float, float, float]] = []
    start_slope = end_slope = part = size = 0.0
    for power in range(degree + 1):
        shape = [x**power for x in xs]
        start, end = ((power * x ** (power - 1) if power else 0.0) for x in (xs[0], xs[-1]))
        for other, other_size, other_start, other_end in shapes:
            share = _dot(shape, other) / other_size
            shape = [each - share * lower for each, lower in zip(shape, other, strict=True)]
            start, end = start - share * other_start, end - share * other_end
        size = _dot(shape, shape)
        shapes.append((shape, size, start, end))
        part = _dot(rest, shape) / size
        rest = [y - part * each for y, each in zip(rest, shape, strict=True)]
        start_slope, end_slope = start_slope + part * start, end_slope + part * end
    squares = _dot(rest, rest)
    error = sqrt(squares / (n - degree - 1) / size)
    if squares > 0:
        alike = sum(a * b for a, b in itertools.pairwise(rest)) / squares
        alike = min(max(alike, 0.0), 0.9)
        error *= sqrt((1 + alike) / (1 - alike))
    t = part / error if error > 0 else (0.0 if part == 0 else part * inf)
    return Curve(start_slope, end_slope, t)


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


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
