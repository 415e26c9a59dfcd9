"""A sink that keeps of a measured block what its result tells: peaks, phases, counts, alerts."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.records import Alert, Call, Count, Metric, Overhead, PhaseBegin, PhaseEnd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Record


class Peak(NamedTuple):
    """The highest reading of the block."""

    t_ns: int
    rss_bytes: int
    """Of this process and its children."""
    phase: str | None


class Watch:
    """Connect it to the log of one block."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.first_reading = Event()
        self.start: Peak | None = None
        self.peak: Peak | None = None
        self.last: Peak | None = None
        self.children_peak_bytes = 0
        """Highest RSS of all child processes together."""
        self.readings = 0
        self.late = 0
        self.worst_late_s = 0.0
        self.longest_gap_s = 0.0
        """Longest time between two readings."""
        self.counts: dict[str, float] = {}
        self.alerts: list[Alert] = []
        self.phases: list[str] = []
        """Names of the phases seen, in order, each once."""
        self.called = False
        """A call was timed."""
        self._open: dict[int, str] = {}
        self._children_cpu: dict[int, tuple[float, float]] = {}

    @property
    def children_cpu_s(self) -> float:
        """CPU seconds of child processes during the block, as far as readings met them."""
        return sum(last - first for first, last in self._children_cpu.values())

    def ingest(self, batch: Sequence[Record]) -> None:
        """Take a batch of the log."""
        metrics: list[Metric] = []
        for record in batch:
            if isinstance(record, Metric):
                metrics.append(record)
            elif isinstance(record, Overhead):
                self.late = record.late_samples
                self.worst_late_s = record.worst_late_ns / 1e9
            elif isinstance(record, Alert):
                self.alerts.append(record)
            elif isinstance(record, Call):
                self.called = True
            elif isinstance(record, Count):
                self.counts[record.name] = record.total
            elif isinstance(record, PhaseBegin):
                self._open[record.id] = record.name
                if record.name not in self.phases:
                    self.phases.append(record.name)
            elif isinstance(record, PhaseEnd):
                self._open.pop(record.id, None)
        if metrics:
            self._reading(metrics)

    def _reading(self, metrics: list[Metric]) -> None:
        rss = sum(metric.rss_bytes for metric in metrics)
        children = sum(metric.rss_bytes for metric in metrics if metric.pid != self._pid)
        self.children_peak_bytes = max(self.children_peak_bytes, children)
        for metric in metrics:
            if metric.pid != self._pid:
                # A child that is new has used all of its CPU in the block.
                before = 0.0 if self.readings else metric.cpu_s
                first = self._children_cpu.get(metric.pid, (before, 0.0))[0]
                self._children_cpu[metric.pid] = (first, metric.cpu_s)
        phase = next(reversed(self._open.values()), None)
        now = Peak(metrics[0].t_ns, rss, phase)
        if self.last is not None:
            self.longest_gap_s = max(self.longest_gap_s, (now.t_ns - self.last.t_ns) / 1e9)
        if self.peak is None or rss > self.peak.rss_bytes:
            self.peak = now
        self.readings += 1
        self.last = now
        if self.start is None:
            self.start = now
            self.first_reading.set()
