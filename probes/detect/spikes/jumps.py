"""Where a series jumps: pure arithmetic over evenly spaced readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.median import median

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP_NS = 50_000_000
"""Between two readings: metrics come 20 times a second."""
WITHIN = 20
"""Readings (1 s) in which a jump must have happened."""
GOES_ON = 10
"""Readings (0.5 s) within which a rise must go on to belong to the same jump."""
LEAST_BYTES = 20e6
LEAST_SHARE = 0.1
NOISE = 0.05
"""A rise begins where at most this part of the least jump is missing to the lowest reading: what
a program does beside moves its RSS by some kilobytes all the time."""


def least_jump(before: float) -> float:
    """Return by how much RSS must rise within a second to be a jump."""
    return max(LEAST_BYTES, LEAST_SHARE * before)


def jumps(values: Sequence[float | None]) -> list[tuple[int, int]]:
    """Return (first, last) reading of every rise of at least `least_jump`, without overlap.

    A single reading that is off on its own (zero, half) is no jump.
    """
    smooth = _median_of_three(values)
    found: list[tuple[int, int]] = []
    floor = 0
    at = 0
    while at < len(smooth):
        low = _beginning(smooth, max(floor, at - WITHIN), at)
        now, before = smooth[at], None if low is None else smooth[low]
        if low is None or now is None or before is None or now - before < least_jump(before):
            at += 1
            continue
        last = _end_of_rise(smooth, at, least_jump(before) / 4)
        found.append((low, last))
        floor = at = last + 1
    return found


def _median_of_three(values: Sequence[float | None]) -> list[float | None]:
    smooth = list(values)
    for at in range(1, len(values) - 1):
        near = [v for v in values[at - 1 : at + 2] if v is not None]
        if len(near) == 3:
            smooth[at] = median(near)
    return smooth


def _beginning(values: Sequence[float | None], first: int, last: int) -> int | None:
    """Return the latest of the low readings of [first, last]: where a rise begins."""
    known = [(value, at) for at in range(first, last + 1) if (value := values[at]) is not None]
    if not known:
        return None
    lowest, place = min(known, key=lambda pair: (pair[0], -pair[1]))
    noise = NOISE * least_jump(lowest)
    return max(
        (at for value, at in known if at >= place and value <= lowest + noise), default=place
    )


def _end_of_rise(values: Sequence[float | None], at: int, least: float) -> int:
    """Follow a rise to its top: until half a second brings less than `least`."""
    while True:
        top = values[at]
        assert top is not None
        ahead = [
            (value, n)
            for n in range(at + 1, min(at + 1 + GOES_ON, len(values)))
            if (value := values[n]) is not None
        ]
        if not ahead:
            return at
        best, where = max(ahead, key=lambda pair: (pair[0], -pair[1]))
        if best <= top:
            return at
        at = where
        if best - top < least:
            return at
