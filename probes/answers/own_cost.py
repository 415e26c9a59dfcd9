"""What perftui itself costs, from what it says of itself."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.spine.records import Overhead

LATELY = 8


@dataclass(slots=True)
class OwnCost:
    """The newest readings of ourselves, and the highest."""

    lately: deque[Overhead] = field(default_factory=lambda: deque(maxlen=LATELY))
    peak_rss_bytes: int | None = None

    def take(self, record: Overhead) -> None:
        """Take a reading."""
        self.lately.append(record)
        self.peak_rss_bytes = max(self.peak_rss_bytes or 0, record.rss_bytes)

    @property
    def newest(self) -> Overhead | None:
        """The last reading, None before the first."""
        return self.lately[-1] if self.lately else None

    def cpu_percent(self) -> float | None:
        """Return the CPU per cent of one core in the last readings."""
        if len(self.lately) < 2:
            return None
        first, last = self.lately[0], self.lately[-1]
        return (last.cpu_s - first.cpu_s) * 100 * NS_PER_S / max(last.t_ns - first.t_ns, 1)
