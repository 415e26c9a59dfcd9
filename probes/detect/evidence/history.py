"""The recent past of a process as detectors see it: floors of RSS and last rows per half second.

A floor (the minimum of a span) is what a program keeps: batches and garbage that come and go
vanish from it once the span is longer than their period. What processes bring that come later is
left out: a pool that starts its workers does not grow (`spine.newcomers`). `family` has it with
them, once there are any. Pages of mapped files that come are left out of both (`files`).
"""

from __future__ import annotations

from collections import deque
from copy import copy
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.observations import TreeReading

BUCKET_S = 0.5
KEPT_BUCKETS = 660
"""330 s: two of the longest windows."""
_TRIM_AT = 2 * KEPT_BUCKETS
GAP_S = 10.0
"""After a longer hole nothing before it is evidence any more."""
HOLE_S, HOLE_TIMES = 1.5, 3.0
"""A time without readings that is as long, and so many times as long as is usual: single readings
of before are no witnesses of those after it."""
ARRIVALS_KEPT = 512
LEAST_OWN = 0.25
"""Of any time, at least this part is a program's own: what is as slow is judged all the same."""


class History:
    """Half-second buckets of what has been read; only closed ones are shown.

    Indices are absolute: bucket i covers [t0 + i/2 s, t0 + (i+1)/2 s).
    """

    def __init__(self, *, with_newcomers: bool = False) -> None:
        self._with_newcomers = with_newcomers
        self.family: History | None = None
        """The same of all processes; None while nobody has come."""
        self.arrivals_s: deque[float] = deque(maxlen=ARRIVALS_KEPT)
        """When processes came."""
        self._newcomers = 0
        self.t0_s: float | None = None
        self.first = 0
        """Index of the oldest bucket kept."""
        self.end = 0
        """Index behind the newest closed bucket."""
        self.known_from = 0
        """Index of the first bucket of the unbroken record."""
        self._floors: list[float] = []
        self._rows: list[float | None] = []
        self._floor = inf
        self._last_rows: float | None = None
        self._before: float | None = None
        self._last: float | None = None
        self._every_s = 0.0
        """Between the last two readings."""
        self.last_t_s: float | None = None
        self.rss_bytes: float | None = None
        """Median of the last three readings: single zero or half readings are gone."""
        self.brought_bytes = 0.0
        """Not in the floors: what processes that came later have brought."""
        self.files_bytes = 0.0
        """Not in the floors: pages of mapped files that have come."""
        self.own_s = 0.0
        """The program's own time up to the newest reading: without the waits for a core."""

    def add(self, sample: TreeReading) -> bool:
        """Take a reading; True if a bucket was closed by it."""
        t_s = sample.t_s
        if sample.newcomers and not self._with_newcomers:
            self._follow_family(sample)
        if self.t0_s is None:
            self.t0_s = t_s
        elif self.last_t_s is not None:
            passed_s = t_s - self.last_t_s
            if passed_s > GAP_S:
                self._break(t_s)
            elif passed_s > max(HOLE_S, HOLE_TIMES * self._every_s):
                self._before = self._last = None
            else:
                self._every_s = passed_s
        self._run_clock(sample)
        self.last_t_s = t_s
        closed = False
        index = int((t_s - self.t0_s) / BUCKET_S)
        if index > self.end:
            self._close(index)
            closed = True
        rss = sample.rss_bytes
        if rss is not None and rss > 0:
            self.files_bytes = sample.files_bytes
            rss = max(rss - self.brought_bytes - self.files_bytes, 1.0)
            before, last = self._before, self._last
            self._before, self._last = last, rss
            if before is None or last is None:
                middle = rss if last is None else min(rss, last)
            else:
                middle = max(min(before, last), min(max(before, last), rss))
            self.rss_bytes = middle + self.brought_bytes + self.files_bytes
            if middle < self._floor:
                self._floor = middle
        if sample.rows is not None and sample.rows_are_data:
            self._last_rows = sample.rows
        return closed

    def _run_clock(self, sample: TreeReading) -> None:
        if self.last_t_s is None:
            return
        part = 1.0
        if sample.run_queue_share is not None and sample.run_queue_percent is not None:
            # One that mostly sleeps stands for its waits alone; of many threads, as they all do.
            part = max(1.0 - sample.run_queue_percent / 100, 1.0 - sample.run_queue_share)
        self.own_s += max(part, LEAST_OWN) * (sample.t_s - self.last_t_s)

    def _follow_family(self, sample: TreeReading) -> None:
        self.brought_bytes = sample.brought_bytes
        if self.family is None:
            self.family = copy(self)
            self.family._with_newcomers = True
            self.family._floors, self.family._rows = self._floors.copy(), self._rows.copy()
            self.family.brought_bytes = 0.0
        came = min(max(sample.newcomers - self._newcomers, 0), ARRIVALS_KEPT)
        self.arrivals_s.extend([sample.t_s] * came)
        self._newcomers = sample.newcomers
        self.family.add(sample)

    def _close(self, index: int) -> None:
        self._floors.append(self._floor)
        self._rows.append(self._last_rows)
        for _ in range(index - self.end - 1):
            self._floors.append(inf)
            self._rows.append(self._last_rows)
        self.end = index
        self._floor = inf
        if len(self._floors) > _TRIM_AT:
            cut = len(self._floors) - KEPT_BUCKETS
            del self._floors[:cut], self._rows[:cut]
            self.first += cut

    def _break(self, t_s: float) -> None:
        """Begin anew behind a hole: indices go on, time is told from the new beginning."""
        self._floors.clear()
        self._rows.clear()
        self.end += 1
        self.first = self.known_from = self.end
        self.t0_s = t_s - self.end * BUCKET_S
        self._floor = inf
        self._before = self._last = self.rss_bytes = None

    @property
    def whole(self) -> History:
        """With what newcomers brought: what limits are about."""
        return self.family or self

    @property
    def kept_bytes(self) -> float | None:
        """What floors are made of, now."""
        if self.rss_bytes is None:
            return None
        return self.rss_bytes - self.brought_bytes - self.files_bytes

    def time_of(self, index: float) -> float:
        """Return the beginning of a bucket."""
        return (self.t0_s or 0.0) + index * BUCKET_S

    def now(self) -> float:
        """Return the end of the newest closed bucket."""
        return self.time_of(self.end)

    def floor(self, start: int, stop: int) -> float:
        """Return the floor of buckets [start, stop), `inf` if nothing was read."""
        return min(self._floors[start - self.first : stop - self.first], default=inf)

    def block_floors(self, size: int, count: int, stop: int | None = None) -> list[float] | None:
        """Return the floors of `count` blocks of `size` buckets that end at `stop`.

        A single empty block inside is put between its neighbours; with more of them, or with
        one at an end, nothing is known: None.
        """
        at = (self.end if stop is None else stop) - size * count - self.first
        if at < 0:
            return None
        buckets = self._floors
        floors = [min(buckets[i : i + size]) for i in range(at, at + size * count, size)]
        if inf in floors:
            empty = floors.index(inf)
            if empty in (0, count - 1) or floors.count(inf) > 1:
                return None
            floors[empty] = (floors[empty - 1] + floors[empty + 1]) / 2
        return floors

    def rows_at(self, index: int) -> float | None:
        """Return the counter at the end of a bucket, None if unknown."""
        at = index - self.first
        return self._rows[at] if 0 <= at < len(self._rows) else None
