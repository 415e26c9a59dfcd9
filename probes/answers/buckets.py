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
    return Filling(span, n, step_ns, hold_ns).with_all(points, until_ns)


class Filling:
    """Buckets that are filled as readings come: what is behind is not gone through again.

    Args:
        span: As of `buckets_of`, like the others.
        n: How many.
        step_ns: Of each of the points.
        hold_ns: How long a value holds.
    """

    def __init__(self, span: tuple[int, int], n: int, step_ns: int, hold_ns: int | None) -> None:
        self._span = span
        self._n = n
        self._width = bucket_ns(*span, n)
        self._step_ns = step_ns
        self._hold_ns = max(hold_ns, 2 * step_ns) if hold_ns is not None else None
        self._low: list[float | None] = [None] * n
        self._high: list[float | None] = [None] * n
        self._last: list[float | None] = [None] * n
        self._newest = -1
        """The bucket of the newest reading, -1 before there is one."""
        self._newest_t_ns = 0
        """Time of the first reading in it."""

    def with_all(self, points: Points, until_ns: int) -> Buckets:
        """Return the buckets with these readings.

        Args:
            points: Those of the time before, and what came behind them. Only the last of them
                may have changed; old ones may be missing, if they are missing in the range too.
            until_ns: The last reading of all.
        """
        t0_ns, t1_ns = self._span
        times = points.t
        first, end = self._first(times), bisect_left(times, t1_ns)
        low, high, last = self._low, self._high, self._last
        width, step_ns, hold, n = self._width, self._step_ns, self._hold_ns, self._n
        newest = self._newest
        for row in range(first, end):
            at = int((times[row] - t0_ns) // width)
            if at >= 0:
                if at > newest:
                    newest, self._newest_t_ns = at, times[row]
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
        self._newest = newest
        return Buckets(t0_ns, t1_ns, tuple(low), tuple(high), tuple(last))

    def _first(self, times: Sequence[int]) -> int:
        """Return the reading to begin with, and empty the buckets that it and later ones fill."""
        row = bisect_left(times, self._newest_t_ns) if self._newest >= 0 else 0
        known = 0 < row < len(times) and times[row] == self._newest_t_ns
        empty = self._newest if known else 0
        none = [None] * (self._n - empty)
        self._low[empty:] = self._high[empty:] = self._last[empty:] = none
        if known:
            self._newest = empty - 1
            return row - 1  # the last of its bucket: it may hold on into the emptied ones
        self._newest = -1
        return max(bisect_right(times, self._span[0]) - 1, 0)
