"""What a process had used before we came: figures that count up count from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.derived import CUMULATIVE
from perftui.probes.spine.records import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import ThreadCpu

_CUMULATIVE = tuple(Metric._fields.index(name) for name in CUMULATIVE)
_HIGH_WATER = Metric._fields.index("high_water_rss_bytes")


class Baseline:
    """Of one process that ran before us. The first reading is zero, of whatever it tells."""

    def __init__(self) -> None:
        self._before: dict[int, float] = {}
        """By number of the field."""
        self._high_water: int | None = None
        self._highest_rss = 0
        self._read: tuple[object, ...] = ()
        self._told: Metric | None = None
        """The last reading but its time, and what it was since the first."""
        self._threads: dict[int, tuple[float, float]] | None = None

    def since(self, metric: Metric) -> Metric:
        """Return a reading as it is since the first.

        The kernel's mark of the most memory is of the whole life: until it rises, the most that
        was read since we came stands for it.
        """
        read = metric[1:]
        if self._told is not None and read == self._read:  # it waits, as most of a family do
            return Metric._make((metric.t_ns, *self._told[1:]))
        values = list(metric)
        for at in _CUMULATIVE:
            value = values[at]
            if value is not None:
                values[at] = max(value - self._before.setdefault(at, value), 0)
        mark = metric.high_water_rss_bytes
        if mark is not None:
            if self._high_water is None:
                self._high_water = mark
            self._highest_rss = max(self._highest_rss, metric.rss_bytes)
            risen = mark > self._high_water
            values[_HIGH_WATER] = mark if risen else self._highest_rss
        self._read, self._told = read, Metric._make(values)
        return self._told

    def threads_since(self, rows: Sequence[ThreadCpu]) -> list[ThreadCpu]:
        """Return readings of all threads as they are since the first; a new thread counts whole."""
        if self._threads is None:
            self._threads = {row.tid: (row.cpu_s, row.run_wait_s or 0.0) for row in rows}
        return [self._thread_since(row, self._threads) for row in rows]

    def _thread_since(self, row: ThreadCpu, threads: dict[int, tuple[float, float]]) -> ThreadCpu:
        before = threads.get(row.tid)
        if before is None:
            return row
        if row.cpu_s < before[0]:  # another thread has got the number
            del threads[row.tid]
            return row
        wait_s = None if row.run_wait_s is None else max(row.run_wait_s - before[1], 0.0)
        return row._replace(cpu_s=row.cpu_s - before[0], run_wait_s=wait_s)
