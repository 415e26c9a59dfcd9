"""The sink of a live session: batches taken into bounded memory.

Metrics and stacks are thinned with age (`series`, `stack_sums`), events only where there are too
many (`bounds`). A probe that hands in a batch never waits for a reader: batches go to an inbox,
which a reader empties before it reads, or who hands in, once it is worth it: twenty batches in a
row take half the CPU that they take one by one.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.answers.own_cost import OwnCost
from perftui.probes.answers.parts import Parts
from perftui.probes.answers.quality import StackQuality
from perftui.probes.spine.reader import TREE
from perftui.probes.spine.records import (
    Call,
    Exit,
    LogLine,
    Overhead,
    ProcessStart,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.store.calls import Calls
from perftui.probes.store.counts import Counts
from perftui.probes.store.journal import Journal
from perftui.probes.store.lines import LogLines
from perftui.probes.store.processes import ProcessTable
from perftui.probes.store.series import READ_FIELDS, SeriesTable
from perftui.probes.store.stack_sums import StackSums
from perftui.probes.store.threads import THREADS_KEPT, ThreadTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch, Counted, Covered, Pooled, Tick
    from perftui.probes.spine.records import Record
    from perftui.probes.store.life import Life


_WAITING_BATCHES, _WAITING_RECORDS = 24, 400
"""As much stays in the inbox: a second of a target with few threads."""
_BRIEF_EVENTS = (500, 2_000, 500)
"""Phases, imports and other events that are kept where nobody looks back."""


class _Held:
    """The parts stand still in it. A class, not a generator: a picture asks some 70 times."""

    def __init__(self, hold: Callable[[], Parts], lock: Lock) -> None:
        self._hold = hold
        self._lock = lock

    def __enter__(self) -> Parts:
        return self._hold()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


class MemoryParts:
    """A sink, and the parts that answers are given from.

    Args:
        tree: The session's call tree.
        life: What is watched.
        brief: Keep the last minutes of what is measured alone.
    """

    def __init__(self, tree: CallTree, life: Life, *, brief: bool = False) -> None:
        self._lock = Lock()
        self._inbox: deque[Batch] = deque()
        self._target_pid = life.target.pid
        self._series = SeriesTable(brief=brief)
        self._stacks = StackSums(brief=brief)
        self._threads = ThreadTable(brief=brief)
        self._journal = Journal(*_BRIEF_EVENTS) if brief else Journal()
        self._calls = Calls()
        self._counts = Counts()
        self._lines = LogLines()
        self._processes = ProcessTable(life.target.pid)
        self._quality = StackQuality()
        self._own_cost = OwnCost()
        self._held = _Held(self._hold, self._lock)
        self.parts = Parts(
            tree=tree,
            session=life,
            series=self._series,
            stacks=self._stacks,
            threads=self._threads,
            journal=self._journal,
            calls=self._calls,
            counts=self._counts,
            lines=self._lines,
            processes=self._processes,
            quality=self._quality,
            own_cost=self._own_cost,
        )

    def held(self) -> AbstractContextManager[Parts]:
        """Hold the parts still, with all batches taken in that came before."""
        return self._held

    def _hold(self) -> Parts:
        self._lock.acquire()
        try:
            self._drain()
        except BaseException:
            self._lock.release()
            raise
        return self.parts

    def ingest(self, batch: Batch) -> None:
        """Take a batch; while few are there, or somebody reads just now, leave it in the inbox."""
        self._inbox.append(batch._replace(raw=()))
        few = len(self._inbox) < _WAITING_BATCHES
        if few and len(batch.events) + len(batch.weighed) < _WAITING_RECORDS:
            return
        if self._lock.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._lock.release()

    def _drain(self) -> None:
        while self._inbox:
            self._take(self._inbox.popleft())

    def _take(self, batch: Batch) -> None:
        for record in batch.events:
            if isinstance(record, ThreadCpu):
                self._threads.take_cpu(record)
                if len(self._threads) > THREADS_KEPT:
                    self._stacks.fold(self._threads.fold())
            elif isinstance(record, ThreadName):
                self._threads.take_name(record)
            elif isinstance(record, Overhead):
                self._own_cost.take(record)
            elif isinstance(record, LogLine):
                self._lines.take(record)
            elif isinstance(record, Call):
                if not self._calls.take(record):
                    self._journal.left_out("names of calls", 1, record.t_ns)
            else:
                self._take_event(record)
        for standing in batch.alerts:
            self._journal.take_alert(standing.alert)
        for counted in batch.counted:
            self._take_count(counted)
        for pooled in batch.pools:
            self._take_pool(pooled)
        for part in batch.parts:
            self._series.add(part.pid, f"part:{part.name}", part.t_ns, part.bytes)
        for covered in batch.windows:
            self._take_window(covered)
        for tick in batch.ticks:
            self._take_tick(tick)
        if batch.weighed:
            self._stacks.add(batch.weighed)

    def _take_event(self, record: Record) -> None:
        self._journal.take(record)
        if isinstance(record, ProcessStart):
            self._processes.take_start(record)
        elif isinstance(record, Exit):
            self._processes.take_exit(record)
            gone = self._processes.fold()
            if gone:
                # Their part in the sums of the family stays.
                self._series.forget({process.pid for process in gone})
                self._journal.left_out("ended processes", len(gone), gone[-1].t_end_ns or 0)

    def _take_tick(self, tick: Tick) -> None:
        t_ns, add, add_row = tick.t_ns, self._series.add, self._series.add_row
        for metric, percent in tick.readings:
            add_row(metric.pid, t_ns, metric[-len(READ_FIELDS) :])
            if percent is not None:
                add(metric.pid, "cpu_percent", t_ns, percent)
        for name, value in tick.sums.items():
            add(TREE, name, t_ns, value)

    def _take_count(self, counted: Counted) -> None:
        name, t_ns = counted.record.name, counted.record.t_ns
        if not self._counts.take(name, t_ns, t_ns):
            self._journal.left_out("names of counters", 1, t_ns)
            return
        self._series.add(TREE, f"count:{name}", t_ns, counted.total)
        if counted.rate_per_s is not None and counted.since_ns is not None:
            # The rate belongs to the time before this count, so it is drawn from there on.
            series = self._series.of(TREE, f"rate:{name}", t_ns - counted.since_ns)
            series.add(counted.since_ns, counted.rate_per_s)
            series.add(t_ns - 1, counted.rate_per_s)

    def _take_pool(self, pooled: Pooled) -> None:
        record = pooled.record
        name = f"pool:{record.name}"
        self._series.add(record.pid, name, record.t_ns, record.bytes)
        self._series.add(TREE, name, record.t_ns, pooled.total)

    def _take_window(self, covered: Covered) -> None:
        window, quality = covered.window, self._quality
        quality.know_backend(window.backend)
        quality.used_cpu_ns += window.cpu_ns or 0
        quality.covered_cpu_ns += window.covered_cpu_ns or 0
        quality.samples += window.samples
        quality.torn += window.torn
        quality.sampler_cpu_s += window.sampler_cpu_s
        if window.pid != self._target_pid:
            return
        quality.lately.append((window, covered.threads))
        if quality.begin_ns is None:
            quality.begin_ns = window.t0_ns
        quality.covered_ns = covered.covered_ns
        quality.asked_hz = max(quality.asked_hz, window.rate_hz)
        quality.end_ns = max(quality.end_ns, window.t1_ns)
