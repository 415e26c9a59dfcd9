"""What was measured of a block, in figures and in words, and which limits it broke."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.inside.limits import Limits

UNSEEN = (
    "measured in the process itself: what other threads and earlier tests hold or do counts too, "
    "imports and the waits for locks are not seen, and a call that keeps the GIL delays readings"
)


class LimitExceeded(AssertionError):
    """A measured block broke its limits; the message says which, and with what figures."""

    __module__ = "perftui"  # as people know it, and short where reports are cut


class BlockAlert(NamedTuple):
    """An alert that was raised while the block ran; times are seconds from its beginning."""

    kind: str
    severity: str
    t_onset_s: float
    t_detect_s: float
    t_clear_s: float | None
    message: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.kind} at {format_seconds(self.t_detect_s)}: {self.message}; {self.evidence}"


@dataclass(slots=True)
class Measured:
    """A measured block. The figures are there when it has ended; until then they are None."""

    name: str
    limits: Limits
    wall_s: float | None = None
    cpu_s: float | None = None
    """Of this process, all threads, and of child processes as far as readings met them."""
    rss_start_bytes: int | None = None
    """When the block began, garbage collected; child processes included, here and below."""
    rss_end_bytes: int | None = None
    """When it had ended, garbage collected."""
    peak_bytes: int | None = None
    """Highest RSS: of readings, and of the kernel's high-water mark."""
    peak_phase: str | None = None
    """Innermost `perftui.phase` at the highest reading."""
    peak_code: str | None = None
    """The code that ran while RSS rose to its peak, as far as readings met it."""
    peak_is_exact: bool = False
    """True if the kernel's high-water mark tells the peak: none between two readings is lost."""
    alerts: list[BlockAlert] = field(default_factory=list)
    """Those of severity info are only marks."""
    counters: dict[str, float] = field(default_factory=dict)
    """What `perftui.count` counted in the block, by name."""
    readings: int = 0
    late_readings: int = 0
    worst_late_s: float = 0.0
    longest_gap_s: float = 0.0
    unjudged: dict[str, str] = field(default_factory=dict)
    """Kinds of `fail_on` that had no chance to be found, and why: no verdict is not a good one."""
    notes: list[str] = field(default_factory=list)

    @property
    def growth_bytes(self) -> int | None:
        """How far RSS rose above where it was when the block began."""
        if self.peak_bytes is None or self.rss_start_bytes is None:
            return None
        return max(self.peak_bytes - self.rss_start_bytes, 0)

    @property
    def kept_bytes(self) -> int | None:
        """How much more is resident at the end than at the beginning; negative if less."""
        if self.rss_end_bytes is None or self.rss_start_bytes is None:
            return None
        return self.rss_end_bytes - self.rss_start_bytes

    def failures(self) -> list[str]:
        """Return a sentence per limit that was broken, none before the block has ended."""
        limits, found = self.limits, []
        start, peak = self.rss_start_bytes or 0, self.peak_bytes or 0
        if _above(self.growth_bytes, limits.max_growth):
            found.append(
                f"memory grew by {format_bytes(self.growth_bytes or 0)} ({format_bytes(start)} -> "
                f"{format_bytes(peak)}), limit {format_bytes(limits.max_growth or 0)}"
                f"{self._at_peak()}"
            )
        if _above(self.peak_bytes, limits.max_peak):
            found.append(
                f"memory reached {format_bytes(peak)}, limit {format_bytes(limits.max_peak or 0)}; "
                f"{format_bytes(start)} of it was there before{self._at_peak()}"
            )
        if _above(self.kept_bytes, limits.max_kept):
            end = self.rss_end_bytes or 0
            found.append(
                f"{format_bytes(self.kept_bytes or 0)} were kept ({format_bytes(start)} -> "
                f"{format_bytes(end)} after a garbage collection), limit "
                f"{format_bytes(limits.max_kept or 0)}"
            )
        for value, most, what in (
            (self.wall_s, limits.max_seconds, ""),
            (self.cpu_s, limits.max_cpu_seconds, " of CPU"),
        ):
            if _above(value, most):
                found.append(
                    f"it took {format_seconds(value or 0)}{what}, limit {format_seconds(most or 0)}"
                )
        from perftui.probes.detect.judged import gates_of

        found += [
            str(alert)
            for alert in self.alerts
            if alert.severity != "info" and gates_of(alert.kind, limits.fail_on)
        ]
        return found

    def _at_peak(self) -> str:
        phase = "" if self.peak_phase is None else f"; in phase {self.peak_phase}"
        return phase + ("" if self.peak_code is None else f"; while {self.peak_code} ran")

    def verdict(self) -> str:
        """Return what is wrong with the block in one paragraph, "" if nothing is.

        The first line says the first thing that is wrong: short reports show no more.
        """
        failures = self.failures()
        if not failures:
            return ""
        first, *others = failures
        lines = [f"{self.name}: {first}", *(f"  and {each}" for each in others)]
        return "\n".join([*lines, f"  measured: {self.describe()}"])

    def describe(self) -> str:
        """Return the figures on one line."""
        if self.wall_s is None or self.cpu_s is None:
            return f"{self.name}: not measured yet"
        parts = [f"{format_seconds(self.wall_s)} wall", f"{format_seconds(self.cpu_s)} CPU"]
        if self.peak_bytes is not None:
            parts += [
                f"RSS {format_bytes(self.rss_start_bytes or 0)} -> {format_bytes(self.peak_bytes)}"
                f" (+{format_bytes(self.growth_bytes or 0)})",
                f"kept {format_bytes(self.kept_bytes or 0)}",
            ]
        parts.append(self._readings())
        return ", ".join(parts)

    def _readings(self) -> str:
        if not self.readings:
            return "no readings in between"
        late = (
            f" ({self.late_readings} late, the worst by {format_seconds(self.worst_late_s)})"
            if self.late_readings
            else ""
        )
        return f"{self.readings} readings{late}"

    def remarks(self) -> list[str]:
        """Return what a person should know about the figures."""
        unjudged = [f"{kind} was not judged: {reason}" for kind, reason in self.unjudged.items()]
        return [*unjudged, *self.notes]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        limits = self.limits
        return {
            "name": self.name,
            "wall_s": self.wall_s,
            "cpu_s": self.cpu_s,
            "rss_start_bytes": self.rss_start_bytes,
            "rss_end_bytes": self.rss_end_bytes,
            "peak_bytes": self.peak_bytes,
            "growth_bytes": self.growth_bytes,
            "kept_bytes": self.kept_bytes,
            "peak_phase": self.peak_phase,
            "peak_code": self.peak_code,
            "peak_is_exact": self.peak_is_exact,
            "counters": dict(self.counters),
            "limits": {
                "max_growth_bytes": limits.max_growth,
                "max_kept_bytes": limits.max_kept,
                "max_peak_bytes": limits.max_peak,
                "max_seconds": limits.max_seconds,
                "max_cpu_seconds": limits.max_cpu_seconds,
                "fail_on": list(limits.fail_on),
            },
            "failures": self.failures(),
            "alerts": [alert._asdict() for alert in self.alerts],
            "unjudged": dict(self.unjudged),
            "readings": {
                "n": self.readings,
                "late": self.late_readings,
                "worst_late_s": self.worst_late_s,
                "longest_gap_s": self.longest_gap_s,
            },
            "notes": list(self.notes),
        }


def _above(value: float | None, most: float | None) -> bool:
    return value is not None and most is not None and value > most
