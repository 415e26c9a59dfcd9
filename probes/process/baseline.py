"""What a process had used before we came: figures that count up count from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.derived import CUMULATIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Metric, ThreadCpu


class Baseline:
    """Of one process that ran before us. The first reading is zero, of whatever it tells."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}
        self._high_water: int | None = None
        self._highest_rss = 0
        self._threads: dict[int, tuple[float, float]] | None = None

    def since(self, metric: Metric) -> Metric:
        """Return a reading as it is since the first.

        The kernel's mark of the most memory is of the whole life: until it rises, the most that
        was read since we came stands for it.
        """
        changed: dict[str, float] = {}
        for name in CUMULATIVE:
            value = getattr(metric, name)
            if value is not None:
                changed[name] = max(value - self._before.setdefault(name, value), 0)
        mark = metric.high_water_rss_bytes
        if mark is not None:
            if self._high_water is None:
                self._high_water = mark
            self._highest_rss = max(self._highest_rss, metric.rss_bytes)
            risen = mark > self._high_water
            changed["high_water_rss_bytes"] = mark if risen else self._highest_rss
        return metric._replace(**changed)  # type: ignore[arg-type]

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
