"""One metric over time, in memory or on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from perftui.probes.spine.reader import Buckets


class MetricSeries(Protocol):
    """One metric of one process, or of the family."""

    @property
    def last_value(self) -> float | None:
        """The newest value."""
        ...

    @property
    def last_t_ns(self) -> int:
        """When it was read."""
        ...

    def value_at(self, t_ns: int) -> float | None:
        """Return the newest value at or before `t_ns`."""
        ...

    def highest_in(self, t0_ns: int, t1_ns: int) -> float | None:
        """Return the highest value of [t0, t1], the one that held at t0 included."""
        ...

    def buckets(self, t0_ns: int, t1_ns: int, n: int) -> Buckets:
        """Return the range in `n` equal buckets, None where nothing was measured."""
        ...
