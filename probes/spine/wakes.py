"""Threads that have something to do a few times a second do it together.

A thread that wakes alone finds its code and data out of the processor's caches, and pays several
times what the same work costs right behind another's. So each pauses until the next multiple of
its period on the common clock, not for a period from where it happens to be.
"""

from __future__ import annotations

from perftui.probes.text.units import NS_PER_S


def next_ns(now_ns: int, period_ns: int) -> int:
    """Return the next multiple of a period on the monotonic clock, later than `now_ns`."""
    return (now_ns // period_ns + 1) * period_ns


def until_next_s(now_ns: int, period_s: float) -> float:
    """Return the seconds until then."""
    return (next_ns(now_ns, round(period_s * NS_PER_S)) - now_ns) / NS_PER_S


def near_s(now_ns: int, rest_s: float, period_s: float) -> float:
    """Return the seconds until the multiple that is nearest to a moment in `rest_s`."""
    early_ns = max(round((rest_s - period_s / 2) * NS_PER_S), 0)
    return until_next_s(now_ns + early_ns, period_s) + early_ns / NS_PER_S
