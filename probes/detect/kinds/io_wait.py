"""io_wait: a working phase stands because it waits for a disk, a network or another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector
from perftui.probes.detect.evidence.stall import MIN_REFERENCE_S, WINDOW_S
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import TreeReading, Waiting

CRITICAL_S = 15.0
PATIENCE_S = 1.5
"""How long the stacks' word is waited for where there are stacks."""


class IoWait(Detector):
    """See the module. `lock_wait` is the same with another cause."""

    kind = "io_wait"
    needs_s = MIN_REFERENCE_S + WINDOW_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._stands_since: float | None = None

    def claims(self, waiting: Waiting | None) -> bool:
        """Tell whether a stall with this cause is this kind of alert."""
        return waiting is None or waiting.cause != "lock"

    def on_phase(self, t_s: float) -> None:
        """A wait does not outlive its phase."""
        self._stands_since = None
        if self.open is not None:
            self.clear(t_s, t_s, "the phase has ended")

    def on_sample(self, sample: TreeReading) -> None:
        """Look for a stall, or for its end."""
        stall, now_s = self.context.stall, sample.t_s
        edge = self.open
        if edge is not None:
            if stall.runs_again():
                lasted = format_seconds(now_s - edge.t_onset_s)
                self.clear(now_s, now_s, f"CPU is busy again after {lasted}")
                stall.frozen = False
            elif edge.severity == "warn" and now_s - edge.t_onset_s > CRITICAL_S:
                self.change("critical", now_s, self._message(edge.t_onset_s, now_s), edge.evidence)
            return
        if stall.frozen or not self.context.working() or not stall.stands():
            self._stands_since = None
            return
        if self._stands_since is None:
            self._stands_since = now_s
        waiting = stall.cause(now_s)
        patient = stall.expects_waiting and now_s - self._stands_since < PATIENCE_S
        if (waiting is None and patient) or not self.claims(waiting):
            return
        onset_s = stall.onset_s()
        self.raise_alert("warn", onset_s, now_s, self._message(onset_s, now_s), self._evidence())
        stall.frozen = True

    def _message(self, onset_s: float, now_s: float) -> str:
        stall = self.context.stall
        wanted = "" if not stall.was_starved() else f", {stall.wanted_before:.0f} % wanted"
        parts = [f"CPU {stall.cpu_now():.0f} % (was {stall.cpu_before:.0f} %{wanted})"]
        ratio = stall.rows_ratio()
        if ratio is not None:
            parts.append(f"rows/s {ratio:.1f}x")
        text = ", ".join([*parts, format_seconds(now_s - onset_s)])
        waiting = stall.cause(now_s)
        if waiting is not None:
            text += f": {waiting.share:.0%} of stacks {waiting.where}"
        return text

    def _evidence(self) -> str:
        stall = self.context.stall
        ruled_out = ["an idle phase"]
        if stall.queue_share is not None:
            ruled_out.append(f"no free core (waited {stall.queue_share:.0%} of the time)")
        if stall.cause(self.context.history.last_t_s or 0.0) is not None:
            ruled_out.append("locks" if self.kind == "io_wait" else "I/O")
        return f"phase {self.context.phase}; ruled out: {', '.join(ruled_out)}"
