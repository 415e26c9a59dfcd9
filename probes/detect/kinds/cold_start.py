"""cold_start: the first call of a name costs many times what the later ones do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector
from perftui.probes.spine.median import median
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import CallEnded, EdgeSeverity

MIN_CALLS = 4
MAX_CALLS = 16
"""By then the warm time is known; what comes later is no start."""
MIN_FIRST_S = 0.1
MIN_RATIO = 10.0
NAMES_KEPT = 1000


@dataclass(slots=True)
class _Name:
    first: CallEnded
    warm_s: list[float] = field(default_factory=list)
    said: bool = False


class ColdStart(Detector):
    """See the module."""

    kind = "cold_start"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._names: dict[str, _Name] = {}

    def on_call(self, call: CallEnded) -> None:
        """Compare the first call with the median of those after it."""
        name = self._names.get(call.name)
        if name is None:
            if len(self._names) < NAMES_KEPT:
                self._names[call.name] = _Name(call)
            return
        n = len(name.warm_s) + 2
        if name.said or n > MAX_CALLS:
            return
        name.warm_s.append(call.dur_s)
        if n < MIN_CALLS:
            return
        warm_s = median(name.warm_s)
        first_s = name.first.dur_s
        ratio = first_s / warm_s if warm_s > 0 else float("inf")
        severity: EdgeSeverity
        if first_s >= MIN_FIRST_S and ratio > MIN_RATIO:
            severity = "critical" if ratio >= 30 and first_s >= 1.0 else "warn"
        elif n == MAX_CALLS and ratio >= 3 and first_s >= 0.02:
            severity = "info"
        else:
            return
        name.said = True
        self._say_it(call, name, severity, warm_s, ratio, n)

    def _say_it(
        self,
        call: CallEnded,
        name: _Name,
        severity: EdgeSeverity,
        warm_s: float,
        ratio: float,
        n: int,
    ) -> None:
        first = name.first
        times = f"{ratio:.0f}x" if ratio < 1e6 else "too little to compare with"
        message = (
            f"first {call.name} {format_seconds(first.dur_s)}, warm median "
            f"{format_seconds(warm_s)} (n={n - 1}): {times}"
        )
        evidence = (
            f"calls 2 to {n} between {format_seconds(min(name.warm_s))} and "
            f"{format_seconds(max(name.warm_s))}; ruled out: a slow call every time"
        )
        self.raise_alert(severity, first.t_s - first.dur_s, call.t_s, message, evidence)
        self.clear(call.t_s, first.t_s, f"{call.name} is warm: {format_seconds(warm_s)}")
