"""Growth in stairs: at even distances the same is added, and never given back.

Blocks see it only once they are longer than a stair. Stairs can be counted sooner, but few of them
are nothing: workers that start one after another, parts of a model that are loaded.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.growth import increments
from perftui.probes.detect.evidence.history import BUCKET_S
from perftui.probes.spine.median import median

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.history import History

LEAST_STAIRS = 6
LEAST_BYTES, LEAST_HEIGHT = 4e6, 1e6
"""Of all, and of one: allocators come and go by less."""
WINDOW_BUCKETS = 120
STEP_BUCKETS = 2
"""Levels are those of a second: less tells noise from a stair badly."""
RISES = 0.02
"""A second that adds this part of all the growth belongs to a stair."""
STAIR = 0.05
"""With less of it a rise is none."""
IN_STAIRS = 0.85
"""Of all the growth: the rest is noise, or what creeps between the stairs."""
LONGEST = 3
"""Seconds from the foot of a stair to its top: what takes longer is a slope."""
HEIGHTS = (0.5, 2.0)
DISTANCES, FEW, FEW_DISTANCES = (0.5, 1.6), 6, (0.75, 1.3)
"""All must be within these parts of the median: what doubles or slows down is another thing; up to
so many must be as even as clockwork, unless they began late: workers start with their program."""
LATE_BUCKETS = 26
"""13 s after its start."""
LEAST_DISTANCE_S = 2.0
STOPPED = 1.5
"""After so many distances without a stair it has ended."""


class Stairs(NamedTuple):
    """Stairs that go on; bytes, and seconds."""

    n: int
    onset_s: float
    """When the first one began."""
    height: float
    apart_s: float
    grown: float


class _Stair(NamedTuple):
    begin: int
    end: int
    height: float


def stairs_of(history: History, earliest: int) -> Stairs | None:
    """Return the even stairs of the last minute, None if there are too few or other things.

    Args:
        history: Of what is looked at.
        earliest: The first bucket that counts as evidence.
    """
    n = min(history.end - max(earliest, history.first), WINDOW_BUCKETS) // STEP_BUCKETS
    if n * STEP_BUCKETS * BUCKET_S < LEAST_STAIRS * LEAST_DISTANCE_S:
        return None
    start = history.end - n * STEP_BUCKETS
    now = history.floor(history.end - STEP_BUCKETS, history.end)
    if not LEAST_BYTES <= now - history.floor(start, start + STEP_BUCKETS) < inf:
        return None
    kept = _kept(history, start, n)
    grown = kept[-1] - kept[0]
    if not LEAST_BYTES <= grown < inf:
        return None
    found = [each for each in _rises(kept, grown) if each.height >= STAIR * grown]
    if found and found[0].begin == 0:  # the window began in its middle
        grown -= found[0].height
        del found[0]
    if len(found) < LEAST_STAIRS or sum(each.height for each in found) < IN_STAIRS * grown:
        return None
    if max(each.end - each.begin for each in found) > LONGEST:
        return None
    heights = [each.height for each in found]
    distances = [float(right - left) for left, right in zip(*_neighbours(found), strict=True)]
    apart = median(distances)
    known_from = max(history.known_from, history.first)
    late = start + found[0].begin * STEP_BUCKETS >= known_from + LATE_BUCKETS
    even = FEW_DISTANCES if len(found) <= FEW and not late else DISTANCES
    if not _alike(heights, HEIGHTS) or not _alike(distances, even):
        return None
    apart_s = apart * STEP_BUCKETS * BUCKET_S
    if median(heights) < LEAST_HEIGHT or apart_s < LEAST_DISTANCE_S:
        return None
    if n - found[-1].end > STOPPED * apart:
        return None
    onset_s = history.time_of(start + found[0].begin * STEP_BUCKETS)
    return Stairs(len(found), onset_s, median(heights), apart_s, grown)


def _kept(history: History, start: int, n: int) -> list[float]:
    """Return, second by second, what was never given back since: the floor from then to now."""
    lowest, kept = inf, []
    for at in range(start + (n - 1) * STEP_BUCKETS, start - 1, -STEP_BUCKETS):
        lowest = min(lowest, history.floor(at, at + STEP_BUCKETS))
        kept.append(lowest)
    kept.reverse()
    return kept


def _rises(kept: list[float], grown: float) -> list[_Stair]:
    rises: list[_Stair] = []
    begin = None
    for at, step in enumerate([*increments(kept), 0.0]):
        if step >= RISES * grown:
            begin = at if begin is None else begin
        elif begin is not None:
            rises.append(_Stair(begin, at, kept[at] - kept[begin]))
            begin = None
    return rises


def _neighbours(found: list[_Stair]) -> tuple[list[int], list[int]]:
    begins = [each.begin for each in found]
    return begins[:-1], begins[1:]


def _alike(values: list[float], parts: tuple[float, float]) -> bool:
    usual = median(values)
    return parts[0] * usual <= min(values) and max(values) <= parts[1] * usual
