"""The metric probe: CPU, memory and threads of the target's whole process tree, on one thread."""

from __future__ import annotations

import os
import time
from threading import Lock
from typing import TYPE_CHECKING, Literal

from perftui.probes.machine.memory import group_peak_bytes, group_peak_file
from perftui.probes.process.face import ProcessGone, ProcessReader
from perftui.probes.process.family import ProcessFamily
from perftui.probes.process.glances import Glances
from perftui.probes.process.held_back import HOLD_NS, HeldBack
from perftui.probes.process.opening import open_process
from perftui.probes.process.pace import CostPace
from perftui.probes.spine.latch import Latch
from perftui.probes.spine.probe_thread import ProbeThread, say_failed
from perftui.probes.spine.records import Exit, Gap, Metric, Notice, Overhead, Record
from perftui.probes.spine.wakes import next_ns
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.process.family_mark import FamilyMark
    from perftui.probes.spine.log import SessionLog

SLOW_EVERY_S = 1.0
SHARES_CORE = 0.01
"""Of one core, for PSS, USS and swap: the kernel counts pages for them, however many there are."""
THREADS_EVERY_S = 0.25
MANY_THREADS = 64
"""Above this, threads are read once a second: a reading costs some 10 µs each."""
LATE_NS = 10_000_000
_MOST_FRESH = 8
"""Of new processes at one time: of more, only the next reading of all tells what is theirs."""
_WHAT = "CPU and memory"
_TRY_AGAIN_S = 1.0
_MOST_FAILURES = 10
"""So many kinds are told; more would hide everything else."""
GAP_NS = 2 * NS_PER_S
"""A tick that comes this late was a suspension or a stall, and is recorded as a gap."""


class MetricProbe:
    """Reads the tree of `pid` at `rate_hz` until it has ended.

    Args:
        log: Where the records go.
        pid: Root of the tree.
        mark: What the processes of a launched tree carry; those that leave it are followed then.
        attached: The tree was found running: what counts up, counts from now.
        rate_hz: Fast readings per second.
        own_cpu_s: Returns the CPU seconds of perftui's other processes (samplers), for Overhead.
        dropped: Returns the number of records lost so far.
        dear: Share of the usual CPU that reading PSS, USS and swap may cost.
    """

    def __init__(
        self,
        log: SessionLog,
        pid: int,
        *,
        mark: FamilyMark | None = None,
        attached: bool = False,
        rate_hz: float = 20.0,
        own_cpu_s: Callable[[], float] = lambda: 0.0,
        dropped: Callable[[], int] = lambda: 0,
        dear: float = 1.0,
    ) -> None:
        self._log = log
        self._root = pid
        self._period_ns = round(NS_PER_S / rate_hz)
        self._own_cpu_s = own_cpu_s
        self._dropped = dropped
        self._stopping = Latch()
        self._thread = ProbeThread(log, _WHAT, self._run, "perftui-metrics")
        self._said_failures: set[str] = set()
        self._family = ProcessFamily(pid, mark, attached)
        self._looking = Lock()
        self._shares_pace = CostPace(SHARES_CORE * dear)
        self._shared_among: frozenset[int] = frozenset()
        """Whose shares were read last: others have come or gone when it is not who lives."""
        self._unread: dict[int, int] = {}
        """RSS of those that came since: one that has less now has become another program."""
        self._said_not_shared = False
        self._group_peak = group_peak_file(pid)
        # What a program that we launched tells of itself is to find its readings there before it.
        self._glances = Glances(self._family)
        self._held_back = HeldBack(log.extend, self._glances.metrics) if attached else None
        self._slow_ns = self._threads_ns = 0
        self._whole_ns = 0
        """From then on a glance is not enough."""
        self._moves_until_ns = 0
        self._late = 0
        self._worst_late_ns = 0
        self._self = open_process(os.getpid())
        self.elsewhere: Callable[[int], list[Metric]] = _nobody
        """Gives what processes of other machines told last, as of a moment: one sum is of all."""

    def start(self) -> None:
        """Read once now, then go on in the background."""
        try:
            self._find_processes(time.monotonic_ns())
        except Exception as error:
            self._failed(error)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if not self._thread.end():
            return  # it may be reading just now
        with self._looking:
            self._family.close()
        self._self.close()

    def pids(self) -> tuple[int, ...]:
        """Return the processes of the tree that are alive."""
        return tuple(self._family.readers)

    def adopt(self, pid: int, title: tuple[str, ...]) -> bool:
        """Read a process too that is no descendant of the root, under this name.

        Returns False if there is no such process, or it may not be read.
        """
        with self._looking:
            found = self._family.adopt(time.monotonic_ns(), pid, title)
            if found and self._held_back is not None:
                self._held_back.hand_on()
            self._log.extend(found)
            return pid in self._family.readers

    def others(self) -> list[tuple[int, tuple[str, ...]]]:
        """Look once more now; returns pid and command line of who lives besides the root."""
        self._find_processes(time.monotonic_ns())
        with self._looking:
            return self._family.others()

    def _find_processes(self, t_ns: int) -> None:
        with self._looking:
            found = self._family.look(t_ns)
            if found and self._held_back is not None:
                self._held_back.hand_on()
            self._log.extend(found)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._tick_on()
            except Exception as error:  # one reading less, not all readings
                self._failed(error)
                self._stopping.wait(_TRY_AGAIN_S)
        if self._held_back is not None:
            with self._looking:
                self._held_back.hand_on()
        end_ns = time.monotonic_ns()
        # With all that counts up: the totals are those of the end, not of up to a second before.
        self._log.extend([*self._read_metrics(end_ns, "counts"), self._overhead(end_ns)])

    def _failed(self, error: Exception) -> None:
        """Say it, once for each kind."""
        kind = f"{type(error).__name__}: {error}"
        if kind not in self._said_failures and len(self._said_failures) < _MOST_FAILURES:
            self._said_failures.add(kind)
            say_failed(self._log, "some readings of CPU and memory", error)

    def _tick_on(self) -> None:
        """Read at the wanted rate until told to stop."""
        due_ns = time.monotonic_ns()
        self._slow_ns = self._threads_ns = self._whole_ns = last_tick_ns = due_ns
        while not self._stopping.is_set():
            now_ns = time.monotonic_ns()
            late_ns = now_ns - due_ns
            self._worst_late_ns = max(self._worst_late_ns, late_ns)
            self._late += late_ns > LATE_NS
            before_ns, last_tick_ns = last_tick_ns, now_ns
            if now_ns - before_ns > GAP_NS:
                self._tick(now_ns, [Gap(before_ns, now_ns, "no readings: perftui did not run")])
            elif now_ns >= self._whole_ns or not self._glance(now_ns):
                self._tick(now_ns, [])
            # A late tick is not made up for: the next one keeps to the grid.
            due_ns = next_ns(max(now_ns, due_ns), self._period_ns)
            self._stopping.wait((due_ns - time.monotonic_ns()) / NS_PER_S)

    def _glance(self, now_ns: int) -> bool:
        """Read everybody and keep it for later; False if there is more to be done now."""
        held_back, family = self._held_back, self._family
        if held_back is None or self.elsewhere is not _nobody:
            return False
        if now_ns < self._moves_until_ns or not held_back.may_wait(now_ns):
            return False
        if not family.calm(now_ns):
            self._find_processes(now_ns)
        if family.fresh or self._unread or self._shared_among != family.readers.keys():
            return False
        with self._looking:
            if self._glances.take(now_ns, held_back.told):
                return True
        # Memory that moves is handed on at once, and will move on.
        self._moves_until_ns = next_ns(now_ns, HOLD_NS)
        return False

    def _tick(self, now_ns: int, batch: list[Record]) -> None:
        """Read all that is due."""
        if self._held_back is not None:
            with self._looking:
                self._held_back.gather()
        self._find_processes(now_ns)
        if self._family.fresh & self._family.baselines.keys():
            self._threads_ns = now_ns  # their threads have a baseline, too
        slow = now_ns >= self._slow_ns
        if slow:
            self._slow_ns = _after_ns(now_ns, SLOW_EVERY_S)
        batch += self._read_metrics(now_ns, "slow" if slow else "fast")
        if now_ns >= self._threads_ns:
            rows = self._read_threads(now_ns)
            batch += rows
            pause_s = THREADS_EVERY_S if len(rows) <= MANY_THREADS else SLOW_EVERY_S
            self._threads_ns = _after_ns(now_ns, pause_s)
        if slow:
            batch.append(self._overhead(now_ns))
        if self._held_back is None:
            self._log.extend(batch)
        else:
            with self._looking:  # a look at who has come hands on what waits, too
                self._held_back.take(now_ns, batch)
        self._whole_ns = min(self._slow_ns, self._threads_ns, next_ns(now_ns, HOLD_NS))

    def _read_metrics(self, t_ns: int, how: Literal["fast", "counts", "slow"]) -> list[Record]:
        """Read everybody; who is new is read with all that counts up: it may have a baseline."""
        rows: list[Record] = []
        with self._looking:
            family = self._family
            changed = how != "counts" and self._shared_among != family.readers.keys()
            # Of all processes or of none: the sum over the tree would be a part of it.
            shares = (how == "slow" or changed) and self._shares_pace.may(t_ns)
            for pid, reader in list(family.readers.items()):
                try:
                    metric: Metric = reader.fast(t_ns)
                except ProcessGone:
                    family.ended(pid)
                    if pid != self._root:  # the root's end is told by whoever waits for it
                        rows.append(Exit(t_ns, pid, None, None))
                    continue
                if how == "slow":
                    metric = reader.slow(metric)
                    if pid == self._root and self._group_peak is not None:
                        peak = group_peak_bytes(self._group_peak)
                        metric = metric._replace(group_peak_bytes=peak)
                elif how == "counts" or pid in family.fresh:
                    metric = reader.counts(metric)
                became = metric.rss_bytes < self._unread.get(pid, 0)
                if became or pid in family.fresh or pid in self._unread:
                    self._unread[pid] = metric.rss_bytes
                try:
                    if shares:
                        metric = self._with_shares(reader, metric)
                    elif (became or pid in family.fresh) and len(family.fresh) <= _MOST_FRESH:
                        # What is its own already: all of a program, nothing of a fork.
                        own = self._with_shares(reader, metric).uss_bytes
                        metric = metric._replace(uss_bytes=own)
                except ProcessGone:
                    continue  # just now: what it shared nobody knows; the next reading says its end
                baseline = family.baselines.get(pid)
                rows.append(metric if baseline is None else baseline.since(metric))
            family.fresh.clear()
            if shares:
                self._shared_among = frozenset(family.readers)
                self._unread.clear()
            self._unread = {pid: rss for pid, rss in self._unread.items() if pid in family.readers}
        rows.extend(self.elsewhere(t_ns))
        if shares:
            self._say_if_not_shared(t_ns, rows)
        return rows

    def _say_if_not_shared(self, t_ns: int, rows: list[Record]) -> None:
        """Say once that the memory of a family cannot be counted as it should be."""
        read = [row for row in rows if isinstance(row, Metric)]
        unknown = [row.pid for row in read if row.pss_bytes is None]
        if self._said_not_shared or len(read) < 2 or not unknown:
            return
        self._said_not_shared = True
        whose = "its processes have" if len(unknown) == len(read) else f"process {unknown[0]} has"
        text = f"what {whose} in common with others may not be read (smaps_rollup)"
        rows.append(Notice(t_ns, "info", f"{text}: pages shared count once for each that has them"))

    def _with_shares(self, reader: ProcessReader, metric: Metric) -> Metric:
        began_ns = time.thread_time_ns()
        metric = within_rss(reader.shares(metric))
        self._shares_pace.took(time.thread_time_ns() - began_ns)
        return metric

    def _read_threads(self, t_ns: int) -> list[Record]:
        rows: list[Record] = []
        with self._looking:
            for pid, reader in self._family.readers.items():
                try:
                    found = reader.threads(t_ns)
                except ProcessGone:
                    continue
                baseline = self._family.baselines.get(pid)
                rows.extend(found if baseline is None else baseline.threads_since(found))
        return rows

    def _overhead(self, t_ns: int) -> Overhead:
        own = self._self.fast(t_ns)
        return Overhead(
            t_ns=t_ns,
            cpu_s=own.cpu_s + self._own_cpu_s(),
            rss_bytes=own.rss_bytes,
            late_samples=self._late,
            worst_late_ns=self._worst_late_ns,
            dropped_records=self._dropped(),
        )


def _nobody(t_ns: int) -> list[Metric]:
    """There are no processes on other machines."""
    return []


def _after_ns(now_ns: int, period_s: float) -> int:
    """Return the next multiple of a period that is not just about to come."""
    period_ns = round(period_s * NS_PER_S)
    return next_ns(now_ns + period_ns // 2, period_ns)


def within_rss(metric: Metric) -> Metric:
    """Return a reading whose PSS is not above RSS, nor USS above PSS: they are read a moment after
    RSS, in which memory may have grown."""
    rss, pss, uss = metric.rss_bytes, metric.pss_bytes, metric.uss_bytes
    if pss is not None:
        pss = min(pss, rss)
    if uss is not None:
        uss = min(uss, rss if pss is None else pss)
    return metric._replace(pss_bytes=pss, uss_bytes=uss)
