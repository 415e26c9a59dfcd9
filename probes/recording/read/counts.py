"""Counters of a recorded session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.read.rows import rows_of
from perftui.probes.store.counts import Counts

if TYPE_CHECKING:
    from perftui.probes.recording.read.catalog import Catalog

_ALL = 1 << 30


def read_counts(catalog: Catalog) -> Counts:
    """Return when each counter was told of."""
    counts = Counts(names=_ALL)
    table = catalog.whole("count_sums").sort_by("segment")
    for name, first, last in rows_of(table, ("name", "first_t_ns", "last_t_ns")):
        counts.take(name, first, last)
    return counts
