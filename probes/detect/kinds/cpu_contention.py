"""cpu_contention: the program is ready to run and waits for a core: timings are unreliable.

Others that hold the cores are no fault of the program: a mark. It is an alert where the program
itself fills the cores that it may use: with fewer threads or processes it would wait less.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import EdgeSeverity, TreeReading

WARN_SHARE, CLEAR_SHARE = 0.30, 0.15
TAU_S = 4.0
HOLD_S = 5.0
"""The share must stay above the bar for this long."""
OWN_SHARE = 0.8
"""Of the cores that it may use: a program that fills as much stands in its own way."""


class CpuContention(Detector):
    """See the module."""

    kind = "cpu_contention"
    needs_s = HOLD_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._share = self._cpu_percent = 0.0
        self._last_s: float | None = None
        self._above_since: float | None = None

    def on_sample(self, sample: TreeReading) -> None:
        """Follow the smoothed share of time in the run queue."""
        share = sample.run_queue_share
        if share is None:
            return
        now_s = sample.t_s
        if self._last_s is not None:
            part = 1 - exp(-(now_s - self._last_s) / TAU_S)
            self._share += part * (share - self._share)
            self._cpu_percent += part * ((sample.cpu_percent or 0.0) - self._cpu_percent)
        self._last_s = now_s
        edge = self.open
        if edge is not None:
            if self._share < CLEAR_SHARE:
                lasted = format_seconds(now_s - edge.t_onset_s)
                self.clear(now_s, now_s, f"cores are free again after {lasted}")
                self._above_since = None
            elif edge.severity == "info" and (judged := self._judged())[0] == "warn":
                message = f"waiting for a core {self._share:.0%} of the time: {judged[1]}"
                self.change("warn", now_s, message, edge.evidence)
            return
        if self._share < WARN_SHARE:
            self._above_since = None
            return
        if self._above_since is None:
            self._above_since = now_s
        if now_s - self._above_since >= HOLD_S:
            severity, who = self._judged()
            message = f"waiting for a core {self._share:.0%} of the time: {who}"
            evidence = (
                "time in the kernel's run queue by time that threads wanted to run; ruled out: "
                "waiting for I/O or locks (threads were runnable)"
            )
            self.raise_alert(severity, self._above_since, now_s, message, evidence)

    def _judged(self) -> tuple[EdgeSeverity, str]:
        cores = self.context.cores
        if cores is None or self._cpu_percent < 100 * OWN_SHARE * cores:
            return "info", "timings unreliable"
        core = "core" if cores == 1 else "cores"
        return "warn", (
            f"its own threads and processes fill the {cores} {core} that it may use "
            f"(CPU {self._cpu_percent:.0f} %)"
        )
