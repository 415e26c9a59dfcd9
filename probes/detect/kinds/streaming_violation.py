"""streaming_violation: memory grows with the rows read, as if all of them were collected.

The window is cut into blocks of equal progress in rows, not in time: where reading pauses or
speeds up, RSS must follow. It replaces mem_growth for the same span: one cause, one alert.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import deque
from math import inf
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector, worse
from perftui.probes.detect.evidence.growth import correlation, increments
from perftui.probes.detect.evidence.history import BUCKET_S
from perftui.probes.detect.evidence.reading import with_rows_alone, with_time_alone
from perftui.probes.detect.evidence.swing import Swing
from perftui.probes.spine.median import median
from perftui.probes.text.units import format_bytes, format_count, format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import EdgeSeverity

WINDOW_BUCKETS = (16, 20, 28, 40, 64)
"""8, 10, 14, 20 and 32 s."""
BLOCKS = 6
MIN_GROWTH_BYTES = 4e6
MIN_CORRELATION = 0.9
START_OF_ROWS = 0.005
"""Of the rows of a window: before so many have come, it was not being read."""
MIN_READING_BUCKETS = 16
"""8 s of reading are the least evidence, however long the window is."""
PAUSE = 3.0
"""So many times the usual time between two batches, and reading pauses."""
START_UP_BUCKETS = 2
PACE_BUCKETS = 4
"""Paces of reading are taken over 2 s."""
SLOW_PART = 0.25
"""Reading that slows to less than this part of its usual pace swings; then it must be seen whether
RSS follows: in a growth within one swing, rows and time say the same."""
BOTH_PACES_BUCKETS = 28
"""14 s: a growth that is older need not have met both paces."""
TIMES_BACK, GIVEN_BACK_HALF_LIFE_S = 1.5, 300.0
"""A growth must be so many times what was once given back: what is gathered and written out again,
a batch of many seconds, follows the rows too."""
SWING_BUCKETS, SWING_S = 4, 14
FOOT = 0.08
"""Of a growth: below it, it has not begun."""
CRITICAL_TIME_TO_LIMIT_S = 60.0


class StreamingViolation(Detector):
    """See the module."""

    kind = "streaming_violation"
    needs_s = (START_UP_BUCKETS + WINDOW_BUCKETS[0]) * BUCKET_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._evidence_from = START_UP_BUCKETS
        self._bytes_per_row = 0.0
        self._window = self._found_at = 0
        self._swing = Swing(deque(maxlen=SWING_S))
        self._keep = 0.5 ** (1.0 / GIVEN_BACK_HALF_LIFE_S)
        self._disproved = False
        """It was said and time explained it better: a short window is not believed again, nor a
        long one in which time explains it as well."""

    def on_second(self, now_s: float) -> None:
        """Follow what is given back."""
        history = self.history
        if history.end - SWING_BUCKETS >= history.known_from:
            floor = history.floor(history.end - SWING_BUCKETS, history.end)
            if floor < inf:
                self._swing.add(floor, self._keep)

    def on_bucket(self, now_s: float) -> None:
        """Look for growth that follows the rows, or for its end."""
        if self.open is not None:
            self._watch(now_s)
            return
        history = self.history
        if history.rows_at(history.end - 1) is None or self.context.raised("oom_risk"):
            return
        earliest = max(self._evidence_from, history.known_from, history.first)
        for window in WINDOW_BUCKETS[-1:] if self._disproved else WINDOW_BUCKETS:
            start = history.end - window
            if start < earliest:
                return
            begin = self._reading_since(start)
            if begin is None or history.end - begin < MIN_READING_BUCKETS:
                continue
            blocks = self._row_blocks(begin)
            if blocks is None or not self._follows(*blocks):
                continue
            if blocks[0][-1] - blocks[0][0] < TIMES_BACK * self._swing.given_back:
                continue
            if self._reading_buckets(begin) < MIN_READING_BUCKETS:
                continue
            foot = self._foot(begin)
            starts = [foot, *(history.end - each for each in WINDOW_BUCKETS)]
            if self._within_one_pace(foot, earliest):
                continue
            if any(with_time_alone(history, at) for at in starts if at >= earliest):
                self.context.time_explains_s = now_s
                continue
            if self._disproved and not with_rows_alone(history, begin):
                continue
            if self.context.filling() is not None:  # mem_growth marks it
                return
            self._found(*blocks, history.end - begin, now_s)
            return

    def _reading_since(self, start: int) -> int | None:
        """Return the bucket from `start` on in which rows begin to come, None if they do not.

        A window that begins before the reading does would take its pause for a part of it.
        """
        history = self.history
        first, last = history.rows_at(start), history.rows_at(history.end - 1)
        if first is None or last is None or last <= first:
            return None
        bar = first + START_OF_ROWS * (last - first)
        at = start
        while (history.rows_at(at + 1) or 0.0) <= bar:
            at += 1
        return at

    def _reading_buckets(self, begin: int) -> float:
        """Return for how many buckets rows have come since `begin`: batches come now and then,
        but what lasts far longer than between two of them is a pause."""
        history = self.history
        came = [
            at for at in range(begin, history.end) if history.rows_at(at - 1) != history.rows_at(at)
        ]
        if len(came) < 2:
            return 0.0
        gaps = increments([*came, history.end])
        longest = PAUSE * max(median(gaps[:-1]), 1.0)
        return sum(min(gap, longest) for gap in gaps)

    def _row_blocks(self, start: int) -> tuple[list[float], list[float]] | None:
        """Return (floors, rows) at the borders of blocks of equal progress."""
        history = self.history
        first, last = history.rows_at(start), history.rows_at(history.end - 1)
        if first is None or last is None or last <= first:
            return None
        n = history.end - start
        rows = [history.rows_at(start + i) or 0.0 for i in range(n)]
        edges = [0]
        for k in range(1, BLOCKS):
            edges.append(bisect_left(rows, first + (last - first) * k / BLOCKS, edges[-1] + 1))
        edges.append(n)
        if any(right <= left for left, right in itertools.pairwise(edges)):
            return None
        floors = [
            history.floor(start + left, start + right) for left, right in itertools.pairwise(edges)
        ]
        if inf in floors:
            return None
        return floors, [rows[edge] for edge in edges[:-1]]

    def _foot(self, begin: int) -> int:
        """Return the bucket in which a growth since `begin` begins."""
        history = self.history
        low = history.floor(begin, history.end)
        bar = low + FOOT * (history.floor(history.end - 1, history.end) - low)
        at = history.end - 1
        while at > begin and history.floor(at - 1, at) > bar:
            at -= 1
        return at

    def _within_one_pace(self, foot: int, earliest: int) -> bool:
        """Tell whether a young growth has met one pace of a reading that has two."""
        history = self.history
        if history.end - foot >= BOTH_PACES_BUCKETS:
            return False
        first = max(history.end - WINDOW_BUCKETS[-1], earliest)
        paces = self._paces(first)
        while paces and paces[0] <= 0:
            del paces[0]  # reading had not begun
        if not paces or min(paces[1:], default=0.0) >= SLOW_PART * max(paces):
            return False
        mine = self._paces(foot)
        return min(mine, default=0.0) >= 2 * SLOW_PART * max(paces)

    def _paces(self, start: int) -> list[float]:
        """Return the rows of each 2 s up to now, from `start` on."""
        history = self.history
        edges = range(history.end - 1, start - 1, -PACE_BUCKETS)
        rows = [history.rows_at(edge) for edge in reversed(edges)]
        return increments([count for count in rows if count is not None])

    @staticmethod
    def _follows(floors: list[float], rows: list[float]) -> bool:
        grown = floors[-1] - floors[0]
        if grown < MIN_GROWTH_BYTES:
            return False
        steps = increments(floors)
        mean = grown / len(steps)
        if min(steps) <= 0.4 * mean:
            return False
        pairs = [left + right for left, right in itertools.pairwise(steps)]
        return pairs[-1] >= 0.84 * max(pairs) and correlation(floors, rows) >= MIN_CORRELATION

    def _found(self, floors: list[float], rows: list[float], window: int, now_s: float) -> None:
        history = self.history
        r = correlation(floors, rows)
        self._bytes_per_row = (floors[-1] - floors[0]) / max(rows[-1] - rows[0], 1.0)
        self._window = window
        self._found_at = history.end
        onset_s = self._onset(history.end - window, floors[0], rows[0])
        rate = (floors[-1] - floors[0]) * (BLOCKS / (BLOCKS - 1)) / (window * BUCKET_S)
        severity, to_limit = self._severity(rate)
        message = (
            f"RSS +{format_bytes(rate)}/s, r={r:.2f} with rows read, "
            f"{format_bytes(self._bytes_per_row)}/row, {format_seconds(now_s - onset_s)}: "
            f"looks like collect(){to_limit}"
        )
        evidence = (
            f"{format_count(rows[-1] - rows[0])} rows in {format_seconds(window * BUCKET_S)}, RSS "
            f"{format_bytes(floors[0])} -> {format_bytes(floors[-1])}, every sixth of the rows "
            "added its share; ruled out: a buffer that fills up (not slowing down), growth with "
            "time alone (RSS follows the rows)"
        )
        self.raise_alert(severity, onset_s, now_s, message, evidence)

    def _severity(self, rate: float) -> tuple[EdgeSeverity, str]:
        limit, rss = self.context.limit_bytes, self.history.rss_bytes
        if limit and rss and rate > 0:
            left_s = max(limit - rss, 0) / rate
            if left_s < CRITICAL_TIME_TO_LIMIT_S:
                text = f", {format_bytes(limit)} limit in {format_seconds(left_s)}"
                return "critical", text
        return "warn", ""

    def _onset(self, start: int, level: float, rows: float) -> float:
        """Walk back second by second while RSS kept to this many bytes per row."""
        history = self.history
        earliest = max(self._evidence_from - START_UP_BUCKETS, history.known_from, history.first)
        at = start
        while at - 2 >= earliest:
            before = history.rows_at(at - 2)
            floor = history.floor(at - 2, at)
            if before is None or floor == inf:
                break
            step = (rows - before) * self._bytes_per_row
            if step <= 0 or not 0.4 * step < level - floor < 2.5 * step:
                break
            at, level, rows = at - 2, floor, before
        return history.time_of(at)

    def _watch(self, now_s: float) -> None:
        edge, history = self.open, self.history
        if edge is None:
            return
        since = max(self._found_at - self._window, history.known_from, history.first)
        longer = [history.end - each for each in WINDOW_BUCKETS[3:]]
        if any(with_time_alone(history, at) for at in longer if at >= since):
            # What looked like it while it was young: mem_growth has the word from now on.
            self.context.time_explains_s = now_s
            self.clear(now_s, now_s, "RSS grows with the time, however many rows are read")
            self._evidence_from = history.end
            self._disproved = True
            return
        half = max(self._window // 2, 12)
        start = history.end - 2 * half
        if start < max(history.known_from, history.first, self._found_at - self._window):
            return
        early, late = history.floor(start, start + half), history.floor(start + half, history.end)
        rows0, rows1 = history.rows_at(start + half), history.rows_at(history.end - 1)
        if inf in (early, late) or rows0 is None or rows1 is None:
            return
        read = rows1 - rows0
        if read <= 0:
            read = 1.0
        if late - early < 0.15 * self._bytes_per_row * read or rows1 <= rows0:
            lasted = format_seconds(max(history.time_of(start) - edge.t_onset_s, 0.0))
            self.clear(
                now_s, history.time_of(start), f"RSS no longer grows with the rows; {lasted}"
            )
            self._evidence_from = history.end
            return
        rate = (late - early) / (half * BUCKET_S)
        severity, to_limit = self._severity(rate)
        if worse(severity, edge):
            message = (
                f"RSS +{format_bytes(rate)}/s with the rows read for "
                f"{format_seconds(now_s - edge.t_onset_s)}{to_limit}"
            )
            self.change(severity, now_s, message, edge.evidence)
