"""What mem_growth says: a message, and the evidence with what was ruled out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.growth import increments
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.detect.evidence.arrivals import ArrivalsRise
    from perftui.probes.detect.evidence.observations import BoundSeen
    from perftui.probes.detect.evidence.stairs import Stairs


def of_floors(
    floors: Sequence[float],
    span_s: float,
    rate: float,
    age_s: float,
    to_limit: str,
    given_back: float,
) -> tuple[str, str]:
    """Of a growth that was seen in the floors of blocks; bytes, and bytes per second."""
    steps = increments(list(floors))
    up = sum(step > 0 for step in steps)
    message = (
        f"RSS +{format_bytes(rate)}/s for {format_seconds(age_s)} "
        f"(floor +{format_bytes(rate * age_s)}, "
        f"{up}/{len(steps)} blocks up, no plateau{to_limit})"
    )
    evidence = (
        f"window {format_seconds(span_s)}, RSS "
        f"{format_bytes(floors[0])} -> {format_bytes(floors[-1])}; ruled out: a step, "
        "a cache that fills up (not slowing down), garbage that is collected "
        f"({_released(given_back)})"
    )
    return message, evidence


def of_filling(
    floors: Sequence[float], rate: float, age_s: float, fills: BoundSeen
) -> tuple[str, str]:
    """Of a growth that has a bound."""
    message = f"RSS +{format_bytes(rate)}/s for {format_seconds(age_s)}: {fills.words}"
    evidence = (
        f"RSS {format_bytes(floors[0])} -> {format_bytes(floors[-1])}; "
        f"{format_bytes(fills.came_bytes)} of what rose in "
        f"{format_seconds(fills.t_s - fills.t0_s)} came into containers with a bound"
    )
    return message, evidence


def of_stairs(stairs: Stairs, age_s: float, to_limit: str, given_back: float) -> tuple[str, str]:
    """Of a growth in stairs."""
    message = (
        f"RSS +{format_bytes(stairs.height / stairs.apart_s)}/s for {format_seconds(age_s)}: "
        f"{stairs.n} stairs of {format_bytes(stairs.height)}, "
        f"{format_seconds(stairs.apart_s)} apart, no plateau{to_limit}"
    )
    evidence = (
        "all about as high and as far apart as each other, up to now; ruled out: a few steps, "
        f"what slows down, garbage that is collected ({_released(given_back)})"
    )
    return message, evidence


def of_slowing(
    floors: Sequence[float], span_s: float, early: float, late: float
) -> tuple[str, str]:
    """Of a growth that slows down from `early` to `late` bytes per second."""
    message = (
        f"RSS +{format_bytes(floors[-1] - floors[0])} in {format_seconds(span_s)}: rises, "
        f"slowing ({format_bytes(early)}/s -> {format_bytes(late)}/s), no ceiling in sight"
    )
    evidence = (
        f"RSS {format_bytes(floors[0])} -> {format_bytes(floors[-1])}, every block up; a "
        "cache without a bound, or a leak that slows its own work"
    )
    return message, evidence


def of_newcomers(found: ArrivalsRise, rate: float, grown: float, now_s: float) -> tuple[str, str]:
    """Of a family that grows by processes that come and stay."""
    floors = found.rise.floors
    message = (
        f"RSS +{format_bytes(rate)}/s for {format_seconds(now_s - found.onset_s)} "
        f"(+{format_bytes(grown)}): {found.came} processes came meanwhile, and what they bring "
        "stays"
    )
    evidence = (
        f"window {format_seconds(found.rise.span_s)}, RSS {format_bytes(floors[0])} -> "
        f"{format_bytes(floors[-1])}; ruled out: growth of those who are 10 s old"
    )
    return message, evidence


def _released(given_back: float) -> str:
    return f"at most {format_bytes(given_back)} given back" if given_back else "nothing given back"
