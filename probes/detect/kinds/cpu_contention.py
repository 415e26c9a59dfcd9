"""cpu_contention: the program is ready to run and waits for a core: timings are unreliable."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import TreeReading

WARN_SHARE, CLEAR_SHARE = 0.30, 0.15
TAU_S = 4.0
HOLD_S = 5.0
"""The share must stay above the bar for this long."""


class CpuContention(Detector):
    """See the module."""

    kind = "cpu_contention"
    needs_s = HOLD_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._share = 0.0
        self._last_s: float | None = None
        self._above_since: float | None = None

    def on_sample(self, sample: TreeReading) -> None:
        """Follow the smoothed share of time in the run queue."""
        share = sample.run_queue_share
        if share is None:
            return
        now_s = sample.t_s
        if self._last_s is not None:
            self._share += (1 - exp(-(now_s - self._last_s) / TAU_S)) * (share - self._share)
        self._last_s = now_s
        edge = self.open
        if edge is not None:
            if self._share < CLEAR_SHARE:
                lasted = format_seconds(now_s - edge.t_onset_s)
                self.clear(now_s, now_s, f"cores are free again after {lasted}")
                self._above_since = None
            return
        if self._share < WARN_SHARE:
            self._above_since = None
            return
        if self._above_since is None:
            self._above_since = now_s
        if now_s - self._above_since >= HOLD_S:
            message = f"waiting for a core {self._share:.0%} of the time: timings unreliable"
            evidence = (
                "time in the kernel's run queue by time that threads wanted to run; ruled out: "
                "waiting for I/O or locks (threads were runnable)"
            )
            self.raise_alert("warn", self._above_since, now_s, message, evidence)
