"""How much a series changed, and how sure that is. Pure arithmetic on many runs of two sides.

In pairs: a run of the base and one of the new side, next to each other in time, in turns. What
disturbs the machine for longer than a run disturbs both, and their ratio says only what differs.
The interval is exact whatever the noise looks like where there are enough pairs for its level
(Wilcoxon's signed ranks: which side is which was settled before, so without a change the ratios
lie symmetric), and Student's where there are few: on heavy tails that is wider than it need be.

In groups (a baseline from a file): Welch's interval of the two means of logarithms, with fewer
degrees of freedom where neighbours in time resemble each other. A drift of the machine between
the two is in neither: whoever judges by it has to look at that separately. Of what no neighbour
disturbs (memory) the order of the runs says nothing, and an interval by ranks (Hodges, Lehmann
1963) is exact whatever the distribution, which of memory has few steps.

Two intervals: of 95 %, which says where the change lies, and a wider one that an alarm must
exclude 0 by. That leaves one false alarm in a hundred comparisons, over all their figures and
all looks at the growing series together.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from statistics import fmean, median, variance
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.confidence import LEVEL, Interval, beyond, verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.confidence import Verdict
    from perftui.probes.compare.facts import Better

FALSE_ALARMS = 0.01
"""Of all comparisons without a change: share with an alarm of any figure."""
LEAST_PAIRS = 3
_MOST_RANKED = 60
"""With more pairs Student's interval is as good, and signed ranks take a while."""

Method = Literal["pairs", "groups", "one series"]


class SeriesChange(NamedTuple):
    """A change of a figure, as a part of the base: 0.1 is 10 % more."""

    ratio: float
    """Median of the pairs, or of the medians of groups."""
    interval: Interval
    """95 %."""
    alarm: Interval
    """The wider one that an alarm goes by."""
    method: Method
    n: int
    """Pairs, or runs of the smaller group."""

    @property
    def noise(self) -> float:
        """Half the width of the 95 % interval."""
        return (self.interval.high - self.interval.low) / 2


def alarm_level(figures: int, share: float = 1.0) -> float:
    """Return the chance of error (two-sided) that one figure may have at one look.

    Args:
        figures: That are judged.
        share: Of all chance that this look may take.
    """
    return min(2 * FALSE_ALARMS * share / max(figures, 1), LEVEL)


def of_pairs(base: Sequence[float], new: Sequence[float], level: float) -> SeriesChange | None:
    """Return the change between two series of the same length, run by run; None of too few.

    Args:
        base: Values in the order of the pairs.
        new: The same.
        level: Chance of error of the wider interval (`alarm_level`).
    """
    pairs = list(zip(base, new, strict=True))
    if len(pairs) < LEAST_PAIRS:
        return None
    logs = all(one > 0 and other > 0 for one, other in pairs)
    if logs:
        steps = [math.log(other / one) for one, other in pairs]
    else:
        whole = median(abs(one) for one in base)
        if whole == 0:
            return None
        steps = [(other - one) / whole for one, other in pairs]
    found = SeriesChange(
        median(steps), centre(steps, LEVEL), centre(steps, level), "pairs", len(pairs)
    )
    return _as_ratio(found) if logs else found


def of_groups(base: Sequence[float], new: Sequence[float], level: float) -> SeriesChange | None:
    """Return the change between two series that were run at different times; None of too few."""
    if min(len(base), len(new)) < LEAST_PAIRS:
        return None
    logs = min(*base, *new) > 0
    if logs:
        sides = [[math.log(value) for value in side] for side in (base, new)]
    else:
        whole = median(abs(value) for value in base)
        if whole == 0:
            return None
        sides = [[value / whole for value in side] for side in (base, new)]
    middles = median(base), median(new)
    step = math.log(middles[1] / middles[0]) if logs else (middles[1] - middles[0]) / whole
    errors = []
    for side in sides:
        alone = max(len(side) * _own_share(side), 2.0)
        errors.append((variance(side) / alone, alone))
    error = math.sqrt(sum(part for part, _ in errors))
    df = _welch(errors)
    middle = fmean(sides[1]) - fmean(sides[0])
    wide, wider = (student(df, chance) * error for chance in (LEVEL, level))
    found = SeriesChange(
        step,
        Interval(middle - wide, middle + wide),
        Interval(middle - wider, middle + wider),
        "groups",
        min(len(base), len(new)),
    )
    return _as_ratio(found) if logs else found


def of_ranks(base: Sequence[float], new: Sequence[float], level: float) -> SeriesChange | None:
    """Return the change between two series whose runs are alike but for the side; None of too few.

    By the differences of all runs of one side to all of the other: the median, and between which
    of them it lies by the exact distribution of the rank sum (Mann, Whitney 1947).
    """
    if min(len(base), len(new)) < LEAST_PAIRS or min(*base, *new) <= 0:
        return of_groups(base, new, level)
    steps = sorted(math.log(other / one) for one in base for other in new)
    ranks = [rank_sum(len(base), len(new), chance) for chance in (LEVEL, level)]
    if not all(ranks):  # so few that their order alone cannot be that sure
        return of_groups(base, new, level)
    wide, wider = (Interval(steps[rank - 1], steps[-rank]) for rank in ranks)
    count = min(len(base), len(new))
    return _as_ratio(SeriesChange(median(steps), wide, wider, "groups", count))


def spread_of(values: Sequence[float]) -> Interval | None:
    """Return where the middle of one series lies with 95 %, in its unit; None of too few."""
    if len(values) < LEAST_PAIRS:
        return None
    if min(values) > 0:
        low, high = centre([math.log(value) for value in values], LEVEL)
        return Interval(math.exp(low), math.exp(high))
    return centre(values, LEVEL)


def judged(
    change: SeriesChange | None, threshold: float, better: Better, floor: float = 0.0
) -> Verdict | None:
    """Judge a change; None where nothing can be said or the figure has no good side.

    Args:
        change: Of the figure.
        threshold: From where on it matters, as a part of the base.
        better: Which way is good.
        floor: What two series of the same thing differ by (half an interval, calibrated): below
            twice that nothing is an alarm.
    """
    if change is None or better == "neither":
        return None
    ratio, interval, alarm = change.ratio, change.interval, change.alarm
    if better == "higher":
        ratio, interval, alarm = -ratio, _turned(interval), _turned(alarm)
    return verdict_of(ratio, interval, max(threshold, 2 * floor), alarm)


def centre(values: Sequence[float], level: float) -> Interval:
    """Return where the centre of values lies that are symmetric about it.

    Args:
        values: Three or more.
        level: Chance of error, two-sided.
    """
    n = len(values)
    rank = signed_rank(n, level) if n <= _MOST_RANKED else 0
    if rank > 0:
        walsh = sorted((one + other) / 2 for at, one in enumerate(values) for other in values[at:])
        return Interval(walsh[rank - 1], walsh[-rank])
    middle = fmean(values)
    reach = student(n - 1, level) * math.sqrt(variance(values, middle) / n)
    return Interval(middle - reach, middle + reach)


@lru_cache(maxsize=256)
def signed_rank(n: int, level: float) -> int:
    """Return which Walsh average from either end bounds the interval; 0 if n is too small.

    The largest k with P(W < k) <= level / 2, by the exact distribution of the sum of ranks.
    """
    counts = [1]
    for rank in range(1, n + 1):
        longer = counts + [0] * rank
        for at, count in enumerate(counts):
            longer[at + rank] += count
        counts = longer
    return _within_tail(counts, 2**n, level)


@lru_cache(maxsize=256)
def rank_sum(one: int, other: int, level: float) -> int:
    """Return which difference from either end bounds the shift of two groups; 0 of too few.

    The largest k with P(U < k) <= level / 2, by the exact distribution of Mann and Whitney's U.
    """
    counts = [1]  # of the partitions in a box: a Gaussian binomial, factor by factor
    for size in range(1, one + 1):
        longer = counts + [0] * (other + size)
        for at, count in enumerate(counts):
            longer[at + other + size] -= count
        for at in range(size, len(longer)):
            longer[at] += longer[at - size]
        counts = longer
    return _within_tail(counts, math.comb(one + other, one), level)


def _within_tail(counts: Sequence[int], total: int, level: float) -> int:
    """Return the largest k such that what lies below it is at most `level / 2` of all.

    Args:
        counts: How many of all have the value 0, 1, 2, ...
        total: How many all are.
        level: Of both tails together.
    """
    below = 0
    for k, count in enumerate(counts):
        below += count
        if below > level / 2 * total:
            return k
    return 0


@lru_cache(maxsize=1024)
def student(df: float, level: float) -> float:
    """Return which |T| is exceeded with the probability `level`; df is rounded down."""
    whole = max(int(df), 1)
    low, high = 0.0, 1e4
    for _ in range(80):  # bisection: `beyond` falls steadily
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle, whole) > level else (low, middle)
    return high


def _as_ratio(change: SeriesChange) -> SeriesChange:
    return change._replace(
        ratio=math.expm1(change.ratio),
        interval=Interval(*(_expm1(end) for end in change.interval)),
        alarm=Interval(*(_expm1(end) for end in change.alarm)),
    )


def _expm1(value: float) -> float:
    return math.expm1(min(value, 500.0))


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.high, -interval.low)


def _own_share(values: Sequence[float]) -> float:
    """Return which part of a series is news: neighbours that resemble each other are not."""
    middle = fmean(values)
    whole = sum((value - middle) ** 2 for value in values)
    if whole == 0:
        return 1.0
    steps = pairwise(values)
    alike = max(sum((one - middle) * (other - middle) for one, other in steps) / whole, 0.0)
    return (1 - alike) / (1 + alike)


def _welch(errors: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of (squared error, runs): Welch, Satterthwaite."""
    below = sum(part**2 / (runs - 1) for part, runs in errors if runs > 1)
    return sum(part for part, _ in errors) ** 2 / below if below > 0 else 1e6
