"""How sure a change is: intervals between runs, tests within runs, verdicts. Pure arithmetic.

Samples of one run depend on each other, so its own noise is read off blocks of time, never off
single samples. Between runs nothing is assumed: medians, and what resampling the runs gives.
"""

from __future__ import annotations

import math
import random
from functools import lru_cache
from statistics import fmean, median, variance
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Verdict = Literal["regressed", "suspect", "ok", "improved", "inconclusive"]

RESAMPLES = 2_000
SEED = 20_240_229
LEAST_RUNS = 3
"""Fewer runs on a side give no interval."""
LEAST_BLOCKS = 8
LEVEL = 0.05
"""Chance of error of an interval, and of all discoveries together."""


class Interval(NamedTuple):
    """Where a change lies with 95 % confidence, in the unit of what was measured."""

    low: float
    high: float


def between_runs(base: Sequence[float], new: Sequence[float]) -> Interval | None:
    """Return where the change of the median lies; None with too few runs.

    Percentile bootstrap, 2,000 resamples, the same every time. With three or four runs a side it
    is about the whole spread of the differences.
    """
    if min(len(base), len(new)) < LEAST_RUNS:
        return None
    rng = random.Random(SEED)
    changes = sorted(
        median(rng.choices(new, k=len(new))) - median(rng.choices(base, k=len(base)))
        for _ in range(RESAMPLES)
    )
    cut = round(RESAMPLES * LEVEL / 2)
    return Interval(changes[cut], changes[-cut - 1])


def verdict_of(
    worse: float,
    interval: Interval | None,
    threshold: float,
    alarm: Interval | None = None,
) -> Verdict | None:
    """Judge a change.

    Args:
        worse: How much worse it got; negative if better.
        interval: Of `worse`.
        threshold: From where on it matters, above 0, in the same unit.
        alarm: A wider interval, which must exclude 0 for `regressed` and `improved`; None: the
            same one.

    Returns:
        None without an interval: one run says nothing about noise.
    """
    if interval is None:
        return None
    sure = interval if alarm is None else alarm
    if worse > threshold:
        return "regressed" if sure.low > 0 else "suspect"
    if worse < -threshold and sure.high < 0:
        return "improved"
    if interval.high < threshold:
        return "ok"
    return "inconclusive"


class Estimate(NamedTuple):
    """A mean with its standard error."""

    value: float
    error: float
    df: int
    """Degrees of freedom of the error."""


def ratio_of_sums(blocks: Sequence[tuple[float, float]]) -> Estimate:
    """Estimate a share from (part, whole) of blocks of time.

    The error is that of a bootstrap over blocks in closed form: the blocks' spread around the
    common share.
    """
    parts, wholes = sum(part for part, _ in blocks), sum(whole for _, whole in blocks)
    n = len(blocks)
    if wholes <= 0 or n < 2:
        return Estimate(0.0, math.inf, max(n - 1, 1))
    share = parts / wholes
    spread = sum((part - share * whole) ** 2 for part, whole in blocks)
    return Estimate(share, math.sqrt(spread * n / (n - 1)) / wholes, n - 1)


def mean_of(values: Sequence[float]) -> Estimate:
    """Estimate a mean from independent runs."""
    n = len(values)
    mean = fmean(values)
    if n < 2:
        return Estimate(mean, math.inf, 1)
    return Estimate(mean, math.sqrt(variance(values, mean) / n), n - 1)


def chance_of_equal(base: Estimate, new: Estimate) -> float:
    """Return how likely a difference at least as large is if nothing changed (two-sided)."""
    error = math.hypot(base.error, new.error)
    if math.isinf(error):
        return 1.0
    difference = abs(new.value - base.value)
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return beyond(difference / error, min(base.df, new.df))


def interval_of(base: Estimate, new: Estimate) -> Interval | None:
    """Return where the difference of two estimates lies with 95 % confidence."""
    error = math.hypot(base.error, new.error)
    if math.isinf(error):
        return None
    reach = quantile(min(base.df, new.df)) * error
    change = new.value - base.value
    return Interval(change - reach, change + reach)


@lru_cache(maxsize=256)
def quantile(df: int) -> float:
    """Return which |T| is exceeded with the probability `LEVEL`."""
    low, high = 0.0, 1e3
    for _ in range(60):  # bisection: `beyond` falls steadily
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle, df) > LEVEL else (low, middle)
    return high


def beyond(t: float, df: int) -> float:
    """Return the probability that Student's |T| with `df` degrees of freedom is above `t`.

    The finite series for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4).
    """
    angle = math.atan2(t, math.sqrt(df))
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = (cosine, 0.0) if df % 2 else (1.0, 0.0)
    start = 1 if df % 2 else 0
    for power in range(start, df - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    inside = 2 / math.pi * (angle + sine * total) if df % 2 else sine * total
    return min(max(1.0 - inside, 0.0), 1.0)


def discoveries(chances: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Tell which of many tests hold together (Benjamini and Hochberg).

    Of what is told at most a share of `level` is false on average, however many were tested.
    """
    order = sorted(range(len(chances)), key=lambda n: chances[n])
    kept = 0
    for rank, index in enumerate(order, 1):
        if chances[index] <= level * rank / len(chances):
            kept = rank
    told = [False] * len(chances)
    for index in order[:kept]:
        told[index] = True
    return told
