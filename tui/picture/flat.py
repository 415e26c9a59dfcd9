"""Which charts show no more than a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.spine.reader import Buckets
    from perftui.tui.picture.view import View

FLAT_AT = 0.10
"""A chart is flat when nine tenths of it lie within this share of its height,"""
NOT_FLAT_AT = 0.16
"""and no longer flat when they take more than this: what is on the edge does not flicker."""
TELLING = 40
"""Fewer columns tell nothing about a shape."""


def flat_charts(view: View, before: frozenset[str]) -> frozenset[str]:
    """Return which of "rss" and "cpu" are flat: a line that one row tells as well as fourteen.

    Args:
        view: The picture.
        before: What was flat in the picture before it.
    """
    found = set()
    tops = {"rss": 0.0, "cpu": 100.0}
    for name, buckets in (("rss", view.rss), ("cpu", view.cpu)):
        if _is_flat(buckets, tops[name], FLAT_AT if name not in before else NOT_FLAT_AT):
            found.add(name)
    if any(alert.severity != "info" and alert.t_clear_ns is None for alert in view.alerts):
        found.discard("rss")  # what is being warned of is to be seen
    return frozenset(found)


def _is_flat(buckets: Buckets, least_top: float, share: float) -> bool:
    values = sorted(_known(buckets.high))
    if len(values) < TELLING:
        return False
    cut = len(values) // 20
    low, high = values[cut], values[-1 - cut]
    return high - low <= share * max(high, least_top)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
