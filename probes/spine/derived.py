"""What follows from records without being one: CPU per cent, tree sums, counter rates.

The live store and the recorder both need these figures, in the order in which the session took
the records; they are worked out here, so that both say the same.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.records import Metric
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Count, Pool

CPU_SMOOTH_NS = 150_000_000
"""CPU % is taken over at least this long, or scheduling alone would make it jump."""
RATE_SMOOTH_NS = 200_000_000
METRIC_FIELDS = tuple(name for name in Metric._fields if name not in ("t_ns", "pid"))
CUMULATIVE = (
    "cpu_s",
    "cpu_user_s",
    "cpu_system_s",
    "io_read_bytes",
    "io_write_bytes",
    "faults_major",
    "context_switches_voluntary",
    "context_switches_involuntary",
    "run_queue_wait_s",
)
"""Fields of `Metric` that count up: since the process began, or since we came to it."""
_GONE_KEPT = 64


class Tick(NamedTuple):
    """One reading of the whole tree."""

    percents: tuple[float | None, ...]
    """CPU % per metric of the batch, None at a process's first."""
    sums: dict[str, float]
    """Fields summed over the tree, and cpu_percent; what no process knows is missing."""


class CpuPercent:
    """CPU per cent of processes from their cumulative seconds.

    Args:
        span_ns: Taken over at least this long, as soon as there is as much.
    """

    def __init__(self, span_ns: int = CPU_SMOOTH_NS) -> None:
        self._span_ns = span_ns
        self._marks: dict[int, deque[tuple[int, float]]] = {}

    def take(self, metric: Metric) -> float | None:
        """Return CPU % of one core after a reading, None at a process's first."""
        marks = self._marks.setdefault(metric.pid, deque())
        while len(marks) > 1 and metric.t_ns - marks[1][0] >= self._span_ns:
            marks.popleft()
        percent = None
        if marks and metric.t_ns > marks[0][0]:
            used_s = metric.cpu_s - marks[0][1]
            percent = max(0.0, used_s * 100 * NS_PER_S / (metric.t_ns - marks[0][0]))
        marks.append((metric.t_ns, metric.cpu_s))
        return percent

    def forget(self, pid: int) -> None:
        """Drop what is kept of a process that has ended."""
        self._marks.pop(pid, None)


class TreeMetrics:
    """Adds up ticks: a batch of metrics with the same time, one per process."""

    def __init__(self) -> None:
        self._cpu_percent = CpuPercent()
        self._totals: dict[str, float] = {}
        """What counts up, over all processes; those that have ended stay in it."""
        self._told: dict[int, dict[str, float]] = {}
        """What each process told last."""
        self._gone: deque[int] = deque()
        self.peak_rss_bytes: int | None = None
        """Highest sum of RSS so far."""

    def forget(self, pid: int) -> None:
        """A process has ended: what it used stays in the sums."""
        self._cpu_percent.forget(pid)
        self._settle(pid)
        # Not at once: a reading that was under way may come later, and would count twice.
        self._gone.append(pid)
        if len(self._gone) > _GONE_KEPT:
            self._told.pop(self._gone.popleft(), None)

    def _settle(self, pid: int) -> None:
        """Share what a process used since it last told user and system as it shared the rest."""
        told = self._told.get(pid)
        if told is None:
            return
        user, system = told.get("cpu_user_s", 0.0), told.get("cpu_system_s", 0.0)
        rest = told["cpu_s"] - user - system
        if rest > 0:
            part = user / (user + system) if user + system > 0 else 1.0
            for name, more in (("cpu_user_s", rest * part), ("cpu_system_s", rest * (1 - part))):
                self._totals[name] = self._totals.get(name, 0) + more
                told[name] = told.get(name, 0.0) + more

    def _count(self, metric: Metric) -> None:
        told = self._told.get(metric.pid)
        if told is None or metric.cpu_s < told["cpu_s"]:  # less: another process has the pid
            told = self._told[metric.pid] = {}
        for name in CUMULATIVE:
            value = getattr(metric, name)
            if value is not None:
                self._totals[name] = self._totals.get(name, 0) + value - told.get(name, 0)
                told[name] = value

    def tick(self, metrics: Sequence[Metric]) -> Tick:
        """Take one tick."""
        sums: dict[str, float] = {}
        percents = []
        for metric in metrics:
            self._count(metric)
            for name, value in zip(METRIC_FIELDS, metric[2:], strict=True):
                if value is not None:
                    sums[name] = sums.get(name, 0) + value
            percent = self._cpu_percent.take(metric)
            percents.append(percent)
            if percent is not None:
                sums["cpu_percent"] = sums.get("cpu_percent", 0) + percent
        self.peak_rss_bytes = max(self.peak_rss_bytes or 0, int(sums["rss_bytes"]))
        if "high_water_rss_bytes" in sums:
            # The sum of single peaks would be a moment that never was.
            single = max(metric.high_water_rss_bytes or 0 for metric in metrics)
            sums["high_water_rss_bytes"] = max(self.peak_rss_bytes, single)
        for name in CUMULATIVE:
            if name in sums:  # not everybody need have told it this time
                sums[name] = self._totals[name]
        sums.pop("cpu_s", None)  # user and system are told of the tree
        return Tick(tuple(percents), sums)


class Counted(NamedTuple):
    """A counter after one record."""

    total: float
    """Over all processes."""
    rate_per_s: float | None
    """Since `since_ns`; None until enough time has passed."""
    since_ns: int | None


class CounterRates:
    """Totals of counters over processes, and their rates."""

    def __init__(self) -> None:
        self._totals: dict[str, dict[int, float]] = {}
        self._marks: dict[str, tuple[int, float]] = {}

    def take(self, record: Count) -> Counted:
        """Take one record."""
        by_pid = self._totals.setdefault(record.name, {})
        by_pid[record.pid] = record.total
        total = sum(by_pid.values())
        since_ns, before = self._marks.setdefault(record.name, (record.t_ns, total))
        elapsed_ns = record.t_ns - since_ns
        if elapsed_ns < RATE_SMOOTH_NS:
            return Counted(total, None, None)
        self._marks[record.name] = (record.t_ns, total)
        return Counted(total, (total - before) * NS_PER_S / elapsed_ns, since_ns)


class PoolTotals:
    """Sizes of pools summed over processes."""

    def __init__(self) -> None:
        self._sizes: dict[str, dict[int, int]] = {}

    def take(self, record: Pool) -> int:
        """Return the pool's size over all processes after this record."""
        by_pid = self._sizes.setdefault(record.name, {})
        by_pid[record.pid] = record.bytes
        return sum(by_pid.values())
