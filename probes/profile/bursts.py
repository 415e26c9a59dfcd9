"""How far a share of CPU may be off: by the number of looks, and by bursts that none of them met.

What a thread uses between two looks is shared among its functions by how often each was met. That
is as good as the looks are many; and who works for less than 0.5 ms at a time may be gone before
all is asked, and be met too rarely or too often.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.reader import ThreadTree

WORTH_TELLING = 0.1
"""Of the CPU."""
_ANYTHING = 0.4
"""A share that may be off by so much tells nothing."""
_FACTOR = 2.0
"""By which such bursts were given too much or too little of it against longer ones, at the most
(docs/sampler.md)."""


class BriefBursts(NamedTuple):
    """CPU of some threads, and what of it was used in bursts under 0.5 ms that no look met."""

    cpu_ns: int
    brief_ns: int
    looks: float
    """That met the threads at work, about."""

    @property
    def share(self) -> float:
        """Of the CPU, 0..1."""
        return self.brief_ns / self.cpu_ns if self.cpu_ns else 0.0

    @property
    def worth_telling(self) -> bool:
        """Whether figures rest on them."""
        return self.share >= WORTH_TELLING

    def error(self, share: float = 0.5) -> float:
        """Return by how much a share of the CPU may be off, 0..1.

        Half of the 95 % interval by the looks, and what such bursts are known to be off by. Of
        all shares that of one half is the least certain.
        """
        looks = max(self.looks, 1.0)
        chance = 1.96 * math.sqrt(max(share * (1 - share), 0.25 / looks) / looks)
        odds = share * _FACTOR / (1 + share * (_FACTOR - 1)) - share
        return min(chance + self.share * odds, 1.0)

    @property
    def words(self) -> str:
        """What is to be said, "" if no figure rests on them."""
        if not self.worth_telling:
            return ""
        off = self.error()
        told = f"a share may be off by {100 * off:.0f} points"
        if off >= _ANYTHING:
            told = "too few looks met them to tell shares"
        return f"{self.share:.0%} of this CPU in bursts under 0.5 ms: {told}"


def brief_bursts(threads: Sequence[ThreadTree], rate_hz: float | None) -> BriefBursts:
    """Add up threads.

    Args:
        threads: Of some range.
        rate_hz: Looks a second. On a full machine many of them meet a thread in the queue, which
            says less: the more of them, the less each is worth.
    """
    cpu_ns = brief_ns = 0
    looks = 0.0
    for thread in threads:
        cells = thread.self_by_node.values()
        used_ns = sum(cell.cpu_ns for cell in cells)
        waited_ns = sum(cell.queue_ns for cell in cells)
        cpu_ns += used_ns
        brief_ns += sum(cell.brief_ns for cell in cells)
        if used_ns:
            worth = math.sqrt(used_ns / (used_ns + waited_ns))
            looks += used_ns / NS_PER_S * (rate_hz or 0.0) * worth
    return BriefBursts(cpu_ns, brief_ns, looks)
