"""What counts up goes on counting when the far end is another one, after the link was cut.

Each far end counts from when it came, so what was used while nobody looked is in no figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.derived import CUMULATIVE
from perftui.probes.spine.records import Metric, Overhead, ProcessStart, ThreadCpu

if TYPE_CHECKING:
    from typing import Any

    from perftui.probes.spine.records import Record

_AT = tuple(Metric._fields.index(name) for name in CUMULATIVE)


class Carry:
    """Takes the records of one far end after another."""

    def __init__(self) -> None:
        self._last: dict[int, dict[int, float]] = {}
        """By process and number of the field, as told."""
        self._before: dict[int, dict[int, float]] = {}
        self._threads: dict[tuple[int, int], float] = {}
        self._threads_before: dict[tuple[int, int], float] = {}
        self._started: dict[int, ProcessStart] = {}
        self._own_cpu_s = self._own_before_s = 0.0

    def begin_anew(self) -> None:
        """Another far end speaks from now on."""
        self._before = {pid: dict(values) for pid, values in self._last.items()}
        self._threads_before = dict(self._threads)
        self._own_before_s = self._own_cpu_s

    def take(self, record: Record) -> Record | None:
        """Return the record as it is to be told; None if it was told before."""
        if isinstance(record, Metric):
            return self._metric(record)
        if isinstance(record, ThreadCpu):
            key = (record.pid, record.tid)
            cpu_s = record.cpu_s + self._threads_before.get(key, 0.0)
            self._threads[key] = cpu_s
            return record._replace(cpu_s=cpu_s)
        if isinstance(record, ProcessStart):
            known = self._started.get(record.pid)
            if known is not None and known[2:] == record[2:] and record.pid in self._before:
                return None
            self._started[record.pid] = record
        if isinstance(record, Overhead):
            self._own_cpu_s = record.cpu_s + self._own_before_s
            return record._replace(cpu_s=self._own_cpu_s)
        return record

    def ended(self, pid: int) -> None:
        """A process has ended: its number may become another's."""
        for table in (self._last, self._before, self._started):
            table.pop(pid, None)

    def _metric(self, metric: Metric) -> Metric:
        before = self._before.get(metric.pid, {})
        last = self._last.setdefault(metric.pid, {})
        values: list[Any] = list(metric)
        for at in _AT:
            if values[at] is not None:
                values[at] += before.get(at, 0)
                last[at] = values[at]
        return Metric._make(values) if before else metric
