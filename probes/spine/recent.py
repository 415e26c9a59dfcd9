"""The last two minutes of figures that stacks are weighed by."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Generic, TypeVar

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Hashable

MEMORY_NS = 120 * NS_PER_S
"""How far back readings are kept: windows of stacks come seconds late."""
KEYS_KEPT = 4_096
"""Processes or threads; of a target with more the one that was not read for longest goes."""
_TIDY_NS = 30 * NS_PER_S

K = TypeVar("K", bound="Hashable")


class Recent:
    """One figure over time, 16 bytes a reading."""

    def __init__(self) -> None:
        self._t = array("q")
        self._v = array("d")
        self.last_t_ns = 0

    def add(self, t_ns: int, value: float) -> None:
        """Append a value; times do not go back."""
        self.last_t_ns = t_ns
        self._t.append(t_ns)
        self._v.append(value)
        if t_ns - self._t[0] > MEMORY_NS + MEMORY_NS // 4:
            old = bisect_left(self._t, t_ns - MEMORY_NS)
            del self._t[:old], self._v[:old]

    def value_at(self, t_ns: int) -> float | None:
        """Return the newest value at or before `t_ns`."""
        at = bisect_right(self._t, t_ns) - 1
        return self._v[at] if at >= 0 else None

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        """Return (t, value) of [t0, t1)."""
        first, end = bisect_left(self._t, t0_ns), bisect_left(self._t, t1_ns)
        return list(zip(self._t[first:end], self._v[first:end], strict=True))


class RecentReadings(Generic[K]):
    """`Recent` by process or thread; what was not read for two minutes is forgotten."""

    def __init__(self) -> None:
        self._known: dict[K, Recent] = {}
        self._tidy_due_ns = 0

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._known)

    def add(self, key: K, t_ns: int, value: float) -> None:
        """Take a reading."""
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= KEYS_KEPT:
                del self._known[min(self._known, key=lambda each: self._known[each].last_t_ns)]
            known = self._known[key] = Recent()
        known.add(t_ns, value)
        if t_ns >= self._tidy_due_ns:
            self._tidy_due_ns = t_ns + _TIDY_NS
            old_ns = t_ns - MEMORY_NS
            self._known = {k: each for k, each in self._known.items() if each.last_t_ns >= old_ns}

    def get(self, key: K) -> Recent | None:
        """Return what is known of one."""
        return self._known.get(key)
