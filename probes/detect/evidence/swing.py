"""How much of its rises a program gives back: what it collects, and does not keep."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import deque


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

    def excuses(self, floors: list[float], times: float) -> bool:
        """Tell whether such a rise is what this program gives back again.

        A lasting growth is more than so many `times` that. If the program is known to swing, it
        must also reach where it has not been before.
        """
        grown = floors[-1] - floors[0]
        if grown < times * self.given_back:
            return True
        return self.given_back > 0.15 * grown and floors[-1] - self.tops[0] < 0.5 * grown
