"""A sink that keeps of a measured block what its result tells: peaks, phases, counts, alerts."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.records import Call, Overhead, PhaseBegin, PhaseEnd

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch, Tick
    from perftui.probes.spine.records import Alert


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
        self._alerts: dict[tuple[str, int], Alert] = {}
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

    def ingest(self, batch: Batch) -> None:
        """Take a batch of the log."""
        for record in batch.events:
            if isinstance(record, Overhead):
                self.late = record.late_samples
                self.worst_late_s = record.worst_late_ns / 1e9
            elif isinstance(record, Call):
                self.called = True
            elif isinstance(record, PhaseBegin):
                self._open[record.id] = record.name
                if record.name not in self.phases:
                    self.phases.append(record.name)
            elif isinstance(record, PhaseEnd):
                self._open.pop(record.id, None)
        for counted in batch.counted:
            self.counts[counted.record.name] = counted.total
        for alert, _ in batch.alerts:
            self._alerts[alert.kind, alert.t_onset_ns] = alert
        for tick in batch.ticks:
            self._reading(tick)

    @property
    def alerts(self) -> list[Alert]:
        """Every alert as it stands, by onset."""
        return sorted(self._alerts.values(), key=lambda alert: alert.t_onset_ns)

    def _reading(self, tick: Tick) -> None:
        metrics = [metric for metric, _ in tick.readings]
        rss = int(tick.sums["rss_bytes"])
        own = sum(metric.rss_bytes for metric in metrics if metric.pid == self._pid)
        children = max(rss - own, 0)  # without what they share with us
        self.children_peak_bytes = max(self.children_peak_bytes, children)
        for metric in metrics:
            if metric.pid != self._pid:
                # A child that is new has used all of its CPU in the block.
                before = 0.0 if self.readings else metric.cpu_s
                first = self._children_cpu.get(metric.pid, (before, 0.0))[0]
                self._children_cpu[metric.pid] = (first, metric.cpu_s)
        phase = next(reversed(self._open.values()), None)
        now = Peak(tick.t_ns, rss, phase)
        if self.last is not None:
            self.longest_gap_s = max(self.longest_gap_s, (now.t_ns - self.last.t_ns) / 1e9)
        if self.peak is None or rss > self.peak.rss_bytes:
            self.peak = now
        self.readings += 1
        self.last = now
        if self.start is None:
            self.start = now
            self.first_reading.set()
