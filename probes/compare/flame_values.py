"""How wide the frames of a differential flame are, and how much they gained or lost.

A frame is as wide as the larger of its two shares, so that what vanished is seen as well as what
is new; a caller is at least as wide as all that it calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.figures import points_text
from perftui.probes.profile.sums import BYTES, WEIGHT_INDEX
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.profile.difference import Change, Delta, Difference
    from perftui.probes.profile.sums import WeightName

STRONGEST = 0.10
"""A change of share of this or more has the full colour."""
SAME = 0.0005
"""Less than this rounds to ±0.0 points."""

Hue = Literal["more", "less", "same"]


class Tint(NamedTuple):
    """The colour of a change, in words."""

    hue: Hue
    strength: float
    """0..1."""


def flame_values(difference: Difference, weight: WeightName) -> dict[int, float]:
    """Return the width of every node of the difference, 0 where neither side has anything.

    Added up from the leaves, so that no callee is wider than its caller.
    """
    index = WEIGHT_INDEX[weight]
    wholes = [max(side[index], 0) for side in difference.whole]
    values: dict[int, float] = {}
    for number in range(len(difference.nodes) - 1, -1, -1):  # callees come after their callers
        node = difference.nodes[number]
        own = 0.0
        for side, whole in enumerate(wholes):
            if whole:
                callees = sum(max(difference.nodes[c].total[side][index], 0) for c in node.children)
                own = max(own, (max(node.total[side][index], 0) - callees) / whole)
        values[number] = own + sum(values[child] for child in node.children)
    return values


def tint_of(delta: Delta) -> Tint:
    """Say what colour a change has."""
    if abs(delta.share) < SAME:
        return Tint("same", 0.0)
    # The root of the ratio: small changes are to be seen too.
    strength = min(abs(delta.share) / STRONGEST, 1.0) ** 0.5
    return Tint("more" if delta.share > 0 else "less", strength)


def sign_of(delta: Delta) -> str:
    """Say a change in a few characters, so that it reads without colour."""
    if delta.state == "new":
        return f"new {points_text(delta.share)}"
    if delta.state == "vanished":
        return f"gone {points_text(delta.share)}"
    return points_text(delta.share)


def sides_of(change: Change, weight: WeightName) -> tuple[float, float]:
    """Return an amount of both sides: seconds, or bytes."""
    index = WEIGHT_INDEX[weight]
    scale = 1 if weight in BYTES else NS_PER_S
    return max(change.base[index], 0) / scale, max(change.new[index], 0) / scale
