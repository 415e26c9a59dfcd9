"""Is a series of floors a lasting growth? The judgement that mem_growth and streaming_violation
share; each has its own strictness.
"""

from __future__ import annotations

import itertools
from math import sqrt
from typing import NamedTuple


class Line(NamedTuple):
    """A least-squares line through equally spaced values."""

    slope: float
    """Per step."""
    residual_sd: float


def fit_line(values: list[float]) -> Line:
    """Fit a line; the residual has two degrees of freedom less."""
    n = len(values)
    middle = (n - 1) / 2
    mean = sum(values) / n
    sxx = n * (n * n - 1) / 12
    slope = sum((i - middle) * value for i, value in enumerate(values)) / sxx
    rest = sum((value - mean - slope * (i - middle)) ** 2 for i, value in enumerate(values))
    return Line(slope, sqrt(rest / max(n - 2, 1)))


def increments(floors: list[float]) -> list[float]:
    """Return how much each floor is above the one before."""
    return [right - left for left, right in itertools.pairwise(floors)]


def correlation(xs: list[float], ys: list[float]) -> float:
    """Return Pearson's r, 0 if either does not vary."""
    n = len(xs)
    mean_x, mean_y = sum(xs) / n, sum(ys) / n
    sxx = sum((x - mean_x) ** 2 for x in xs)
    syy = sum((y - mean_y) ** 2 for y in ys)
    if sxx <= 0 or syy <= 0:
        return 0.0
    sxy = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return sxy / sqrt(sxx * syy)


def unexplained(xs: list[float], ys: list[float]) -> float:
    """Return the part of the variance of `ys` that a line over `xs` leaves, 0..1."""
    return 1.0 - correlation(xs, ys) ** 2
