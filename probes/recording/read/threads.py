"""The threads of a recorded session and their CPU."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from perftui.probes.answers.threads import ThreadState
from perftui.probes.recording.format.arrow import compute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.probes.recording.read.catalog import Catalog
    from perftui.probes.spine.records import ThreadKey

Edge = tuple[int, int, float, int, float]
"""(segment, first t, first value, last t, last value)"""


class DiskThreads:
    """Filled from the sums of each segment; rows are looked up when needed."""

    def __init__(self, catalog: Catalog) -> None:
        self._states: dict[ThreadKey, ThreadState] = {}
        self.latest_node: dict[ThreadKey, int] = {}
        """Where each thread was last seen."""
        cpu: dict[ThreadKey, list[Edge]] = {}
        run_wait: dict[ThreadKey, list[Edge]] = {}
        table = catalog.whole("thread_sums").sort_by("segment")
        for segment, pid, tid, name, state, t0, cpu0, t1, cpu1, wait0, wait1, node in zip(
            *(column.to_pylist() for column in table.columns), strict=True
        ):
            thread = (pid, tid)
            known = self._states.setdefault(thread, ThreadState())
            if name is not None and None not in (t0, cpu0, t1, cpu1):
                if known.cpu is None:
                    known.cpu = ThreadSeries(catalog, thread, "cpu_s", cpu.setdefault(thread, []))
                    known.first_t_ns = t0
                known.kernel_name, known.state, known.last_t_ns = name, state or "?", t1
                cpu[thread].append((segment, t0, cpu0, t1, cpu1))
                if wait0 is not None and wait1 is not None:
                    if known.run_wait is None:
                        edges = run_wait.setdefault(thread, [])
                        known.run_wait = ThreadSeries(catalog, thread, "run_wait_s", edges)
                    run_wait[thread].append((segment, t0, wait0, t1, wait1))
            if node is not None and node >= 0:
                self.latest_node[thread] = node
        names = catalog.whole("thread_names").sort_by("seq")
        for pid, tid, name in zip(
            *(names[column].to_pylist() for column in ("pid", "tid", "name")), strict=True
        ):
            self._states.setdefault((pid, tid), ThreadState()).python_name = name

    def states(self) -> Mapping[ThreadKey, ThreadState]:
        """Return what is known of each."""
        return self._states

    def get(self, thread: ThreadKey) -> ThreadState:
        """Return what is known of one, an empty state if nothing is."""
        return self._states.get(thread) or ThreadState()


class ThreadSeries:
    """Cumulative seconds of one thread, from the edges of segments and the rows between.

    Args:
        catalog: Where the rows are.
        thread: Which one.
        column: What of it.
        edges: Per segment, filled by the caller.
    """

    def __init__(self, catalog: Catalog, thread: ThreadKey, column: str, edges: list[Edge]) -> None:
        self._catalog = catalog
        self._thread = thread
        self._column = column
        self._edges = edges
        self._rows: dict[int, tuple[Sequence[int], Sequence[float]]] = {}

    def _segment(self, segment: int) -> tuple[Sequence[int], Sequence[float]]:
        pc = compute()
        found = self._rows.get(segment)
        if found is None:
            table = self._catalog.load("thread_cpu", segment, ["t_ns", "pid", "tid", self._column])
            mine = pc.and_(
                pc.equal(table["pid"], self._thread[0]), pc.equal(table["tid"], self._thread[1])
            )
            table = table.filter(pc.and_(mine, pc.is_valid(table[self._column])))
            found = (table["t_ns"].to_pylist(), table[self._column].to_pylist())
            if len(self._rows) >= 2:
                self._rows.pop(next(iter(self._rows)))
            self._rows[segment] = found
        return found

    def value_at(self, t_ns: int) -> float | None:
        """Return the newest value at or before `t_ns`."""
        at = bisect_right(self._edges, t_ns, key=lambda edge: edge[1]) - 1
        if at < 0:
            return None
        segment, _, first, last_t, last = self._edges[at]
        if t_ns >= last_t:
            return last
        times, values = self._segment(segment)
        row = bisect_right(times, t_ns) - 1
        return values[row] if row >= 0 else first

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        """Return (t, value) of [t0, t1); within a long range the edges of segments."""
        first = bisect_left(self._edges, t0_ns, key=lambda edge: edge[3])
        end = bisect_left(self._edges, t1_ns, key=lambda edge: edge[1])
        found: list[tuple[int, float]] = []
        for at in range(first, end):
            segment, begin, value0, stop, value1 = self._edges[at]
            if t0_ns <= begin and stop < t1_ns and end - first > 3:
                found += [(begin, value0), (stop, value1)]
                continue
            times, values = self._segment(segment)
            rows = slice(bisect_left(times, t0_ns), bisect_left(times, t1_ns))
            found += zip(times[rows], values[rows], strict=True)
        return found
