"""gc_pressure: the collector of cycles takes a good part of the time.

Told by the agent, which times collections in the program. What makes it run is code that makes
containers: the code that ran in that time is named beside.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector, worse
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import (
        CyclesCollected,
        EdgeSeverity,
        TreeReading,
    )

SPAN_S = 10.0
SHARE = 0.10
OVER = 0.05
"""Below this share it is over."""
CRITICAL_SHARE = 0.30
AGAIN = 1.5
"""A share so many times that which was told is told anew."""


class GcPressure(Detector):
    """See the module."""

    kind = "gc_pressure"
    needs_s = SHARE * SPAN_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._steps: dict[int, deque[CyclesCollected]] = {}
        """Of the last SPAN_S, by process."""
        self._pid: int | None = None
        """Of the open alert."""
        self._told_share = 0.0
        self._last_s = 0.0

    def on_collected(self, collected: CyclesCollected) -> None:
        """Add a step; raise the alert where it makes too much."""
        steps = self._steps.setdefault(collected.pid, deque())
        steps.append(collected)
        self._forget(steps, collected.t_s)
        share = sum(step.pause_s for step in steps) / SPAN_S
        edge = self.open
        if share < SHARE or (edge is not None and self._pid != collected.pid):
            return
        self._last_s = collected.t_s
        severity = self._severity(self.context.own_s(share, collected.t_s))
        if edge is None:
            self._pid, self._told_share = collected.pid, share
            words = self._words(steps, share)
            self.raise_alert(severity, steps[0].t0_s, collected.t_s, *words)
        elif worse(severity, edge) or share >= AGAIN * self._told_share:
            self._told_share = share
            final = severity if worse(severity, edge) else edge.severity
            self.change(final, collected.t_s, *self._words(steps, share))

    @staticmethod
    def _severity(own_share: float) -> EdgeSeverity:
        """A mark where it takes so long because the program waits for a core meanwhile."""
        if own_share >= CRITICAL_SHARE:
            return "critical"
        return "warn" if own_share >= SHARE else "info"

    def on_sample(self, sample: TreeReading) -> None:
        """Has it become little?"""
        if self.open is None or self._pid is None:
            return
        steps = self._steps.get(self._pid, deque())
        self._forget(steps, sample.t_s)
        if sum(step.pause_s for step in steps) / SPAN_S < OVER:
            last_s = steps[-1].t_s if steps else self._last_s
            self.clear(sample.t_s, last_s, "collections take little of the time again")

    def _forget(self, steps: deque[CyclesCollected], now_s: float) -> None:
        while steps and steps[0].t_s < now_s - SPAN_S:
            steps.popleft()

    def _words(self, steps: deque[CyclesCollected], share: float) -> tuple[str, str]:
        """Return message and evidence."""
        first, last = steps[0], steps[-1]
        span_s = min(max(last.t_s - first.t0_s, 0.001), SPAN_S)
        paused_s = sum(step.pause_s for step in steps)
        share = min(paused_s / span_s, 1.0)
        n = sum(step.n for step in steps)
        longest = max(steps, key=lambda step: step.longest_s)
        message = (
            f"collections of cycles take {share:.0%} of the time: {n} in "
            f"{format_seconds(span_s)}, the longest {format_seconds(longest.longest_s)}"
        )
        old_s = sum(step.pause_s for step in steps if step.generation == longest.generation)
        evidence = (
            f"process {last.pid}; {old_s / paused_s:.0%} of it in generation "
            f"{longest.generation}; timed around each collection"
        )
        if last.t_s <= self.context.crowded_until_s:
            evidence += "; the program is kept from the cores meanwhile"
        if any(step.part for step in steps):
            evidence += ", of a part of them"
        return message, evidence
