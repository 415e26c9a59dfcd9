"""One rise of the floors, seen through eight blocks: what speaks against its being a leak.

A leak's floors rise everywhere, evenly and without slowing down. Stairs, teeth of a collector, a
cache that fills up and a load that ends do something else, each of which is looked for here.
"""

from __future__ import annotations

import itertools
from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.detect.evidence.growth import fit_curve, fit_line, increments, roughness
from perftui.probes.detect.evidence.history import BUCKET_S
from perftui.probes.detect.evidence.stairs import LEAST_STAIRS

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.history import History

BLOCKS = 8
START_UP_BUCKETS = 6
"""What is loaded in the first 3 s is no growth."""
SHORT_S = 24.0
"""Up to this long a window is held to the stricter evenness."""
LEAST_FOR_COURSE = 8
CURVED, BY_CHANCE = 6.0, 3.0
"""So many times the noise of single seconds are those of a growth off a line if it is none. Random
steps add up to less than the second."""
ROUGH_PART = 0.015
"""Of a growth: with more noise in single seconds, its blocks are not even in every look."""
STRAIGHT = 40.0
"""So many times what floors are off a line is a straight growth."""
SLOWER = 1.2
"""A third of the growth that rose this much more than the one after it means: it levels off."""
BENT = 0.85
"""The second half of a growth that rose less than this part of the first bends."""
SETTLING_BUCKETS, LEAST_FOR_CURVE = 2, 14
BENDS = ((3.5, 0.8), (2.5, 0.76), (1.5, 0.72))
"""A curvature that is so many standard errors from none, and makes the end slower than this part
of the beginning, bends: the slower, the less certain it need be."""
SWAYS = ((6.0, 0.8), (10.0, 0.9))
"""What is steepest in its middle by so many standard errors, and has less than this part of its
pace at its ends, is the flank of a wave: it comes out of a trough and goes to a crest."""
SHIFTED_BUCKETS = 6
"""Block sizes from which on stairs are looked for."""
LEAST_OF_MEAN, SMOOTH = 0.2, 0.6
"""A second rises if it does by this part of the mean; so many of all must."""
FALLS = 0.05
"""Of a growth: stairs do not fall by more."""
STILL = 0.8
"""Of its pace a growth must have had in the last second to be still rising: not one that ended a
quarter of a second ago."""
FLAT_PART, FLAT_BUCKETS = 0.08, 16
"""Of a growth: what moves by less for as long before it, and for this many buckets at least, was
flat. A wave rises out of a trough: as long before, it moves by an eighth of the rise and more."""
ONSET_BUCKETS = 2
"""An onset is known to this many buckets."""
KNEE_BUCKETS, KNEE = 4, 2.5
"""A load that ended in a leak: over 2 s, so many times faster before than after."""
KNEE_NOISES = 6.0


Course = Literal["unknown", "straight", "rough", "curved"]
"""On a line but for its noise; the same with much noise; or off it by far more, as a wave is."""


class FloorsRise(NamedTuple):
    """The floors of eight blocks up to now. Times are seconds, amounts bytes."""

    history: History
    size: int
    """Buckets of a block."""
    floors: list[float]
    earliest: int
    """The first bucket that counts as evidence."""

    @property
    def span_s(self) -> float:
        """Length of the window."""
        return BLOCKS * self.size * BUCKET_S

    @property
    def grown(self) -> float:
        """From the first block's floor to the last one's."""
        return self.floors[-1] - self.floors[0]

    @property
    def step(self) -> float:
        """Mean rise from one block to the next."""
        return self.grown / (BLOCKS - 1)

    def bucket_of(self, t_s: float) -> int:
        """Return the bucket in which a time of the recent past lies."""
        return self.history.end - round((self.history.now() - t_s) / BUCKET_S)

    def is_even(self, *, strict: bool) -> bool:
        """Rises nearly everywhere, without one big step, and does not slow down."""
        steps, grown = increments(self.floors), self.grown
        if sum(step > self.step / 4 for step in steps) < 6:
            return False
        if max(steps) >= 0.4 * grown or min(steps) < -0.15 * grown or steps[-1] < 0.3 * self.step:
            return False
        if sum(steps[-3:]) < 0.75 * sum(steps[:3]):
            return False
        strict = strict or self.span_s <= SHORT_S
        if strict and sum(steps[-2:]) < 0.82 * max(
            left + right for left, right in itertools.pairwise(steps)
        ):
            return False
        return grown >= (14 if strict else 11) * fit_line(self.floors).residual_sd

    def course(self) -> Course:
        """How does it run from its beginning on, second by second?"""
        since_s = max(self.onset_s() + 1.0, self.history.now() - self.span_s)
        levels = self._second_levels(since_s)
        if len(levels) < LEAST_FOR_COURSE:
            return "unknown"
        off_line, noise = fit_line(levels).residual_sd, roughness(levels)
        if off_line > CURVED * noise:
            return "curved"
        if off_line < BY_CHANCE * noise and noise > ROUGH_PART * self.grown:
            return "rough"
        return "straight"

    def is_on_a_line(self) -> bool:
        """Are the floors of the blocks next to no noise off a line?"""
        return self.grown >= STRAIGHT * fit_line(self.floors).residual_sd

    def slows(self) -> bool:
        """Slower than before: a cache that fills up.

        Far faster before is another thing: start-up, or a load that has ended.
        """
        history, size = self.history, self.size
        earliest = max(history.known_from + START_UP_BUCKETS, history.first)
        stop = history.end - BLOCKS * size
        if self.span_s < 60 and stop - BLOCKS * size >= earliest:
            before = history.block_floors(size, BLOCKS, stop)
            if before is not None and 1.3 * self.grown <= before[-1] - before[0] <= 7 * self.grown:
                return True
        # A growth that is older than the window: its last third against the third before.
        begin = self._growth_begin(earliest)
        newest = history.end - size
        third = (newest - begin) // 3
        if newest - begin < 1.3 * BLOCKS * size:
            return False
        middle, older = (self._floor_near(newest - parts * third) for parts in (1, 2))
        if inf in (middle, older):
            return False
        last_third = self.floors[-1] - middle
        return SLOWER * last_third <= middle - older <= 8 * last_third

    def _floor_near(self, at: int) -> float:
        """Return the floor of the block at a bucket, or of the next one behind a hole."""
        for begin in range(at, min(at + 4 * self.size, self.history.end), self.size):
            floor = self.history.floor(begin, begin + self.size)
            if floor < inf:
                return floor
        return inf

    def is_whole(self) -> bool:
        """Did the growth begin in this window? Else it is the end of something longer."""
        earliest = max(self.history.known_from + START_UP_BUCKETS, self.history.first)
        return self._growth_begin(earliest) > self.history.end - BLOCKS * self.size - self.size

    def rose_since_s(self) -> float:
        """Return since when there was no level, however slowly or quickly it rose."""
        history, size = self.history, self.size
        earliest = max(history.known_from + START_UP_BUCKETS, history.first, self.earliest)
        begin = self._growth_begin(earliest)
        if earliest < begin < earliest + BLOCKS // 2 * size:  # too near to walk on
            at = earliest + (begin - earliest) // 2  # nor may its first half be a level
            while self._is_hole(at) and at + 1 < history.end:
                at += 1
            rose = history.floor(at, at + 1) - history.floor(earliest, earliest + 1)
            if 0.15 * self.step * (at - earliest) / size < rose < inf:
                begin = earliest
        return history.time_of(begin)

    def _growth_begin(self, earliest: int) -> int:
        """Walk back from the window while it rose at all; return the first bucket of the rise.

        In a hole of the readings there is no level: what is before it tells.
        """
        history, size = self.history, self.size
        stride = BLOCKS // 2 * size
        at, above = history.end - BLOCKS * size, self.floors[0]
        while at - stride >= earliest:
            back = at - stride
            while history.floor(back, back + size) == inf and back > earliest:
                back -= 1
            below = history.floor(back, back + size)
            if not 0.15 * self.step * (at - back) / size < above - below < inf:
                break
            at, above = back, below
        return at

    def has_few_steps(self) -> bool:
        """Does it rise everywhere only because of where the blocks were cut?

        A stair that is cut in its middle looks like two; half a block on, it does not.
        """
        if self.size < SHIFTED_BUCKETS:
            return False
        stop = self.history.end - self.size // 2
        shifted = self.history.block_floors(self.size, BLOCKS - 1, stop)
        if shifted is None:
            return False
        return sum(step > self.step / 4 for step in increments(shifted)) < BLOCKS - 2

    def has_few_stairs(self, since_s: float) -> bool:
        """Since then: is it made of a few steps, with nothing between them?"""
        steps = self._second_steps(since_s)
        grown = sum(steps)
        if not steps or min(steps) < -FALLS * grown:
            return False  # teeth upon it
        up = [step > LEAST_OF_MEAN * grown / len(steps) for step in steps]
        if sum(up) >= SMOOTH * len(steps):
            return False
        stairs = sum(now and not before for before, now in itertools.pairwise([False, *up]))
        return stairs < LEAST_STAIRS

    def is_smooth(self, since_s: float) -> bool:
        """Since then: does it rise in most of the seconds, and not in stairs?"""
        steps = self._second_steps(since_s)
        if not steps:
            return False
        least = LEAST_OF_MEAN * sum(steps) / len(steps)
        return sum(step > least for step in steps) >= SMOOTH * len(steps)

    def _second_steps(self, since_s: float) -> list[float]:
        return increments(self._second_levels(since_s))

    def _second_levels(self, since_s: float) -> list[float]:
        seconds = range(self.bucket_of(since_s), self.history.end - 1, 2)
        levels = [self.history.floor(at, at + 2) for at in seconds]
        return [level for level in levels if level < inf]

    def has_kink(self) -> bool:
        """Was the level flat for as long as it has grown since? Waves have no such beginning."""
        history = self.history
        begin = self.bucket_of(self.onset_s())
        length = max(history.end - begin, FLAT_BUCKETS)
        stop = begin - ONSET_BUCKETS
        start = stop - -(-length // self.size) * self.size
        if start < max(history.known_from + START_UP_BUCKETS, history.first):
            return False
        levels = [history.floor(at, at + self.size) for at in range(start, stop, self.size)]
        grown = self.floors[-1] - min(levels)
        return max(levels) - min(levels) <= FLAT_PART * grown < inf

    def still_rises(self) -> bool:
        """Look at this moment: the floor of a block that rises is from its beginning."""
        history = self.history
        at = history.end - 2
        if self._is_hole(at):
            at -= 1  # at one reading a second every other bucket is empty
        before, now = history.floor(at, at + 1), history.kept_bytes
        if now is None or before == inf:
            return False
        return now - before > STILL * (history.end - at) * self.step / self.size

    def onset_s(self) -> float:
        """Walk back while it rose at this pace; then meet the level of before."""
        history, size, floors, step = self.history, self.size, self.floors, self.step
        earliest = max(self.earliest, history.known_from, history.first)
        start = history.end - BLOCKS * size
        at = 0
        while at + 1 < len(floors) and floors[at + 1] - floors[at] < 0.4 * step:
            at += 1  # the window began before the growth did
        begin, level = start + at * size, floors[at]
        while at == 0 and begin - size >= earliest:
            if self._is_hole(begin - size) and (
                beyond := self._behind_hole(begin, level, earliest)
            ):
                begin, level = beyond
                continue
            floor = history.floor(begin - size, begin)
            if not self._keeps_pace(level - floor):
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

    def _keeps_pace(self, rise: float, blocks: int = 1) -> bool:
        return 0.4 * self.step * blocks < rise < 2.5 * self.step * blocks

    def _is_hole(self, at: int) -> bool:
        """Tell whether the floor of the block at a bucket is not from its beginning."""
        return self.history.floor(at, at + 1) == inf

    def _behind_hole(self, begin: int, level: float, earliest: int) -> tuple[int, float] | None:
        """Return (bucket, level) of the last block before a hole in the readings that ends at
        `begin`, None if it did not rise at this pace there: what has grown is as old as before."""
        history, size = self.history, self.size
        at = begin - size
        while at - size >= earliest and self._is_hole(at):
            at -= size
        if at - size < earliest or self._is_hole(at) or self._is_hole(at - size):
            return None
        floor, before = history.floor(at, at + size), history.floor(at - size, at)
        over_hole = self._keeps_pace(level - floor, (begin - at) // size)
        return (at, floor) if over_hole and self._keeps_pace(floor - before) else None

    def bends(self, since_s: float) -> bool:
        """Since then: did the second half rise clearly less than the first?"""
        history = self.history
        begin = self.bucket_of(since_s)
        small = max(self.size // 3, 1)
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
        return first > 0 and second < BENT * first - 1.5 * roughness(self.floors)

    def curves(self, since_s: float) -> bool:
        """Since then: clearly slower at its end than at its beginning, by a parabola through all?

        What fills up slowly bends little while it is young: halves would not tell.
        """
        begin = self.bucket_of(since_s) + SETTLING_BUCKETS
        if begin < self.history.first:
            return False
        levels = self._levels(begin)
        if sum(level < inf for level in levels) < LEAST_FOR_CURVE:
            return False
        curve = fit_curve(levels)
        return any(
            curve.t < -sure and curve.end_slope < slowed * curve.start_slope
            for sure, slowed in BENDS
        )

    def sways(self, since_s: float) -> bool:
        """Since then: slower at both ends than in between, by a cubic through all?

        The flank of a wave is as straight as a leak by the floors of eight blocks. But a leak
        begins at once, and random steps are as often steepest elsewhere.
        """
        begin = self.bucket_of(since_s) + SETTLING_BUCKETS
        if begin < self.history.first:
            return False
        levels = self._levels(begin)
        known = [(at, level) for at, level in enumerate(levels) if level < inf]
        if len(known) < LEAST_FOR_CURVE:
            return False
        curve = fit_curve(levels, 3)
        (first, low), (last, high) = known[0], known[-1]
        ends = (curve.start_slope + curve.end_slope) / 2
        mean = (high - low) / (last - first)
        return any(curve.t < -sure and ends < slower * mean for sure, slower in SWAYS)

    def knee_s(self, since_s: float) -> float | None:
        """Return when a load ended and something slower went on: the last sharp fall of the pace.

        What fills up slows down gradually and has no such moment.
        """
        begin = max(self.bucket_of(since_s) - KNEE_BUCKETS, self.earliest, self.history.first)
        levels = self._levels(begin)
        known = [level for level in levels if level < inf]
        if len(known) < 3 * KNEE_BUCKETS:
            return None
        noise = roughness(known)
        for at in range(len(levels) - KNEE_BUCKETS - 1, KNEE_BUCKETS - 1, -1):
            before, here, after = (levels[at - KNEE_BUCKETS], levels[at], levels[at + KNEE_BUCKETS])
            if inf in (before, here, after):
                continue
            fast, slow = here - before, after - here
            if fast > KNEE * max(slow, 0.0) and fast - slow > KNEE_NOISES * noise:
                return self.history.time_of(begin + at)
        return None

    def _levels(self, begin: int) -> list[float]:
        return [self.history.floor(at, at + 1) for at in range(begin, self.history.end)]
