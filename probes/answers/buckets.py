"""Readings of one metric in equal buckets, wherever they come from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.reader import Buckets

if TYPE_CHECKING:
    from collections.abc import Sequence


class Points(NamedTuple):
    """Readings, or steps of many readings, in time order."""

    t: Sequence[int]
    low: Sequence[float]
    high: Sequence[float]
    last: Sequence[float]


NONE = Points((), (), (), ())


def bucket_ns(t0_ns: int, t1_ns: int, n: int) -> float:
    """Return the width of a bucket."""
    return max((t1_ns - t0_ns) / n, 1)


def no_buckets(t0_ns: int, t1_ns: int, n: int) -> Buckets:
    """Return the buckets of a metric that was never read."""
    nothing = (None,) * n
    return Buckets(t0_ns, t1_ns, nothing, nothing, nothing)


def buckets_of(
    points: Points,
    span: tuple[int, int],
    n: int,
    *,
    step_ns: int,
    hold_ns: int | None,
    until_ns: int,
) -> Buckets:
    """Return a range in `n` equal buckets, None where nothing was measured.

    Args:
        points: The readings; those around the range too.
        span: The range.
        n: How many.
        step_ns: Time that each of the points stands for, 0 if it is a single reading.
        hold_ns: How long a value holds (`holding`), None if until the next one.
        until_ns: The last reading of all.
    """
    t0_ns, t1_ns = span
    width = bucket_ns(t0_ns, t1_ns, n)
    low: list[float | None] = [None] * n
    high: list[float | None] = [None] * n
    last: list[float | None] = [None] * n
    times = points.t
    first = max(bisect_right(times, t0_ns) - 1, 0)
    end = bisect_left(times, t1_ns)
    hold = max(hold_ns, 2 * step_ns) if hold_ns is not None else None
    for row in range(first, end):
        at = int((times[row] - t0_ns) // width)
        if at >= 0:
            value = points.low[row]
            current = low[at]
            low[at] = value if current is None or value < current else current
            value = points.high[row]
            current = high[at]
            high[at] = value if current is None or value > current else current
            last[at] = points.last[row]
        # Carry the value through the empty buckets until the next reading.
        if row + 1 < len(times):
            until = times[row + 1]
        else:
            until = max(until_ns, times[row])
            if hold is None:
                until = t1_ns
        if hold is not None and until - times[row] > hold:
            until = times[row] + step_ns
        stop = min(int((until - t0_ns) // width), n - 1)
        for empty in range(max(at + 1, 0), stop + 1):
            low[empty] = high[empty] = last[empty] = points.last[row]
    return Buckets(t0_ns, t1_ns, tuple(low), tuple(high), tuple(last))
