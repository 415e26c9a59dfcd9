"""mem_growth: what the program keeps grows and goes on growing.

Windows from 8 to 160 s are cut into 8 blocks; their floors must rise nearly everywhere, evenly,
without slowing down, and by more than this program has ever given back at that scale. What slows
down and has no ceiling in sight is a mark: it may be a leak that slows its own work. What processes
bring that come later is no growth, unless they never cease to come: a mark first, too.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.arrivals import arrivals_rise
from perftui.probes.detect.evidence.ceiling import slows_without_ceiling
from perftui.probes.detect.evidence.detector import Detector, worse
from perftui.probes.detect.evidence.growth import increments
from perftui.probes.detect.evidence.history import BUCKET_S
from perftui.probes.detect.evidence.loading import Loading
from perftui.probes.detect.evidence.reading import with_time_alone
from perftui.probes.detect.evidence.rise import BLOCKS, START_UP_BUCKETS, FloorsRise
from perftui.probes.detect.evidence.stairs import stairs_of
from perftui.probes.detect.evidence.swing import Swing
from perftui.probes.detect.kinds.growth_words import (
    of_filling,
    of_floors,
    of_newcomers,
    of_slowing,
    of_stairs,
)
from perftui.probes.spine.median import median
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import (
        BoundSeen,
        EdgeSeverity,
        ImportBegan,
        ImportEnded,
        TreeReading,
    )

BLOCK_BUCKETS = (2, 3, 4, 6, 8, 9, 11, 13, 20, 30, 40)
"""Block sizes: windows of 8, 12, 16, 24, 32, 36, 44, 52, 80, 120 and 160 s."""
MIN_GROWTH_BYTES = 1.5e6
MIN_RATE = 0.06e6
"""Bytes per second."""
GIVEN_BACK_HALF_LIFE_S = 300.0
SURE_AGE_S = 12.0
"""Younger growth must be rising at this very moment, and above a level that was seen before."""
LOAD_RATE, SLOW_AGE_S = 6e6, 8.2
"""A load brings more than this in a second, as a rule: what is slower need not be so old."""
SMOOTH_AGE_S = 16.0
"""What has risen in nearly every second must be rising still up to this age: a load has ended."""
ROOTED_AGE_S = 23.0
"""A growth that is as old as the program: the first tooth of a slow collector looks like one."""
TOOTH_PART = 0.3
"""CPython collects all that lives when a quarter of it is new: what has grown by more since its
start is hardly garbage that waits, and need not be so old."""
LEFT_TO_ROWS_S, LEFT_AGAIN_S = 14.0, 30.0
"""For how long a growth is left to streaming_violation while rows are read; after how long
without evidence that begins anew."""
ROWS_MIN_RATE = 0.1e6
"""Slower growth is below what streaming_violation looks for."""
SMALL_BYTES, SMALL_PART = 8e6, 0.15
WAVE_BYTES = 16e6
"""Several waves together reach this."""
SMALL_SPAN_S, ROUGH_SPAN_S = 33.0, 31.0
"""What wanders by a few megabytes, and by little of what it has, rises for half a wave; such a
growth must last longer: the latter if it is on a line but for much noise, as random steps are."""
TINY_BYTES, TINY_SPAN_S = 3e6, 44.0
"""What grew by less must last as long: so little is soon a wave."""
TIMES_BACK, SMALL_TIMES_BACK = 1.5, 2.5
"""A growth must be so many times what was once given back."""
SMALL_SEEN = 3
"""And be seen in this many looks, of two a second, if it is not straight: wander looks like one
for less."""
SEEN_FORGOTTEN = 2
"""A look in which it is not seen takes so many away: random steps are not even in every look."""
STAIRS_LOOKBACK = 6.0
"""Distances of stairs by which it is seen whether they have ended."""
MIN_CLEAR_BUCKETS = 44
"""It must have been flat for 22 s: a leak in small steps pauses too."""
CLEAR_PART = 0.15
"""Of its pace: with less it is flat."""
CRITICAL_RATE = 20e6
CRITICAL_HOLD_S = 20.0
CRITICAL_TIME_TO_LIMIT_S = 600.0
MARK_BUCKETS = BLOCK_BUCKETS[1:]
MARK_BYTES, MARK_PART = 4e6, 0.1
"""A growth that slows is marked if it is as large, and as large a part of what there was."""
SAME_ONSET_S = 2.0


class _RiseBegan(NamedTuple):
    onset_s: float
    rooted: bool
    """No level was seen before."""


class MemGrowth(Detector):
    """See the module."""

    kind = "mem_growth"
    needs_s = START_UP_BUCKETS * BUCKET_S + ROOTED_AGE_S
    needs_impatient_s = (START_UP_BUCKETS + BLOCKS * BLOCK_BUCKETS[1]) * BUCKET_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._swings = [
            Swing(deque(maxlen=round(BLOCKS * size * BUCKET_S))) for size in BLOCK_BUCKETS
        ]
        self._keep = 0.5 ** (1.0 / GIVEN_BACK_HALF_LIFE_S)
        self._evidence_from = START_UP_BUCKETS
        self._rate = 0.0
        self._lookback = self._grows_from = 0
        self._followed = self.history
        """Where the open alert was found: without newcomers, or with them."""
        self._loading = Loading(self.history)
        self._seen = 0
        """For how many looks in a row the evidence has been good."""
        self._left_at_s = self._left_since_s = float("-inf")

    def on_second(self, now_s: float) -> None:
        """Follow the swings."""
        history = self.history
        for swing, size in zip(self._swings, BLOCK_BUCKETS, strict=True):
            if history.end - size >= history.known_from:
                floor = history.floor(history.end - size, history.end)
                if floor < inf:
                    swing.add(floor, self._keep)

    def on_sample(self, sample: TreeReading) -> None:
        """Follow whether modules are still being loaded."""
        self._loading.read(sample.modules)

    def on_import_began(self, began: ImportBegan) -> None:
        """Modules are being loaded."""
        self._loading.began(began)

    def on_import(self, ended: ImportEnded) -> None:
        """They are: growth begins anew after a long import."""
        if self._loading.ended(ended):
            self._evidence_from = self.history.end

    def on_bucket(self, now_s: float) -> None:
        """Look for a growth, or for the end of the open one."""
        history, edge = self.history, self.open
        if edge is not None and edge.severity != "info":
            self._watch(now_s)
            return
        if self._loading.goes_on(now_s):
            self._evidence_from = history.end
        if "streaming_violation" in self.context.open_alerts:
            if edge is not None:
                self.clear(now_s, now_s, "told more exactly by streaming_violation")
            self._evidence_from = history.end
        elif self.context.raised("oom_risk"):  # one cause, one alert
            return
        elif not (
            self._search(now_s) or self._search_stairs(now_s) or self._search_newcomers(now_s)
        ):
            if edge is not None:
                self._watch(now_s)
            elif self.open is None:
                self._mark(now_s)

    def _search(self, now_s: float) -> bool:
        """Look through windows of all lengths; True if one had a leak in it."""
        history = self.history
        first = max(self._evidence_from, history.known_from + START_UP_BUCKETS, history.first)
        for swing, size in zip(self._swings, BLOCK_BUCKETS, strict=True):
            if history.end - BLOCKS * size < first:
                break
            floors = history.block_floors(size, BLOCKS)
            if floors is None:
                continue
            rise = FloorsRise(history, size, floors, self._evidence_from)
            grown, span_s = rise.grown, rise.span_s
            if grown < MIN_GROWTH_BYTES or grown / span_s < MIN_RATE:
                continue
            if not rise.is_even(strict=False):
                continue
            wave_sized = grown < min(WAVE_BYTES, SMALL_PART * floors[0]) and not rise.has_kink()
            small = wave_sized and grown < SMALL_BYTES
            if small and span_s < (ROUGH_SPAN_S if grown > TINY_BYTES else TINY_SPAN_S):
                continue
            course = rise.course() if wave_sized else "unknown"
            if small and course != "rough" and span_s < SMALL_SPAN_S:
                continue
            if (
                course == "curved"
                or (small and course != "rough" and not rise.is_even(strict=True))
                or swing.excuses(floors, SMALL_TIMES_BACK if small else TIMES_BACK)
                or rise.slows()
                or rise.has_few_steps()
            ):
                continue
            began = self._leaks_since(rise, now_s)
            if began is None or rise.has_few_stairs(began.onset_s):
                continue
            onset_s = began.onset_s
            if began.rooted and self._is_young(rise, onset_s, now_s):
                continue
            if grown < WAVE_BYTES and not rise.has_kink() and rise.sways(onset_s):
                continue
            if self._left_to_rows(size, grown / span_s, now_s, rise.bucket_of(onset_s)):
                return False
            if (fills := self.context.filling()) is not None:
                self._mark_filling(rise, fills, onset_s, now_s)
                return False
            self._seen += 1
            if small and self._seen < SMALL_SEEN and not rise.is_on_a_line():
                return False
            self._found(floors, size, onset_s, now_s)
            return True
        self._seen = max(self._seen - SEEN_FORGOTTEN, 0)
        return False

    def _search_stairs(self, now_s: float) -> bool:
        """Look for growth in stairs that lie too far apart for the blocks."""
        history = self.history
        first = max(self._evidence_from, history.known_from + START_UP_BUCKETS)
        stairs = stairs_of(history, first)
        if stairs is None or stairs.grown < TIMES_BACK * self._most_given_back():
            return False
        rate = stairs.height / stairs.apart_s
        if self._left_to_rows(BLOCK_BUCKETS[1], rate, now_s, None):
            return False
        age_s = now_s - stairs.onset_s
        self._rate, self._followed = rate, history
        self._lookback = max(round(STAIRS_LOOKBACK * stairs.apart_s / BUCKET_S), MIN_CLEAR_BUCKETS)
        self._grows_from = history.end - round(age_s / BUCKET_S)
        severity, to_limit = self._severity(age_s)
        message, evidence = of_stairs(stairs, age_s, to_limit, self._most_given_back())
        self._warn(severity, stairs.onset_s, now_s, message, evidence)
        return True

    def _leaks_since(self, rise: FloorsRise, now_s: float) -> _RiseBegan | None:
        """Return the beginning of a rise that is straight and old enough, else None."""
        onset_s = rise.onset_s()
        rooted = self._from_the_start(onset_s) or self._from_the_start(rise.rose_since_s())
        if rise.bends(onset_s) or rise.curves(onset_s):
            knee_s = rise.knee_s(onset_s)
            if knee_s is None or rise.bends(knee_s) or rise.curves(knee_s):
                return None
            onset_s, rooted = knee_s, True
        age_s = now_s - onset_s
        rate = rise.step / (rise.size * BUCKET_S)
        if age_s < (SURE_AGE_S if rate > LOAD_RATE else SLOW_AGE_S):
            return None
        must_rise = age_s < SURE_AGE_S or (age_s < SMOOTH_AGE_S and rise.is_smooth(onset_s))
        if must_rise and not rise.still_rises():
            return None
        return _RiseBegan(onset_s, rooted)

    def _is_young(self, rise: FloorsRise, onset_s: float, now_s: float) -> bool:
        """Tell whether a growth that no level was seen before is too young to be told: it may be
        garbage, or workers that start one after another."""
        age_s = now_s - onset_s
        if not self.context.patient or age_s >= ROOTED_AGE_S:
            return False
        at = rise.bucket_of(onset_s)
        level = rise.history.floor(at, at + 1)
        large = rise.floors[-1] - level > TOOTH_PART * level
        return age_s < SURE_AGE_S or not large or not rise.is_smooth(onset_s)

    def _from_the_start(self, onset_s: float) -> bool:
        """Has it grown ever since start-up? Then no level of before is known."""
        history = self.history
        if self._evidence_from > max(START_UP_BUCKETS, self._loading.last):
            return False
        first = max(history.known_from + START_UP_BUCKETS, self._loading.last)
        return history.first <= first and onset_s <= history.time_of(first + 2)

    def _mark(self, now_s: float) -> None:
        """Mark a growth that slows down and has no ceiling in sight."""
        history = self.history
        first = max(self._evidence_from, history.known_from + START_UP_BUCKETS, history.first)
        for swing, size in zip(self._swings[1:], MARK_BUCKETS, strict=True):
            if history.end - BLOCKS * size < first:
                return
            floors = history.block_floors(size, BLOCKS)
            if floors is None or floors[-1] - floors[0] < max(MARK_BYTES, MARK_PART * floors[0]):
                continue
            if swing.excuses(floors, TIMES_BACK) or not slows_without_ceiling(floors):
                continue
            if not FloorsRise(history, size, floors, self._evidence_from).is_whole():
                continue
            steps = increments(floors)
            span_s = (BLOCKS - 1) * size * BUCKET_S
            early, late = (sum(part) / (2 * size * BUCKET_S) for part in (steps[:2], steps[-2:]))
            self._rate, self._followed = late, history
            self._lookback = max(BLOCKS * size, MIN_CLEAR_BUCKETS)
            self._grows_from = history.end - BLOCKS * size
            onset_s = history.time_of(self._grows_from)
            if (fills := self.context.filling()) is None:
                message, evidence = of_slowing(floors, span_s, early, late)
            else:
                message, evidence = of_filling(floors, late, now_s - onset_s, fills)
            self.raise_alert("info", onset_s, now_s, message, evidence)
            return

    def _mark_filling(
        self, rise: FloorsRise, fills: BoundSeen, onset_s: float, now_s: float
    ) -> None:
        """Mark a growth that has a bound."""
        if self.open is not None:
            return
        self._follow(rise, onset_s, now_s)
        message, evidence = of_filling(rise.floors, self._rate, now_s - onset_s, fills)
        self.raise_alert("info", onset_s, now_s, message, evidence)

    def _follow(self, rise: FloorsRise, onset_s: float, now_s: float) -> None:
        """Remember what it takes to see the end of a rise."""
        self._rate, self._followed = rise.step / (rise.size * BUCKET_S), self.history
        self._lookback = max(BLOCKS * rise.size, MIN_CLEAR_BUCKETS)
        self._grows_from = self.history.end - round((now_s - onset_s) / BUCKET_S)

    def on_filling(self, told: BoundSeen) -> None:
        """It is said of what was already told: it was too much."""
        edge = self.open
        if edge is None or edge.severity == "info" or self.context.filling() is None:
            return
        self.clear(told.t_s, told.t_s, f"{told.words}: not a leak, so far")
        self.raise_alert("info", told.t0_s, told.t_s, told.words, edge.evidence)

    def _search_newcomers(self, now_s: float) -> bool:
        """Look whether the family rises with processes that come and stay: a mark at first."""
        family = self.history.family
        if family is None:
            return False
        arrivals_s = self.history.arrivals_s
        found = arrivals_rise(family, arrivals_s, BLOCK_BUCKETS[1:], self._evidence_from)
        if found is None:
            return False
        mark = self.open
        if mark is not None and not found.sure:
            return False
        rise, onset_s = found.rise, found.onset_s
        self._rate, self._followed = rise.grown / ((BLOCKS - 1) * rise.size * BUCKET_S), family
        self._lookback = max(BLOCKS * rise.size, MIN_CLEAR_BUCKETS)
        self._grows_from = family.end - round((now_s - onset_s) / BUCKET_S)
        grown = rise.floors[-1] - family.floor(max(self._grows_from, family.first), family.end)
        message, evidence = of_newcomers(found, self._rate, grown, now_s)
        if not found.sure:
            evidence += "; a pool that starts, or processes that never end"
            self.raise_alert("info", onset_s, now_s, message, evidence)
            return True
        severity, to_limit = self._severity(now_s - onset_s)
        self._warn(severity, onset_s, now_s, message + to_limit, evidence)
        return True

    def _left_to_rows(self, size: int, rate: float, now_s: float, since: int | None) -> bool:
        """Tell whether to leave it to streaming_violation, which knows better if it is one.

        It is given some seconds while rows are read all the time; none where RSS has clearly
        followed the time and not the rows since a bucket.
        """
        if rate < ROWS_MIN_RATE or not self._reads_rows(size):
            return False
        if now_s - self.context.time_explains_s < LEFT_AGAIN_S:
            return False
        if since is not None and with_time_alone(self.history, since):
            return False
        if now_s - self._left_at_s > LEFT_AGAIN_S:
            self._left_since_s = now_s
        self._left_at_s = now_s
        return now_s - self._left_since_s < LEFT_TO_ROWS_S

    def _reads_rows(self, size: int) -> bool:
        history = self.history
        edges = range(history.end - 1 - BLOCKS * size, history.end, size)
        # In a hole of the readings nothing is known of the rows: they do not pause.
        rows = [history.rows_at(at) for at in edges if history.floor(at, at + 1) < inf]
        known = [value for value in rows if value is not None]  # the counter may be younger
        if not rows or rows[-1] is None or len(known) <= BLOCKS // 2:
            return False
        return min(increments(known[-BLOCKS // 2 - 1 :])) > 0  # reading may have begun with it

    def _found(self, floors: list[float], size: int, onset_s: float, now_s: float) -> None:
        history = self.history
        steps = increments(floors)
        usual = median(steps)
        while len(steps) > 4 and steps[0] < 0.9 * usual:
            del steps[0]  # the window began before the growth did
        self._rate = sum(steps) / (len(steps) * size * BUCKET_S)
        self._lookback = max(BLOCKS * size, MIN_CLEAR_BUCKETS)
        self._grows_from = history.end - round((now_s - onset_s) / BUCKET_S)
        age_s = now_s - onset_s
        severity, to_limit = self._severity(age_s)
        span_s = BLOCKS * size * BUCKET_S
        given_back = self._most_given_back()
        message, evidence = of_floors(floors, span_s, self._rate, age_s, to_limit, given_back)
        self._followed = history
        self._warn(severity, onset_s, now_s, message, evidence)

    def _warn(
        self, severity: EdgeSeverity, onset_s: float, now_s: float, message: str, evidence: str
    ) -> None:
        """Raise an alert, or make one of a mark."""
        mark = self.open
        if mark is not None and abs(mark.t_onset_s - onset_s) < SAME_ONSET_S:
            self.change(severity, now_s, message, evidence)
            return
        if mark is not None:
            self.clear(now_s, now_s, "it goes on")
        self.raise_alert(severity, onset_s, now_s, message, evidence)

    def _most_given_back(self) -> float:
        return max(swing.given_back for swing in self._swings)

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

    def _watch(self, now_s: float) -> None:
        """Escalate, or clear once the floors have stopped to rise."""
        history, edge = self._followed, self.open
        if edge is None:
            return
        if "streaming_violation" in self.context.open_alerts:
            self._end(now_s, now_s, "told more exactly by streaming_violation")
            return
        is_mark = edge.severity == "info"
        severity, to_limit = self._severity(now_s - edge.t_onset_s)
        if worse(severity, edge) and not is_mark:
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
        if late - early < CLEAR_PART * self._rate * half * BUCKET_S:
            over = self._last_rise(start, early, half)
            if is_mark and over != start:
                return  # it rose up to its fall, as at the end of a program: no ceiling was seen
            end_s = history.time_of(over)
            lasted = format_seconds(max(end_s - edge.t_onset_s, 0.0))
            self._end(now_s, end_s, f"RSS no longer grows; it did for {lasted}")

    def _last_rise(self, start: int, early: float, half: int) -> int:
        """Return the bucket since `start` in which it was over: where it was highest, if it rose
        on and then gave it back, as a program that ends does."""
        history = self._followed
        known = [at for at in range(start, history.end) if history.floor(at, at + 1) < inf]
        peak = max(known, key=lambda at: history.floor(at, at + 1))
        rose = history.floor(peak, peak + 1) - early
        return peak if rose >= CLEAR_PART * self._rate * half * BUCKET_S else start

    def _end(self, now_s: float, end_s: float, message: str) -> None:
        self.clear(now_s, end_s, message)
        self._evidence_from = self.history.end
