"""Counters: when each was told of. Its totals are a series, so that there is one truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.reader import Counter
from perftui.probes.store.calls import NAMES_KEPT
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable


class Counts:
    """Takes counters as they change.

    Args:
        names: How many are kept.
    """

    def __init__(self, names: int = NAMES_KEPT) -> None:
        self._names = names
        self._spans: dict[str, tuple[int, int]] = {}

    def take(self, name: str, first_ns: int, last_ns: int) -> bool:
        """Take that a counter was told of from one moment to another; False if it is one too many.

        The first moment of a counter is the first that was taken.
        """
        known = self._spans.get(name)
        if known is None:
            if len(self._spans) >= self._names:
                return False
            known = (first_ns, last_ns)
        self._spans[name] = (known[0], max(known[1], last_ns))
        return True

    def list(
        self, t0_ns: int, t1_ns: int, at: Callable[[str, int], float | None]
    ) -> tuple[Counter, ...]:
        """Return counters at the end of the range; `at` looks a total up."""
        rows = []
        for name, span in self._spans.items():
            first_ns, last_ns = span
            if first_ns >= t1_ns:
                continue
            total = at(name, t1_ns) or 0.0
            start_ns = max(t0_ns, first_ns)
            end_ns = min(t1_ns, last_ns)
            before = at(name, start_ns)
            per_s = None
            if before is not None and end_ns > start_ns:
                per_s = (total - before) * NS_PER_S / (end_ns - start_ns)
            rows.append(Counter(name, total, per_s, first_ns))
        return tuple(rows)
