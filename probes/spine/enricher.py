"""What follows from records without being one is worked out here, once, before the sinks.

The order of the records is the session's; the figures are as of the moment in which the session
took them. Memory is bounded: two minutes of readings, and what lives.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from perftui.probes.spine.derived import CounterRates, FamilyMetrics, PartSums, PoolTotals
from perftui.probes.spine.enriched import Batch, Counted, Covered, Pooled, Standing, Tick
from perftui.probes.spine.recent import KEYS_KEPT, RecentReadings
from perftui.probes.spine.records import (
    Alert,
    Count,
    Exit,
    MemoryPart,
    Metric,
    Pool,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadKey,
)
from perftui.probes.spine.weighing import weigh as spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.weighed import WeighedStack
    from perftui.probes.spine.weighing import Weigh

ALERTS_KNOWN = 5_000
"""Later forms of older ones count as new."""


class Enricher:
    """Takes the batches of one session in their order. Not safe for several threads at once.

    Args:
        weigh: Gives stacks their weights. The default spreads the CPU of a thread over what it was
            seen in: an estimate, for samplers that do not tell what was used meanwhile.
    """

    def __init__(self, weigh: Weigh = spread) -> None:
        self._weigh_all = weigh
        self._family = FamilyMetrics()
        self._counters = CounterRates()
        self._pools = PoolTotals()
        self._parts = PartSums()
        self._rss: RecentReadings[int] = RecentReadings()
        self._thread_cpu: RecentReadings[ThreadKey] = RecentReadings()
        self._coverage: dict[int, tuple[float, int]] = {}
        self._alerts: dict[tuple[str, int], None] = {}

    def enrich(self, records: Sequence[Record]) -> Batch:
        """Return the batch with what follows from it."""
        events: list[Record] = []
        metrics: dict[int, list[Metric]] = {}
        stacks: dict[int, list[Stack]] = {}
        pid = -1
        of_pid: list[Stack] = []
        counted: list[Counted] = []
        pools: list[Pooled] = []
        parts: list[MemoryPart] = []
        windows: list[Covered] = []
        alerts: dict[tuple[str, int], Standing] = {}
        for record in records:
            if type(record) is Stack:  # a batch may have thousands, mostly of one process
                if record.pid != pid:
                    pid = record.pid
                    of_pid = stacks.setdefault(pid, [])
                if record.t1_ns > record.t0_ns or record.state is not None:
                    of_pid.append(record)
            elif isinstance(record, Metric):
                metrics.setdefault(record.t_ns, []).append(record)
            elif isinstance(record, Count):
                counted.append(self._counters.take(record))
            elif isinstance(record, Pool):
                pools.append(self._pools.take(record))
            elif isinstance(record, MemoryPart):
                parts.append(record)
            elif isinstance(record, StackWindow):
                windows.append(self._cover(record, stacks.get(record.pid, ())))
            else:
                events.append(record)
                if isinstance(record, ThreadCpu):
                    key = (record.pid, record.tid)
                    self._thread_cpu.add(key, record.t_ns, record.cpu_s)
                elif isinstance(record, Alert):
                    self._stand(record, alerts)
                elif isinstance(record, ProcessStart):
                    self._began(record)
                elif isinstance(record, Exit):
                    self._ended(record)
        ticks = [self._tick(t_ns, readings) for t_ns, readings in metrics.items()]
        return Batch(
            records,
            events,
            ticks,
            counted,
            pools,
            list(chain.from_iterable(map(self._weigh, stacks.values()))),
            windows,
            tuple(alerts.values()),
            self._parts.take(parts, self._family.rss_bytes) if parts else (),
        )

    def _tick(self, t_ns: int, metrics: list[Metric]) -> Tick:
        for metric in metrics:
            self._rss.add(metric.pid, t_ns, metric.rss_bytes)
        return self._family.tick(t_ns, metrics, self._pools.totals(t_ns))

    def _weigh(self, stacks: list[Stack]) -> list[WeighedStack]:
        """Weigh the stacks of one process as well as their source allows."""
        if not stacks:
            return []
        pieces = self._weigh_all(stacks, self._thread_cpu.get, self._rss.get(stacks[0].pid))
        return [piece for piece in pieces if piece.t1_ns > piece.t0_ns]

    def _cover(self, window: StackWindow, stacks: Sequence[Stack]) -> Covered:
        covered_ns, end_ns = self._coverage.pop(window.pid, (0.0, 0))  # the last to be forgotten
        fresh_ns = window.t1_ns - max(window.t0_ns, end_ns)
        read = window.samples + window.errors
        if fresh_ns > 0 and read:
            covered_ns += fresh_ns * window.samples / read
        self._coverage[window.pid] = (covered_ns, max(end_ns, window.t1_ns))
        if len(self._coverage) > KEYS_KEPT:
            del self._coverage[next(iter(self._coverage))]
        return Covered(window, len({stack.tid for stack in stacks}), covered_ns)

    def _stand(self, alert: Alert, alerts: dict[tuple[str, int], Standing]) -> None:
        key = (alert.kind, alert.t_onset_ns)
        before = alerts.get(key)
        is_new = before is not None and before.is_new
        if alert.severity != "info" and key not in self._alerts:
            self._alerts[key] = None
            is_new = True
        alerts[key] = Standing(alert, is_new)
        if len(self._alerts) > ALERTS_KNOWN:
            del self._alerts[next(iter(self._alerts))]

    def _began(self, record: ProcessStart) -> None:
        self._counters.began(record.pid)
        self._pools.began(record.pid)

    def _ended(self, record: Exit) -> None:
        pid = record.pid
        self._family.forget(pid)
        self._counters.ended(pid)
        self._pools.ended(pid)
        self._parts.ended(pid)
