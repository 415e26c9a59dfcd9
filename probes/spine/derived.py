"""The figures that `Enricher` derives: CPU per cent, sums over the family, rates of counters."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perftui.probes.spine.enriched import Counted, Parted, Pooled, Reading, Tick
from perftui.probes.spine.family_memory import FamilyMemory
from perftui.probes.spine.newcomers import Newcomers
from perftui.probes.spine.reader import TREE
from perftui.probes.spine.records import Metric
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.probes.spine.records import Count, MemoryPart, Pool

CPU_SMOOTH_NS = 150_000_000
"""CPU % is taken over at least this long, or scheduling alone would make it jump."""
RATE_SMOOTH_NS = 200_000_000
NAMES_KEPT = 2_000
"""Of counters, and of pools. A program that makes names up has more; of those totals are told by
process."""
ENDED_KEPT = 256
"""Processes whose end is remembered: their last records may come later than it."""
POOL_HOLD_NS = 3 * NS_PER_S
"""The agent asks every pool once a second: what is older than this is not known any more."""
LIBRARIES = "libraries"
"""The part of resident memory that a family shares with strangers, as a rule."""
METRIC_FIELDS = tuple(name for name in Metric._fields if name not in ("t_ns", "pid"))
FAMILY_FIELDS = ("brought_bytes", "newcomers")
"""What is told of the family alone, once a process has come to it (`newcomers`)."""
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
_CUMULATIVE_AT = tuple((name, Metric._fields.index(name)) for name in CUMULATIVE)


CPU_LEAST_NS = 40_000_000
"""Over less nothing is told: when a reading was late by some milliseconds, on a full machine, those
count as if they had been used in it. Readings are 50 ms apart."""


class CpuPercent:
    """CPU per cent of processes from their cumulative seconds.

    Args:
        span_ns: Taken over at least this long, as soon as there is as much.
    """

    def __init__(self, span_ns: int = CPU_SMOOTH_NS) -> None:
        self._span_ns = span_ns
        self._marks: dict[int, deque[tuple[int, float]]] = {}

    def take(self, metric: Metric) -> float | None:
        """Return CPU % of one core after a reading, None while there is too little."""
        marks = self._marks.setdefault(metric.pid, deque())
        while len(marks) > 1 and metric.t_ns - marks[1][0] >= self._span_ns:
            marks.popleft()
        percent = None
        if marks and metric.t_ns - marks[0][0] >= CPU_LEAST_NS:
            used_s = metric.cpu_s - marks[0][1]
            percent = max(0.0, used_s * 100 * NS_PER_S / (metric.t_ns - marks[0][0]))
        marks.append((metric.t_ns, metric.cpu_s))
        return percent

    def forget(self, pid: int) -> None:
        """Drop what is kept of a process that has ended."""
        self._marks.pop(pid, None)


class FamilyMetrics:
    """Adds up ticks: readings of the same time, one per process."""

    def __init__(self) -> None:
        self._cpu_percent = CpuPercent()
        self._memory = FamilyMemory()
        self._newcomers = Newcomers()
        self.rss_bytes = 0
        """Of the newest tick."""
        self._peak_rss_bytes = 0
        self._totals: dict[str, float] = {}
        """What counts up, over all processes; those that have ended stay in it."""
        self._told: dict[int, dict[str, float]] = {}
        """What each process told last."""
        self._counted: dict[int, tuple[float | None, ...]] = {}
        """Its last reading that was counted; most of a family wait, and have the same again."""
        self._gone: deque[int] = deque()

    def forget(self, pid: int) -> None:
        """A process has ended: what it used stays in the sums."""
        self._counted.pop(pid, None)
        self._cpu_percent.forget(pid)
        self._settle(pid)
        # Not at once: a reading that was under way may come later, and would count twice.
        self._gone.append(pid)
        if len(self._gone) > ENDED_KEPT:
            gone = self._gone.popleft()
            self._told.pop(gone, None)
            self._counted.pop(gone, None)

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
        read = metric[2:]
        if self._counted.get(metric.pid) == read:
            return
        self._counted[metric.pid] = read
        told = self._told.get(metric.pid)
        if told is None or metric.cpu_s < told["cpu_s"]:  # less: another process has the pid
            told = self._told[metric.pid] = {}
        totals = self._totals
        for name, at in _CUMULATIVE_AT:
            value = metric[at]
            if value is not None:
                totals[name] = totals.get(name, 0) + value - told.get(name, 0)
                told[name] = value

    def tick(self, t_ns: int, metrics: Sequence[Metric], pools: Mapping[str, int]) -> Tick:
        """Take the readings of one moment."""
        sums = _added_up(metrics)
        readings = []
        for metric in metrics:
            self._count(metric)
            percent = self._cpu_percent.take(metric)
            readings.append(Reading(metric, percent))
            if percent is not None:
                sums["cpu_percent"] = sums.get("cpu_percent", 0) + percent
        rss = sums["rss_bytes"] = self.rss_bytes = self._memory.total(metrics)
        shares_known = self._memory.counting != "sum of RSS"
        brought = self._newcomers.take(metrics, shares_known=shares_known)
        if self._newcomers.count:
            sums["brought_bytes"], sums["newcomers"] = brought, self._newcomers.count
        if "anon_rss_bytes" in sums:  # what is shared is private memory of a parent, as a rule
            twice = self._memory.more_than_once
            sums["anon_rss_bytes"] = max(sums["anon_rss_bytes"] - twice, 0)
        # Read a moment apart from RSS, while pages come and go.
        for name, most in (("pss_bytes", "rss_bytes"), ("uss_bytes", "pss_bytes")):
            if name in sums and most in sums:
                sums[name] = min(sums[name], sums[most])
        self._peak_rss_bytes = max(self._peak_rss_bytes, rss)
        if "high_water_rss_bytes" in sums:
            # The sum of single peaks would be a moment that never was.
            single = max(metric.high_water_rss_bytes or 0 for metric in metrics)
            sums["high_water_rss_bytes"] = max(self._peak_rss_bytes, single)
        if "pss_bytes" not in sums and any(metric.uss_bytes is None for metric in metrics):
            sums.pop("uss_bytes", None)  # of some who are new: not that of the family
        for name in CUMULATIVE:
            if name in sums:  # not everybody need have told it this time
                sums[name] = self._totals[name]
        sums.pop("cpu_s", None)  # user and system are told of the tree
        return Tick(t_ns, tuple(readings), sums, pools)


def _added_up(metrics: Sequence[Metric]) -> dict[str, float]:
    """Return the sum of each field, over those who tell it; a field that nobody tells has none."""
    if len(metrics) == 1:  # mostly, and 20 times a second
        told = zip(METRIC_FIELDS, metrics[0][2:], strict=True)
        return {name: value for name, value in told if value is not None}
    sums: dict[str, float] = {}
    for name, *column in zip(METRIC_FIELDS, *(metric[2:] for metric in metrics), strict=True):
        known = [value for value in column if value is not None]
        if known:
            sums[name] = sum(known)
    return sums


class _Totals:
    """Newest total of one counter by process."""

    def __init__(self) -> None:
        self.by_pid: dict[int, float] = {}
        self.gone: float = 0
        """Of processes that ended long ago."""
        self.mark: tuple[int, float] | None = None

    def total(self) -> float:
        return sum(self.by_pid.values(), self.gone)

    def fold(self, pid: int) -> None:
        self.gone += self.by_pid.pop(pid, 0)


class CounterRates:
    """Totals of counters over processes, and their rates."""

    def __init__(self) -> None:
        self._totals: dict[str, _Totals] = {}
        self._ended: dict[int, None] = {}
        """Their last records may come after their end, by another way."""

    def take(self, record: Count) -> Counted:
        """Take one record."""
        totals = self._totals.get(record.name)
        if totals is None:
            if len(self._totals) >= NAMES_KEPT:
                return Counted(record, record.total, None, None)
            totals = self._totals[record.name] = _Totals()
        totals.by_pid[record.pid] = record.total
        total = totals.total()
        if totals.mark is None:
            totals.mark = (record.t_ns, total)
        since_ns, before = totals.mark
        elapsed_ns = record.t_ns - since_ns
        if elapsed_ns < RATE_SMOOTH_NS:
            return Counted(record, total, None, None)
        totals.mark = (record.t_ns, total)
        return Counted(record, total, (total - before) * NS_PER_S / elapsed_ns, since_ns)

    def began(self, pid: int) -> None:
        """Another process has the number of one that ended: it counts from zero."""
        if pid in self._ended:
            self._fold(pid)

    def ended(self, pid: int) -> None:
        """Keep what a process counted, though not for ever under its own number."""
        self._ended.pop(pid, None)
        self._ended[pid] = None
        if len(self._ended) > ENDED_KEPT:
            self._fold(next(iter(self._ended)))

    def _fold(self, pid: int) -> None:
        del self._ended[pid]
        for totals in self._totals.values():
            totals.fold(pid)


class PoolTotals:
    """Sizes of pools summed over the processes that live and have told them lately."""

    def __init__(self) -> None:
        self._sizes: dict[str, dict[int, Pool]] = {}
        self._ended: dict[int, None] = {}

    def take(self, record: Pool) -> Pooled:
        """Take one record; a process's last may come after its end."""
        if record.pid in self._ended:
            others = self._sizes.get(record.name, {})
            return Pooled(record, _lately(others, record.t_ns) + record.bytes)
        by_pid = self._sizes.get(record.name)
        if by_pid is None:
            if len(self._sizes) >= NAMES_KEPT:
                return Pooled(record, record.bytes)
            by_pid = self._sizes[record.name] = {}
        by_pid[record.pid] = record
        return Pooled(record, _lately(by_pid, record.t_ns))

    def totals(self, t_ns: int) -> Mapping[str, int]:
        """Return the bytes of every pool that some process has told lately."""
        return {
            name: _lately(by_pid, t_ns)
            for name, by_pid in self._sizes.items()
            if any(t_ns - record.t_ns <= POOL_HOLD_NS for record in by_pid.values())
        }

    def began(self, pid: int) -> None:
        """Another process has the number of one that ended."""
        self._ended.pop(pid, None)

    def ended(self, pid: int) -> None:
        """What a process held is given back when it ends."""
        for by_pid in self._sizes.values():
            by_pid.pop(pid, None)
        self._ended.pop(pid, None)
        self._ended[pid] = None
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]


def _lately(by_pid: Mapping[int, Pool], t_ns: int) -> int:
    return sum(record.bytes for record in by_pid.values() if t_ns - record.t_ns <= POOL_HOLD_NS)


class PartSums:
    """Parts of resident memory summed over the processes that live."""

    def __init__(self) -> None:
        self._parts: dict[int, list[MemoryPart]] = {}
        self._family: frozenset[str] = frozenset()
        """Names of the family's parts, as told last."""

    def take(self, records: Sequence[MemoryPart], family_bytes: int) -> list[Parted]:
        """Take what a batch tells of some processes, each with all of its parts.

        A part that was told before and is not any more (its allocator does not answer, who had it
        has ended) is told as 0 once: its memory is in another part now, or given back.

        Args:
            records: The parts.
            family_bytes: What the whole family has (`family_memory`): pages of libraries that it
                shares with strangers are in it.
        """
        told: dict[int, list[MemoryPart]] = {}
        for record in records:
            told.setdefault(record.pid, []).append(record)
        rows = [Parted(part.t_ns, part.pid, part.name, part.bytes) for part in records]
        for pid, parts in told.items():
            gone = {part.name for part in self._parts.get(pid, ())} - {part.name for part in parts}
            rows += (Parted(parts[0].t_ns, pid, name, 0) for name in sorted(gone))
        self._parts.update(told)
        sums: dict[str, int] = {}
        alone = len(self._parts) == 1
        for parts in self._parts.values():
            for part in parts:
                size = part.bytes if alone else part.share_bytes
                sums[part.name] = sums.get(part.name, 0) + size
        if not alone and LIBRARIES in sums:
            largest = max(
                part.bytes
                for parts in self._parts.values()
                for part in parts
                if part.name == LIBRARIES
            )
            missing = family_bytes - sum(sums.values())
            sums[LIBRARIES] += max(min(missing, largest - sums[LIBRARIES]), 0)
        t_ns = max(record.t_ns for record in records)
        rows += (Parted(t_ns, TREE, name, 0) for name in sorted(self._family - sums.keys()))
        self._family = frozenset(sums)
        return rows + [Parted(t_ns, TREE, name, size) for name, size in sums.items()]

    def ended(self, pid: int) -> None:
        """What a process held is given back when it ends."""
        self._parts.pop(pid, None)
