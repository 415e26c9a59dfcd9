"""A family that rises because processes come: a pool that starts, or processes that never end.

Both look the same for a while. A pool is complete at some time; who forks and never ends what it
forked goes on, evenly, with what each of them brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.rise import BLOCKS, START_UP_BUCKETS, FloorsRise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perftui.probes.detect.evidence.history import History

LEAST = 6
"""Fewer processes that come are no series."""
MARK_S = 12.0
SURE_S = 60.0
"""By then a pool that starts one worker after another is complete, as a rule."""
MANY, MANY_SURE_S = 32, 20.0
"""More than that are hardly a pool, however quickly they come."""
LEAST_BYTES, LEAST_RATE = 4e6, 0.06e6
"""Of the growth, and per second."""
STOPPED_GAPS, STOPPED_S = 3.0, 2.0
"""No more come if nobody has for so many times the usual gap, and for so long."""


class ArrivalsRise(NamedTuple):
    """A rise of the whole family with the processes that came meanwhile."""

    rise: FloorsRise
    onset_s: float
    came: int
    sure: bool
    """It has gone on for longer than a pool takes to start."""


def arrivals_rise(
    family: History, arrivals_s: Sequence[float], sizes: Iterable[int], earliest: int
) -> ArrivalsRise | None:
    """Return the first rise that goes on with the processes that come, None if there is none.

    Args:
        family: The floors of all processes.
        arrivals_s: When processes came, in order.
        sizes: Buckets of a block, the smallest first.
        earliest: The first bucket that counts as evidence.
    """
    now_s = family.now()
    for rise in _rises(family, sizes, earliest):
        onset_s = rise.onset_s()
        age_s = now_s - onset_s
        came = [t_s for t_s in arrivals_s if t_s >= onset_s]
        if age_s < MARK_S or len(came) < LEAST:
            continue
        gap_s = (came[-1] - came[0]) / (len(came) - 1)
        if now_s - came[-1] > max(STOPPED_GAPS * gap_s, STOPPED_S):
            continue
        sure = age_s >= SURE_S or (len(came) > MANY and age_s >= MANY_SURE_S)
        return ArrivalsRise(rise, onset_s, len(came), sure)
    return None


def _rises(family: History, sizes: Iterable[int], earliest: int) -> Iterator[FloorsRise]:
    first = max(earliest, family.known_from + START_UP_BUCKETS, family.first)
    for size in sizes:
        if family.end - BLOCKS * size < first:
            return
        floors = family.block_floors(size, BLOCKS)
        if floors is None:
            continue
        rise = FloorsRise(family, size, floors, earliest)
        if rise.grown < LEAST_BYTES or rise.grown / rise.span_s < LEAST_RATE:
            continue
        if rise.is_even(strict=False) and not rise.slows():
            yield rise
