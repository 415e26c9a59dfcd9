"""lock_wait: threads that have work wait for each other.

Two ways to see it, both from stacks: a phase stands (as in io_wait) and the lock is why; or the
work goes on, but most of the threads' time is spent at a lock. Without stacks a stall is called
io_wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.kinds.io_wait import IoWait
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import TreeReading, Waiting

CONTENDED_SHARE, FREE_SHARE = 0.5, 0.25
CONTENDED_S = 4.0
MIN_THREADS = 2


class LockWait(IoWait):
    """See the module."""

    kind = "lock_wait"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._contended_since: float | None = None
        self._by_contention = False

    def claims(self, waiting: Waiting | None) -> bool:
        """Tell whether threads were seen to wait for a lock."""
        return waiting is not None and waiting.cause == "lock"

    def on_phase(self, t_s: float) -> None:
        """A wait does not outlive its phase."""
        self._contended_since = None
        super().on_phase(t_s)

    def on_sample(self, sample: TreeReading) -> None:
        """A stall; contention is judged where stacks come."""
        if self.open is None:
            self._by_contention = False
        if not self._by_contention:
            super().on_sample(sample)

    def on_waiting(self, waiting: Waiting) -> None:
        """Most of the threads' time at a lock, for long enough?"""
        edge = self.open
        if edge is not None:
            if self._by_contention and waiting.lock_share < FREE_SHARE:
                lasted = format_seconds(waiting.t_s - edge.t_onset_s)
                self.clear(waiting.t_s, waiting.t_s, f"the lock is free again after {lasted}")
                self._contended_since = None
            return
        if (
            waiting.lock_share < CONTENDED_SHARE
            or waiting.threads < MIN_THREADS
            or "io_wait" in self.context.open_alerts
        ):
            self._contended_since = None
            return
        if self._contended_since is None:
            self._contended_since = waiting.t_s
        if waiting.t_s - self._contended_since >= CONTENDED_S:
            message = (
                f"{waiting.lock_share:.0%} of the time of {waiting.threads} threads "
                f"{waiting.where}, {format_seconds(waiting.t_s - self._contended_since)}"
            )
            evidence = (
                f"phase {self.context.phase}; ruled out: threads without work, waiting for "
                "other threads to end"
            )
            self._by_contention = True
            self.raise_alert("warn", self._contended_since, waiting.t_s, message, evidence)
