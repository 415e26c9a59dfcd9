"""The sink of a live session: what comes out of the probes, taken into bounded memory.

Metrics and stacks are thinned with age (`series`, `stack_sums`), events never (`journal`).
A probe that hands in a batch never waits for a reader: batches go to an inbox, which whoever
holds the lock empties.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.spine.derived import METRIC_FIELDS, CounterRates, PoolTotals, TreeMetrics
from perftui.probes.spine.reader import TREE, Process, Target
from perftui.probes.spine.records import (
    Count,
    Exit,
    Metric,
    Overhead,
    Pool,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.stacks.own.weigher import Weigher
from perftui.probes.store.journal import Journal
from perftui.probes.store.quality import StackQuality
from perftui.probes.store.series import PROCESS_TIERS_NS, TIERS_NS, Series
from perftui.probes.store.stack_sums import StackSums
from perftui.probes.store.threads import THREADS_KEPT, ThreadTable
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

PROCESSES_KEPT = 512
"""Of a target that starts many, the oldest ended ones are forgotten."""
RATE_HOLD_NS = 1_500_000_000
"""A rate is drawn for at least this long."""


class Intake:
    """The half of the live session that takes records; `Store` is the half that answers.

    Args:
        target: What is watched; its `Exit` is the session's.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = Lock()
        self._inbox: deque[Sequence[Record]] = deque()
        self._journal = Journal()
        self._series: dict[tuple[int, str], Series] = {}
        self._tree_metrics = TreeMetrics()
        self._counter_rates = CounterRates()
        self._pool_totals = PoolTotals()
        self._processes: dict[int, Process] = {}
        self._threads = ThreadTable()
        self._stacks = StackSums()
        self._weigher = Weigher()
        self._quality = StackQuality(target.pid)
        self._overheads: deque[Overhead] = deque(maxlen=8)
        self._own_peak_rss: int | None = None
        self._exit: Exit | None = None

    def ingest(self, batch: Sequence[Record]) -> None:
        """Take a batch; if somebody reads just now, leave it in the inbox."""
        self._inbox.append(batch)
        if self._lock.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._lock.release()

    def _drain(self) -> None:
        while self._inbox:
            self._take(self._inbox.popleft())

    def _take(self, batch: Sequence[Record]) -> None:
        metrics: list[Metric] = []
        stacks: dict[int, list[Stack]] = {}
        for record in batch:
            if isinstance(record, Metric):
                metrics.append(record)
            elif isinstance(record, Stack):
                stacks.setdefault(record.pid, []).append(record)
            elif isinstance(record, ThreadCpu):
                self._threads.take_cpu(record)
                if len(self._threads) > THREADS_KEPT:
                    self._stacks.fold(self._threads.fold())
            elif isinstance(record, StackWindow):
                seen = {stack.tid for stack in stacks.get(record.pid, ())}
                self._quality.add(record, len(seen))
            elif isinstance(record, ThreadName):
                self._threads.take_name(record)
            elif isinstance(record, Pool):
                self._take_pool(record)
            elif isinstance(record, Overhead):
                self._overheads.append(record)
                self._own_peak_rss = max(self._own_peak_rss or 0, record.rss_bytes)
            else:
                self._take_event(record)
        if metrics:
            self._take_metrics(metrics)
        for pid, rows in stacks.items():
            self._take_stacks(pid, rows)

    def _take_event(self, record: Record) -> None:
        self._journal.take(record)
        if isinstance(record, Count):
            self._take_count(record)
        elif isinstance(record, ProcessStart):
            self._processes[record.pid] = Process(
                record.pid, record.ppid, record.argv, record.python, record.t_ns, None
            )
        elif isinstance(record, Exit):
            process = self._processes.get(record.pid)
            if process is not None:
                self._processes[record.pid] = process._replace(t_end_ns=record.t_ns)
            self._tree_metrics.forget(record.pid)
            if record.pid == self._target.pid:
                self._exit = record
            elif len(self._processes) > PROCESSES_KEPT:
                self._fold_processes()

    def _fold_processes(self) -> None:
        """Forget the oldest ended processes; their part in the sums of the tree stays."""
        ended = [process for process in self._processes.values() if process.t_end_ns is not None]
        ended = [process for process in ended if process.pid != self._target.pid]
        for process in ended[: PROCESSES_KEPT // 4]:
            del self._processes[process.pid]
        gone = {process.pid for process in ended[: PROCESSES_KEPT // 4]}
        for key in [key for key in self._series if key[0] in gone]:
            del self._series[key]
        self._journal.left_out("ended processes", len(gone), ended[-1].t_end_ns or 0)

    def _take_metrics(self, metrics: list[Metric]) -> None:
        """Take one tick: a row per process of the tree, all with the same time."""
        t_ns = metrics[0].t_ns
        tick = self._tree_metrics.tick(metrics)
        for metric, percent in zip(metrics, tick.percents, strict=True):
            for name, value in zip(METRIC_FIELDS, metric[2:], strict=True):
                if value is not None and name != "cpu_s":
                    self._series_of(metric.pid, name).add(t_ns, value)
            if percent is not None:
                self._series_of(metric.pid, "cpu_percent").add(t_ns, percent)
        for name, value in tick.sums.items():
            self._series_of(TREE, name).add(t_ns, value)

    def _take_stacks(self, pid: int, stacks: list[Stack]) -> None:
        rss = self._series.get((pid, "rss_bytes"))
        for piece in self._weigher.weigh(stacks, self._threads.cpu_of, rss):
            self._stacks.add(piece)

    def _take_count(self, record: Count) -> None:
        if not self._journal.counts_name(record.name):
            return  # one name too many
        counted = self._counter_rates.take(record)
        self._series_of(TREE, f"count:{record.name}", None).add(record.t_ns, counted.total)
        if counted.rate_per_s is not None and counted.since_ns is not None:
            # The rate belongs to the time before this count, so it is drawn from there on.
            hold_ns = max(RATE_HOLD_NS, record.t_ns - counted.since_ns)
            series = self._series_of(TREE, f"rate:{record.name}", hold_ns)
            series.add(counted.since_ns, counted.rate_per_s)
            series.add(record.t_ns - 1, counted.rate_per_s)

    def _take_pool(self, record: Pool) -> None:
        name = f"pool:{record.name}"
        self._series_of(record.pid, name, None).add(record.t_ns, record.bytes)
        total = self._pool_totals.take(record)
        self._series_of(TREE, name, None).add(record.t_ns, total)

    def _series_of(self, pid: int, name: str, hold_ns: int | None = 3 * NS_PER_S) -> Series:
        series = self._series.get((pid, name))
        if series is None:
            tiers = TIERS_NS if pid == TREE else PROCESS_TIERS_NS
            series = self._series[pid, name] = Series(hold_ns, tiers)
        return series
