"""A process on systems without /proc, read through psutil: fewer figures, higher cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from perftui.probes.process.face import ProcessGone, RawReading
from perftui.probes.spine.records import Metric, ThreadCpu

if TYPE_CHECKING:
    from collections.abc import Sequence


class PsutilProcess:
    """See `process.ProcessReader`. No high-water mark between readings, no thread names."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._process = psutil.Process(pid)
            self.ppid = self._process.ppid()
            self.start_key = f"{pid}@{self._process.create_time()}"
        except psutil.Error as error:
            raise ProcessGone(pid) from error

    def argv(self) -> tuple[str, ...]:
        """Return the command line, empty where it may not be read."""
        try:
            return tuple(self._process.cmdline())
        except psutil.Error:
            return ()

    def age_s(self) -> float:
        """Return the seconds since it began, 0 if that may not be known."""
        try:
            return max(time.time() - self._process.create_time(), 0.0)
        except psutil.Error:
            return 0.0

    def leads(self) -> bool:
        """Only processes have pids."""
        return True

    def fast(self, t_ns: int) -> Metric:
        """Read CPU and RSS."""
        try:
            with self._process.oneshot():
                cpu = self._process.cpu_times()
                memory = self._process.memory_info()
                threads = self._process.num_threads()
        except psutil.Error as error:
            raise ProcessGone(self.pid) from error
        return Metric(
            t_ns=t_ns,
            pid=self.pid,
            cpu_s=cpu.user + cpu.system,
            rss_bytes=memory.rss,
            cpu_user_s=cpu.user,
            cpu_system_s=cpu.system,
            threads=threads,
        )

    def glance(self, t_ns: int) -> None:
        """Return None: psutil has no half readings."""

    def told(self, glance: RawReading) -> Metric:
        """Never called: there are no glances."""
        return Metric(glance.t_ns, self.pid, glance.cpu_ns / 1e9, glance.rss_bytes)

    def counts(self, metric: Metric) -> Metric:
        """Nothing more counts up."""
        return metric

    def slow(self, metric: Metric) -> Metric:
        """Return what `fast` gave: there is no more."""
        return metric

    def shares(self, metric: Metric) -> Metric:
        """Add the unique set size where the system tells it."""
        try:
            full = self._process.memory_full_info()
        except psutil.Error:
            return metric
        return metric._replace(uss_bytes=getattr(full, "uss", None))

    def threads(self, t_ns: int) -> Sequence[ThreadCpu]:
        """Read the threads; psutil tells neither their names nor their states."""
        try:
            threads = self._process.threads()
        except psutil.AccessDenied:
            return []
        except psutil.Error as error:
            raise ProcessGone(self.pid) from error
        return [
            ThreadCpu(t_ns, self.pid, row.id, "", row.user_time + row.system_time, "?")
            for row in threads
        ]

    def children(self) -> Sequence[int]:
        """Return the pids of direct children."""
        try:
            return [child.pid for child in self._process.children()]
        except psutil.Error:
            return []

    def close(self) -> None:
        """Nothing is held open."""
