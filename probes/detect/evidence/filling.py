"""Is it a cache that fills up to a bound that it has? RSS alone cannot tell before it is full.

Who looks from inside meets containers that say how much goes into them: an `lru_cache` with a
maxsize, a deque with a maxlen, what the program's own code keeps to a number. If most of a growth
came into such, and the rest of them is in sight, it is no leak, up to what they can come to. What
goes on to grow beyond that is one. Where code takes out what is too old, or compares with what no
constant tells, the bound is not known: then it is no verdict for a minute, and a leak after that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.history import BUCKET_S
from perftui.probes.detect.evidence.observations import BoundSeen
from perftui.probes.text.units import format_bytes, format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.detect.evidence.history import History
    from perftui.probes.spine.records import GrowthLook, Keeper

BOUND = re.compile(r"\((?:(?:maxsize=|maxlen=|len<=)(\d+)|kept short)(?: at [^)]*)?\)$")
"""At the end of a container's type, as the census and `agent_link.bounded` write it."""
MOST_PART = 0.6
"""Of the growth came into containers with a bound: it is theirs."""
IN_SIGHT = 0.2
"""Of its bound a container must have: what would take so much longer is as good as no bound."""
UNTOLD_S = 60.0
"""For so long a bound that is not known is believed."""
UNTOLD_LIMIT_PART = 0.5
"""Of the memory limit: with more in use it is not."""
OVER_PART, OVER_BYTES = 0.25, 4e6
"""An estimate by the newest entries is wrong by this part, and something else grows by so much."""


class _Room(NamedTuple):
    came_bytes: float
    to_come_bytes: float | None
    words: str


def filling_of(look: GrowthLook, keepers: Sequence[Keeper], t_s: float, t0_s: float) -> BoundSeen:
    """Return what the answers of one look say about bounds.

    Args:
        look: A census.
        keepers: Its answers.
        t_s: When it ended, as observations tell it.
        t0_s: When it began.
    """
    rooms = [room for keeper in keepers if (room := _room(keeper)) is not None]
    rooms.sort(key=lambda room: -room.came_bytes)
    return BoundSeen(
        t_s,
        t0_s,
        look.rose_bytes,
        sum(room.came_bytes for room in rooms),
        _sum([room.to_come_bytes for room in rooms]),
        rooms[0].words if rooms else "",
    )


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _room(keeper: Keeper) -> _Room | None:
    met = BOUND.search(keeper.type)
    if met is None or keeper.entries <= 0 or (keeper.sampled and met[1] is not None):
        return None
    if met[1] is None:
        words = f"{keeper.what} {keeper.type} fills up, to what is not known"
        return _Room(keeper.bytes, None, words)
    bound = int(met[1])
    if not IN_SIGHT * bound <= keeper.total <= bound:
        return None
    to_come = keeper.bytes / keeper.entries * max(bound - keeper.total, 0)
    words = (
        f"{keeper.what} {keeper.type} fills up, {format_count(keeper.total)} of "
        f"{format_count(bound)}, {format_bytes(to_come)} to come"
    )
    return _Room(keeper.bytes, to_come, words)


class Fillings:
    """Follows what was told of bounds, for one history."""

    def __init__(self) -> None:
        self._newest: BoundSeen | None = None
        self._level = 0.0
        """What was kept when it was told."""
        self._untold_since_s: float | None = None
        """When the first of the looks began that met a bound without telling it."""

    def take(self, told: BoundSeen, history: History) -> None:
        """Take the newest answer: one without a bound ends what was said before."""
        rose = told.rose_bytes
        if rose is None:
            since = max(history.end - round((told.t_s - told.t0_s) / BUCKET_S) - 1, history.first)
            rose = (history.kept_bytes or 0.0) - history.floor(since, history.end)
        mostly = told.came_bytes > 0 and told.came_bytes >= MOST_PART * rose
        self._newest = told if mostly else None
        if not mostly or told.to_come_bytes is not None:
            self._untold_since_s = None
        elif self._untold_since_s is None:
            self._untold_since_s = told.t0_s
        self._level = history.kept_bytes or 0.0

    def filling(self, history: History, limit_bytes: float | None) -> BoundSeen | None:
        """Return what fills up now and has room in sight, None if nothing does."""
        told, kept = self._newest, history.kept_bytes
        if told is None or kept is None:
            return None
        if told.to_come_bytes is None:
            since_s = self._untold_since_s
            if since_s is None or history.now() - since_s > UNTOLD_S:
                return None
            if limit_bytes is not None and kept >= UNTOLD_LIMIT_PART * limit_bytes:
                return None
            return told
        most = self._level + (1 + OVER_PART) * told.to_come_bytes + OVER_BYTES
        if kept > most or (limit_bytes is not None and most >= limit_bytes):
            return None
        return told
