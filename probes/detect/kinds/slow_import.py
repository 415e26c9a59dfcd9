"""slow_import: one import takes long; said while it runs where its beginning is known.

An import that caused others stands for them: what ended inside it is not said again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector, worse
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import (
        EdgeSeverity,
        ImportBegan,
        ImportEnded,
        TreeReading,
    )

INFO_S, WARN_S, CRITICAL_S = 0.1, 0.5, 2.0
PREFIX = "import:"
HOLD_S = 5.0
"""Where only ends are known, the import that caused this one may end yet."""


class SlowImport(Detector):
    """See the module."""

    kind = "slow_import"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._running: tuple[str, float] | None = None
        """(module, begin) of the import that runs now."""
        self._from_phase = False
        self._told_until = float("-inf")
        """An alert covers the time up to here."""
        self._told: dict[str, float] = {}
        """Begin of imports that were said, by module."""
        self._ended_s: float | None = None
        """End of the import of the open alert, while it is kept open."""

    def on_phase(self, t_s: float) -> None:
        """A phase `import:NAME` is an import."""
        phase = self.context.phase
        if self._running is not None and self._from_phase:
            module, began_s = self._running
            self._ended(t_s, module, t_s - began_s)
        if phase is not None and phase.startswith(PREFIX) and self._running is None:
            self._running, self._from_phase = (phase.removeprefix(PREFIX), t_s), True

    def on_import_began(self, began: ImportBegan) -> None:
        """An import that no other caused."""
        if self._running is None:
            self._running, self._from_phase = (began.module, began.t_s), False

    def on_import(self, ended: ImportEnded) -> None:
        """An import ended, whether or not its beginning was known."""
        if self._running is not None and self._running[0] != ended.module:
            return  # caused by the one that runs, which will be said as a whole
        self._ended(ended.t_s, ended.module, ended.dur_s)

    def on_sample(self, sample: TreeReading) -> None:
        """While it runs: is it slow by now?"""
        if self._running is not None:
            module, began_s = self._running
            took_s = sample.t_s - began_s
            if took_s > INFO_S:
                self._judge(module, began_s, sample.t_s, took_s, running=True)
        elif self._ended_s is not None and sample.t_s - self._ended_s > HOLD_S:
            self._let_go(sample.t_s)

    def _judge(
        self, module: str, began_s: float, now_s: float, took_s: float, *, running: bool
    ) -> None:
        severity: EdgeSeverity
        if took_s > CRITICAL_S:
            severity = "critical"
        elif took_s > WARN_S:
            severity = "warn"
        elif took_s > INFO_S or (self.open is not None and not running):
            severity = "info"  # its own time may be less than it was seen to run: it has ended
        else:
            return
        edge = self.open
        if edge is not None and began_s > edge.t_onset_s + 1e-3:
            return  # caused by the one that is open
        if edge is None and began_s < self._told_until - 1e-3:
            return  # it, or what it caused, has been said
        start_s = self.context.history.t0_s or 0.0
        share = took_s / max(now_s - start_s, took_s, 1e-9)
        so_far = " (still running)" if running else ""
        message = f"import {module} {format_seconds(took_s)}{so_far}, {share:.0%} of start-up"
        evidence = "one import and what it causes; ruled out: many small imports"
        if edge is None:
            self.raise_alert(severity, began_s, now_s, message, evidence)
        elif worse(severity, edge) or not running:
            final = severity if worse(severity, edge) else edge.severity
            self.change(final, now_s, message, evidence)

    def _ended(self, now_s: float, module: str, took_s: float) -> None:
        running = self._running
        was_seen_running = running is not None
        self._running = None
        # Its own time may be told without that in which it waited for another thread's import.
        began_s = now_s - took_s if running is None else running[1]
        known = self._told.get(module)
        if known is not None and abs(known - began_s) < max(0.2, 0.2 * took_s):
            return  # told twice, by a phase and by an event
        held = self.open if self._ended_s is not None else None
        if held is not None and began_s > held.t_onset_s + 1e-3:
            self._let_go(now_s)
        self._judge(module, began_s, now_s, took_s, running=False)
        edge = self.open
        if edge is None:
            return
        if edge.severity != "info":
            self._told_until = now_s
            self._told[module] = began_s
        self._ended_s = now_s
        if was_seen_running or edge.severity == "info":
            self._let_go(now_s)

    def _let_go(self, now_s: float) -> None:
        edge, end_s = self.open, self._ended_s
        self._ended_s = None
        if edge is not None and end_s is not None:
            lasted = format_seconds(end_s - edge.t_onset_s)
            self.clear(now_s, end_s, f"import ended after {lasted}")
