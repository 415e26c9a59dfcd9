"""What an alert says is brought up to date while it lasts, ever more seldom, and when it ends.

A detector says what it saw when it raised the alert. How long that lasts, and by how much memory
has risen since, is known better later.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.observations import Edge

FIRST_S = 4.0
AGAIN = 1.5
"""The next time is so many times as late after its onset: an alert of a day is told 30 times."""
OF_MEMORY = ("mem_growth", "streaming_violation")
_SAYS_ITSELF = (
    "loop_blocked",
    "gc_pressure",
    "cold_start",
    "oom_risk",
    "straggler",
    "lone_growth",
    "memory_skew",
)
"""Kinds of which the detector tells the newest length itself, or whose figure is of its moment."""
_RUNNING = re.compile(r" [\d.]+ \S+ \(still running\).*")


class _Open(NamedTuple):
    edge: Edge
    rss_bytes: float | None
    """When it was raised."""
    due_s: float
    told: bool = False
    """It was brought up to date already."""


class Lasting:
    """Follows the open alerts of a session."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, float], _Open] = {}
        self._rss_bytes: float | None = None
        """At the newest reading."""

    def raised(self, edge: Edge, rss_bytes: float | None, now_s: float) -> Edge:
        """Hear of an alert as its detector tells it, for the first time or again; return it with
        its newest words: who only adds to the evidence of one does not take them back."""
        if edge.kind in _SAYS_ITSELF or edge.severity == "clear":
            return edge
        key = edge.kind, edge.t_onset_s
        known = self._open.get(key)
        if known is None:
            due_s = edge.t_onset_s + max(FIRST_S, AGAIN * (edge.t_detect_s - edge.t_onset_s))
            self._open[key] = _Open(edge, rss_bytes, due_s)
            return edge
        says_the_same = edge.message == known.edge.message
        self._open[key] = known = known._replace(edge=edge)
        if not known.told or not says_the_same:
            return edge
        return edge._replace(message=_so_far(known, now_s - edge.t_onset_s, rss_bytes))

    def due(self, now_s: float, rss_bytes: float | None) -> list[Edge]:
        """Return the alerts that are told again now, with their newest words."""
        told = []
        self._rss_bytes = rss_bytes
        for key, known in self._open.items():
            if now_s >= known.due_s and known.edge.severity != "info":
                lasted_s = now_s - known.edge.t_onset_s
                due_s = known.edge.t_onset_s + AGAIN * lasted_s
                self._open[key] = known._replace(due_s=due_s, told=True)
                message = _so_far(known, lasted_s, rss_bytes)
                told.append(known.edge._replace(message=message, first=False))
        return told

    def ended(self, key: tuple[str, float], end_s: float) -> str | None:
        """Return the last words of an alert, None if its detector says all."""
        known = self._open.pop(key, None)
        if known is None or known.edge.severity == "info":
            return None
        if known.edge.kind == "slow_import":
            took = format_seconds(end_s - key[1])
            return _RUNNING.sub(f" {took}", known.edge.message)
        return f"{known.edge.message}; {_since(known, end_s - key[1], self._rss_bytes)} in all"


def _so_far(known: _Open, lasted_s: float, rss_bytes: float | None) -> str:
    if known.edge.kind == "slow_import":
        return _RUNNING.sub(f" {format_seconds(lasted_s)} (still running)", known.edge.message)
    return f"{known.edge.message}; {_since(known, lasted_s, rss_bytes)} so far"


def _since(known: _Open, lasted_s: float, rss_bytes: float | None) -> str:
    took = format_seconds(max(lasted_s, 0.0))
    if known.edge.kind in OF_MEMORY and rss_bytes is not None and known.rss_bytes is not None:
        more = rss_bytes - known.rss_bytes
        if more > 0:
            return f"+{format_bytes(more)} more since, {took}"
    return took
