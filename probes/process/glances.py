"""Readings between two pictures are taken at their time, and understood all at once, later.

A thread that wakes alone 20 times a second finds its code and data out of the processor's caches.
What is read must be read now; what it means is worked out when it is handed on, ten readings at a
time: that costs a third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.process.face import ProcessGone
from perftui.probes.process.held_back import MOVED_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.process.baseline import Baseline
    from perftui.probes.process.face import ProcessReader, RawReading
    from perftui.probes.process.family import ProcessFamily
    from perftui.probes.spine.records import Metric


class Glances:
    """Of all processes of a family."""

    def __init__(self, family: ProcessFamily) -> None:
        self._family = family
        self._kept: list[tuple[ProcessReader, Baseline | None, RawReading]] = []

    def take(self, t_ns: int, told: Mapping[int, int]) -> bool:
        """Read all processes, and keep it; False, and nothing kept, if it is more than a glance.

        Args:
            t_ns: Time of the readings.
            told: RSS by pid as it was handed on last: who comes, ends or moves is news.
        """
        family = self._family
        if len(told) != len(family.readers):
            return False
        found: list[tuple[ProcessReader, Baseline | None, RawReading]] = []
        for pid, reader in family.readers.items():
            try:
                glance = reader.glance(t_ns)
            except ProcessGone:
                return False
            rss_bytes = told.get(pid)
            if glance is None or rss_bytes is None:
                return False
            if abs(glance.rss_bytes - rss_bytes) >= MOVED_BYTES:
                return False
            found.append((reader, family.baselines.get(pid), glance))
        self._kept += found
        return True

    def metrics(self) -> list[Metric]:
        """Return what was kept, in order, and forget it."""
        kept, self._kept = self._kept, []
        rows = []
        for reader, baseline, glance in kept:
            metric = reader.told(glance)
            rows.append(metric if baseline is None else baseline.since(metric))
        return rows
