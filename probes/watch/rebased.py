"""A stretch of a session as if the session had begun there: what counts up, counts from there."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from perftui.probes.process.baseline import Baseline
from perftui.probes.spine.derived import CUMULATIVE
from perftui.probes.spine.records import (
    Alert,
    Exit,
    Overhead,
    ProcessStart,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.enriched import Batch, Covered, Tick
    from perftui.probes.spine.records import Record, ThreadKey

_NAMES_KEPT = 8_192


class Held:
    """What holds at a moment of the session, for a stretch that begins then."""

    def __init__(self) -> None:
        self._processes: dict[int, ProcessStart] = {}
        self._names: dict[ThreadKey, ThreadName] = {}
        self.covered: dict[int, float] = {}
        """Time with stacks so far, by process."""

    def take(self, batch: Batch) -> None:
        """Follow the session."""
        for record in batch.events:
            if isinstance(record, ProcessStart):
                self._processes[record.pid] = record
            elif isinstance(record, ThreadName):
                if len(self._names) >= _NAMES_KEPT:
                    del self._names[next(iter(self._names))]
                self._names[record.pid, record.tid] = record
            elif isinstance(record, Exit):
                self._processes.pop(record.pid, None)
                self.covered.pop(record.pid, None)
                for key in [key for key in self._names if key[0] == record.pid]:
                    del self._names[key]
        for each in batch.windows:
            self.covered[each.window.pid] = each.covered_ns

    def pids(self) -> set[int]:
        """Return the processes that live."""
        return set(self._processes)

    def events(self, t_ns: int) -> list[Record]:
        """Return it as records of a moment."""
        told: list[Record] = [each._replace(t_ns=t_ns) for each in self._processes.values()]
        return told + [each._replace(t_ns=t_ns) for each in self._names.values()]


class Rebased:
    """Changes batches so that they belong to a stretch that begins at `t_start_ns`.

    Args:
        t_start_ns: Where it begins.
        standing: What held then.
    """

    def __init__(self, t_start_ns: int, standing: Held) -> None:
        self._t_start_ns = t_start_ns
        self._covered = dict(standing.covered)
        self._before = {
            record.pid for record in standing.events(0) if isinstance(record, ProcessStart)
        }
        self._baselines: dict[int, Baseline] = {}
        self._sums: dict[str, float] = {}
        self._high_water: float | None = None
        self._highest_rss = 0.0
        self._own_cpu_s: float | None = None

    def of(self, batch: Batch) -> Batch:
        """Return a batch as the stretch has it; what came before its start is left out."""
        start = self._t_start_ns
        return batch._replace(
            raw=(),
            events=self._events(batch.events),
            ticks=[self._tick(tick) for tick in batch.ticks if tick.t_ns >= start],
            weighed=[piece for piece in batch.weighed if piece.t0_ns >= start],
            windows=[self._window(each) for each in batch.windows if each.window.t0_ns >= start],
        )

    def _events(self, events: Sequence[Record]) -> list[Record]:
        told: list[Record] = []
        for pid, group in groupby(events, key=_pid_of_thread):
            if pid is None:
                told += [self._event(record) for record in group]
                continue
            rows = [row for row in group if isinstance(row, ThreadCpu)]
            baseline = self._baseline(pid)
            told += rows if baseline is None else baseline.threads_since(rows)
        return told

    def _event(self, record: Record) -> Record:
        if isinstance(record, Overhead):
            if self._own_cpu_s is None:
                self._own_cpu_s = record.cpu_s
            return record._replace(cpu_s=max(record.cpu_s - self._own_cpu_s, 0.0))
        if isinstance(record, Alert) and record.t_onset_ns < self._t_start_ns:
            return _from(self._t_start_ns, record)
        return record

    def _baseline(self, pid: int) -> Baseline | None:
        """Return that of a process that was there before, None for a later one."""
        if pid not in self._before:
            return None
        return self._baselines.setdefault(pid, Baseline())

    def _tick(self, tick: Tick) -> Tick:
        sums = dict(tick.sums)
        for name in CUMULATIVE:
            if name in sums:
                sums[name] = max(sums[name] - self._sums.setdefault(name, sums[name]), 0)
        mark = sums.get("high_water_rss_bytes")
        if mark is not None:
            if self._high_water is None:
                self._high_water = mark
            self._highest_rss = max(self._highest_rss, sums["rss_bytes"])
            risen = mark > self._high_water
            sums["high_water_rss_bytes"] = mark if risen else self._highest_rss
        readings = []
        for reading in tick.readings:
            baseline = self._baseline(reading.metric.pid)
            if baseline is not None:
                reading = reading._replace(metric=baseline.since(reading.metric))
            readings.append(reading)
        return tick._replace(sums=sums, readings=tuple(readings))

    def _window(self, each: Covered) -> Covered:
        before = self._covered.get(each.window.pid, 0.0)
        return each._replace(covered_ns=max(each.covered_ns - before, 0.0))


def _from(t_start_ns: int, alert: Alert) -> Alert:
    """Return an alert that began before the stretch as from its start on; it says so."""
    before = format_seconds((t_start_ns - alert.t_onset_ns) / NS_PER_S)
    return alert._replace(
        t_onset_ns=t_start_ns,
        t_detect_ns=max(alert.t_detect_ns, t_start_ns),
        t_clear_ns=None if alert.t_clear_ns is None else max(alert.t_clear_ns, t_start_ns),
        evidence=f"{alert.evidence}; it began {before} before this recording",
    )


def _pid_of_thread(record: Record) -> int | None:
    return record.pid if isinstance(record, ThreadCpu) else None
