"""mem_growth: what the program keeps grows and goes on growing.

Windows from 12 to 160 s are cut into 8 blocks; their floors must rise nearly everywhere, evenly,
without slowing down, and by more than this program has ever given back at that scale.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector, worse
from perftui.probes.detect.evidence.growth import fit_curve, fit_line, increments, roughness
from perftui.probes.detect.evidence.history import BUCKET_S
from perftui.probes.spine.median import median
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import EdgeSeverity

BLOCKS = 8
BLOCK_BUCKETS = (3, 4, 6, 9, 13, 20, 30, 40)
"""Block sizes: windows of 12, 16, 24, 36, 52, 80, 120 and 160 s."""
START_UP_BUCKETS = 6
"""What is loaded in the first 3 s is no growth."""
MIN_GROWTH_BYTES = 1.5e6
MIN_RATE = 0.06e6
"""Bytes per second."""
GIVEN_BACK_HALF_LIFE_S = 300.0
SLOWER = 1.2
"""A third of the growth that rose this much more than the one after it means: it levels off."""
MIN_AGE_S = 9.5
"""With less evidence a load of ten seconds looks like the beginning of a leak."""
SURE_AGE_S = 13.0
ROOTED_AGE_S = 23.0
"""A growth that is as old as the program: the first tooth of a slow collector looks like one."""
LEFT_TO_ROWS_S, LEFT_AGAIN_S = 14.0, 30.0
"""For how long a growth is left to streaming_violation while rows are read; after how long
without evidence that begins anew."""
ROWS_MIN_RATE = 0.1e6
"""Slower growth is below what streaming_violation looks for."""
BENT = 0.85
"""The second half of a growth that rose less than this part of the first bends."""
YOUNG_S = 16.0
SETTLING_BUCKETS, LEAST_FOR_CURVE = 2, 14
CURVE_SURE, SLOWED = 5.0, 0.8
"""How many standard errors a curvature must be from none, and how slow it must make the end."""
SHIFTED_BUCKETS = 6
"""Block sizes from which on stairs are looked for."""
SMALL_BYTES = 8e6
SMALL_SPAN_S = 30.0
"""What wanders by a few megabytes rises for half a wave; a small growth must last longer."""
SMALL_SEEN = 4
"""A small growth must be seen in this many seconds in a row: wander looks like one for less."""
MIN_CLEAR_BUCKETS = 44
"""It must have been flat for 22 s: a leak in small steps pauses too."""
CRITICAL_RATE = 20e6
CRITICAL_HOLD_S = 20.0
CRITICAL_TIME_TO_LIMIT_S = 600.0


@dataclass(slots=True)
class Swing:
    """How much rise was given back at one block size: garbage that is collected, not kept."""

    tops: deque[float]
    """The highest floor (aged) at every second of one window: first the one before it."""
    low: float = inf
    high: float = -inf
    given_back: float = 0.0

    def add(self, floor: float, keep: float) -> None:
        """Follow one floor a second; `keep` ages what is remembered."""
        self.given_back *= keep
        top = self.tops[-1] if self.tops else floor
        self.tops.append(max(floor, floor + (top - floor) * keep))
        if floor > self.high:
            self.high = floor
        fallen = self.high - floor
        rise = self.high - self.low
        if floor < self.low:
            self.low = floor
        if fallen > 0:
            if fallen > self.given_back:
                self.given_back = fallen
            if fallen > 0.5 * rise:  # the next rise begins here
                self.low, self.high = floor, floor

    def excuses(self, floors: list[float]) -> bool:
        """Tell whether such a rise is what this program gives back again.

        If it is known to swing, a growth must also reach where it has not been before.
        """
        grown = floors[-1] - floors[0]
        if grown < 1.5 * self.given_back:
            return True
        return self.given_back > 0.15 * grown and floors[-1] - self.tops[0] < 0.5 * grown


class MemGrowth(Detector):
    """See the module."""

    kind = "mem_growth"
    needs_s = START_UP_BUCKETS * BUCKET_S + ROOTED_AGE_S
    needs_impatient_s = (START_UP_BUCKETS + BLOCKS * BLOCK_BUCKETS[0]) * BUCKET_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._swings = [
            Swing(deque(maxlen=round(BLOCKS * size * BUCKET_S))) for size in BLOCK_BUCKETS
        ]
        self._keep = 0.5 ** (1.0 / GIVEN_BACK_HALF_LIFE_S)
        self._evidence_from = START_UP_BUCKETS
        self._rate = 0.0
        self._lookback = self._grows_from = 0
        self._seen = 0
        """For how many seconds in a row the evidence has been good."""
        self._left_at_s = self._left_since_s = float("-inf")

    def on_second(self, now_s: float) -> None:
        """Follow the swings; then look for a growth, or for the end of the open one."""
        history = self.history
        for swing, size in zip(self._swings, BLOCK_BUCKETS, strict=True):
            if history.end - size >= history.known_from:
                floor = history.floor(history.end - size, history.end)
                if floor < inf:
                    swing.add(floor, self._keep)
        if self.open is not None:
            self._watch(now_s)
        elif "streaming_violation" in self.context.open_alerts:
            self._evidence_from = history.end
        elif not self.context.raised("oom_risk"):  # one cause, one alert
            self._search(now_s)

    def _search(self, now_s: float) -> None:
        history = self.history
        earliest = max(self._evidence_from, history.known_from + START_UP_BUCKETS, history.first)
        for swing, size in zip(self._swings, BLOCK_BUCKETS, strict=True):
            if history.end - BLOCKS * size < earliest:
                break
            floors = history.block_floors(size, BLOCKS)
            if floors is None:
                continue
            span_s = BLOCKS * size * BUCKET_S
            grown = floors[-1] - floors[0]
            if grown < MIN_GROWTH_BYTES or grown / span_s < MIN_RATE:
                continue
            if grown < SMALL_BYTES and span_s < SMALL_SPAN_S:
                continue
            if (
                self._even(floors, span_s)
                and not swing.excuses(floors)
                and not self._slowing(floors, size, span_s)
                and not self._few_steps(floors, size)
            ):
                onset_s = self._onset(floors, size)
                if self._bends(onset_s, size, roughness(floors)):
                    continue
                if now_s - onset_s < YOUNG_S and self._curves(onset_s):
                    continue
                age_s = now_s - onset_s
                if age_s < MIN_AGE_S or (age_s < SURE_AGE_S and not self._still_rises(floors)):
                    continue
                if age_s < ROOTED_AGE_S and self._from_the_start(onset_s):
                    continue
                if self._left_to_rows(size, grown / span_s, now_s):
                    return
                self._seen += 1
                if grown < SMALL_BYTES and self._seen < SMALL_SEEN:
                    return
                self._found(floors, size, onset_s, now_s)
                return
        self._seen = 0

    def _still_rises(self, floors: list[float]) -> bool:
        """Look at the last second and a half: the last block's floor is from its beginning."""
        history = self.history
        newest = history.floor(history.end - 1, history.end)
        step = (floors[-1] - floors[0]) / (BLOCKS - 1)
        return floors[-1] + 0.2 * step < newest < inf

    def _left_to_rows(self, size: int, rate: float, now_s: float) -> bool:
        """Tell whether to leave it to streaming_violation, which knows better if it is one.

        It is given some seconds while rows are read all the time.
        """
        if rate < ROWS_MIN_RATE or not self._reads_rows(size):
            return False
        if now_s - self.context.time_explains_s < LEFT_AGAIN_S:
            return False
        if now_s - self._left_at_s > LEFT_AGAIN_S:
            self._left_since_s = now_s
        self._left_at_s = now_s
        return now_s - self._left_since_s < LEFT_TO_ROWS_S

    def _reads_rows(self, size: int) -> bool:
        history = self.history
        edges = range(history.end - 1 - BLOCKS * size, history.end, size)
        rows = [history.rows_at(edge) for edge in edges]
        known = [value for value in rows if value is not None]  # the counter may be younger
        return rows[-1] is not None and len(known) > BLOCKS // 2 and min(increments(known)) > 0

    @staticmethod
    def _even(floors: list[float], span_s: float) -> bool:
        """Rises nearly everywhere, without one big step, and does not slow down."""
        steps = increments(floors)
        grown = floors[-1] - floors[0]
        mean = grown / len(steps)
        if sum(step > mean / 4 for step in steps) < 6:
            return False
        if max(steps) >= 0.4 * grown or min(steps) < -0.15 * grown or steps[-1] < 0.3 * mean:
            return False
        if sum(steps[-3:]) < 0.75 * sum(steps[:3]):
            return False
        if span_s <= 36 and sum(steps[-2:]) < 0.82 * max(
            left + right for left, right in itertools.pairwise(steps)
        ):
            return False
        return grown >= 14 * fit_line(floors).residual_sd

    def _slowing(self, floors: list[float], size: int, span_s: float) -> bool:
        """Slower than before: a cache that fills up.

        Far faster before is another thing: start-up, or a load that has ended.
        """
        history = self.history
        earliest = max(history.known_from + START_UP_BUCKETS, history.first)
        rise = floors[-1] - floors[0]
        stop = history.end - BLOCKS * size
        if span_s < 60 and stop - BLOCKS * size >= earliest:
            before = history.block_floors(size, BLOCKS, stop)
            if before is not None and 1.3 * rise <= before[-1] - before[0] <= 7 * rise:
                return True
        # A growth that is older than the window: its last third against the third before.
        begin = self._growth_begin(floors, size, earliest)
        newest = history.end - size
        third = (newest - begin) // 3
        if newest - begin < 1.3 * BLOCKS * size:
            return False
        middle = history.floor(newest - third, newest - third + size)
        older = history.floor(newest - 2 * third, newest - 2 * third + size)
        if inf in (middle, older):
            return False
        last_third = floors[-1] - middle
        return SLOWER * last_third <= middle - older <= 8 * last_third

    def _few_steps(self, floors: list[float], size: int) -> bool:
        """Does it rise everywhere only because of where the blocks were cut?

        A stair that is cut in its middle looks like two; half a block on, it does not.
        """
        if size < SHIFTED_BUCKETS:
            return False
        shifted = self.history.block_floors(size, BLOCKS - 1, self.history.end - size // 2)
        if shifted is None:
            return False
        mean = (floors[-1] - floors[0]) / (BLOCKS - 1)
        return sum(step > mean / 4 for step in increments(shifted)) < BLOCKS - 2

    def _growth_begin(self, floors: list[float], size: int, earliest: int) -> int:
        """Walk back from the window while it rose at all; return the first bucket of the rise."""
        stride = BLOCKS // 2 * size
        least = 0.15 * (floors[-1] - floors[0]) / (BLOCKS - 1) * BLOCKS / 2
        at, above = self.history.end - BLOCKS * size, floors[0]
        while at - stride >= earliest:
            below = self.history.floor(at - stride, at - stride + size)
            if not least < above - below < inf:
                break
            at, above = at - stride, below
        return at

    def _from_the_start(self, onset_s: float) -> bool:
        """Has it grown ever since start-up? Then it may be garbage that was never collected yet,
        and longer evidence is asked for than where a level of before is known."""
        history = self.history
        if not self.context.patient or self._evidence_from > START_UP_BUCKETS:
            return False
        first = history.known_from + START_UP_BUCKETS
        return history.first <= first and onset_s <= history.time_of(first + 2)

    def _bends(self, onset_s: float, size: int, noise: float) -> bool:
        """Since its onset: did the second half rise clearly less than the first?"""
        history = self.history
        begin = history.end - round((history.now() - onset_s) / BUCKET_S)
        small = max(size // 3, 1)
        newest = history.end - small
        half = (newest - begin) // 2
        if half < 2 * small or begin < history.first:
            return False
        low, middle, high = (
            history.floor(at, at + small) for at in (newest - 2 * half, newest - half, newest)
        )
        if inf in (low, middle, high):
            return False
        first, second = middle - low, high - middle
        return first > 0 and second < BENT * first - 1.5 * noise

    def _curves(self, onset_s: float) -> bool:
        """Is it clearly slower at its end than at its beginning, by a parabola through it all?

        What fills up slowly bends little while it is young: halves would not tell.
        """
        history = self.history
        begin = history.end - round((history.now() - onset_s) / BUCKET_S) + SETTLING_BUCKETS
        if begin < history.first:
            return False
        levels = [history.floor(at, at + 1) for at in range(begin, history.end)]
        if len(levels) < LEAST_FOR_CURVE or inf in levels:
            return False
        curve = fit_curve(levels)
        return curve.t < -CURVE_SURE and curve.end_slope < SLOWED * curve.start_slope

    def _found(self, floors: list[float], size: int, onset_s: float, now_s: float) -> None:
        history = self.history
        steps = increments(floors)
        usual = median(steps)
        while len(steps) > 4 and steps[0] < 0.9 * usual:
            del steps[0]  # the window began before the growth did
        self._rate = sum(steps) / (len(steps) * size * BUCKET_S)
        self._lookback = max(BLOCKS * size, MIN_CLEAR_BUCKETS)
        self._grows_from = history.end - round((now_s - onset_s) / BUCKET_S)
        up = sum(step > 0 for step in increments(floors))
        severity, to_limit = self._severity(now_s - onset_s)
        message = (
            f"RSS +{format_bytes(self._rate)}/s for {format_seconds(now_s - onset_s)} "
            f"(floor +{format_bytes(self._rate * (now_s - onset_s))}, "
            f"{up}/{BLOCKS - 1} blocks up, no plateau{to_limit})"
        )
        evidence = (
            f"window {format_seconds(BLOCKS * size * BUCKET_S)}, RSS "
            f"{format_bytes(floors[0])} -> {format_bytes(floors[-1])}; ruled out: a step, "
            "a cache that fills up (not slowing down), garbage that is collected "
            f"({self._released()})"
        )
        self.raise_alert(severity, onset_s, now_s, message, evidence)

    def _released(self) -> str:
        most = max(swing.given_back for swing in self._swings)
        return f"at most {format_bytes(most)} given back" if most else "nothing given back"

    def _severity(self, age_s: float) -> tuple[EdgeSeverity, str]:
        limit, rss = self.context.limit_bytes, self.history.rss_bytes
        if limit and rss and self._rate > 0:
            left_s = max(limit - rss, 0) / self._rate
            if left_s < CRITICAL_TIME_TO_LIMIT_S:
                text = f", {format_bytes(limit)} limit in {format_seconds(left_s)}"
                return "critical", text
        if self._rate > CRITICAL_RATE and age_s >= CRITICAL_HOLD_S:
            return "critical", ""
        return "warn", ""

    def _onset(self, floors: list[float], size: int) -> float:
        """Walk back while it rose at this pace; then meet the level of before."""
        history = self.history
        step = (floors[-1] - floors[0]) / (BLOCKS - 1)
        earliest = max(self._evidence_from, history.known_from, history.first)
        start = history.end - BLOCKS * size
        at = 0
        while at + 1 < len(floors) and floors[at + 1] - floors[at] < 0.4 * step:
            at += 1  # the window began before the growth did
        begin, level = start + at * size, floors[at]
        while at == 0 and begin - size >= earliest:
            floor = history.floor(begin - size, begin)
            if floor == inf or not 0.4 * step < level - floor < 2.5 * step:
                break
            begin, level = begin - size, floor
        before = history.floor(max(begin - size, earliest), begin) if begin > earliest else inf
        # The floor of a rising block is at its start: go back along the slope to the old level.
        excess = max(floors[at] if before == inf else level - before, 0.0) if before < inf else 0.0
        back_s = min(excess / step, 1.0) * size * BUCKET_S if step > 0 else 0.0
        if at:
            rise = (floors[at + 1] - floors[at]) / step if at + 1 < len(floors) else 0.0
            return history.time_of(begin + (1 - min(max(rise, 0.0), 1.0)) * size)
        return history.time_of(max(begin - back_s / BUCKET_S, earliest))

    def _watch(self, now_s: float) -> None:
        """Escalate, or clear once the floors have stopped to rise."""
        history, edge = self.history, self.open
        if edge is None:
            return
        if "streaming_violation" in self.context.open_alerts:
            self._end(now_s, now_s, "told more exactly by streaming_violation")
            return
        severity, to_limit = self._severity(now_s - edge.t_onset_s)
        if worse(severity, edge):
            message = (
                f"RSS +{format_bytes(self._rate)}/s for "
                f"{format_seconds(now_s - edge.t_onset_s)}, no plateau{to_limit}"
            )
            self.change(severity, now_s, message, edge.evidence)
        half = self._lookback // 2
        start = history.end - 2 * half
        if start < max(history.known_from, history.first, self._grows_from):
            return
        early, late = history.floor(start, start + half), history.floor(start + half, history.end)
        if inf in (early, late):
            return
        if late - early < 0.15 * self._rate * half * BUCKET_S:
            end_s = history.time_of(start)
            lasted = format_seconds(max(end_s - edge.t_onset_s, 0.0))
            self._end(now_s, end_s, f"RSS no longer grows; it did for {lasted}")

    def _end(self, now_s: float, end_s: float, message: str) -> None:
        self.clear(now_s, end_s, message)
        self._evidence_from = self.history.end
