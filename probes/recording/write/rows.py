"""From records to rows: what a table needs that a record alone does not say.

The sums over the process tree, CPU per cent, rates of counters and the weights of stacks are
worked out here once, in the order in which the session took the records, so that a recording
gives the same figures as the live store and a reader need not start at the beginning.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from perftui.probes.profile.attribution import share_of
from perftui.probes.recording.format.tables import RECORDED, STACK_AMOUNTS
from perftui.probes.spine import records
from perftui.probes.spine.derived import METRIC_FIELDS, CounterRates, PoolTotals, TreeMetrics
from perftui.probes.spine.reader import TREE
from perftui.probes.spine.without_secrets import Lines
from perftui.probes.stacks.own.weigher import Weigher
from perftui.probes.store.series import Series
from perftui.probes.text.redact import redact_argv
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.records import ThreadKey
    from perftui.probes.spine.weighed import WeighedStack

Row = tuple[Any, ...]
K = TypeVar("K")

MEMORY_NS = 120 * NS_PER_S
"""How far back readings are kept for weighing: windows of stacks come seconds late."""
LINE_LIMIT = 4_096
LINES_PER_S = 2_000
LINE_CHARACTERS_PER_S = 32_768
LINE_CHARACTERS_AT_ONCE = 4_000_000
"""Of a target that never stops writing some 100 MB an hour are kept, before compression."""
"""Of the target's output; more than this is counted, not kept."""


_NO_FACTS = (None, None, None, None)
_SPREAD = (None,) * (2 + len(STACK_AMOUNTS) + 1 + len(_NO_FACTS))
"""Columns of stacks that only some samplers fill."""


class RecentSeries(Series):
    """The last two minutes of one metric."""

    def __init__(self) -> None:
        super().__init__()
        self._t: list[int] = []
        self._v: list[float] = []

    def add(self, t_ns: int, value: float) -> None:
        """Append a value."""
        if not self._t:
            self.first_t_ns = t_ns
        self.last_t_ns = t_ns
        self.last_value = value
        self._t.append(t_ns)
        self._v.append(value)
        if t_ns - self._t[0] > 2 * MEMORY_NS:
            old = bisect_left(self._t, t_ns - MEMORY_NS)
            del self._t[:old], self._v[:old]

    def value_at(self, t_ns: int) -> float | None:
        """Return the newest value at or before `t_ns`."""
        at = bisect_right(self._t, t_ns) - 1
        return self._v[at] if at >= 0 else None

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        """Return (t, value) of [t0, t1)."""
        first, end = bisect_left(self._t, t0_ns), bisect_left(self._t, t1_ns)
        return list(zip(self._t[first:end], self._v[first:end], strict=True))


class RowMaker:
    """Takes batches in the session's order; the rows wait in `rows` until they are written.

    Args:
        target_pid: The root of the tree: coverage is told of its stacks.
    """

    def __init__(self, target_pid: int) -> None:
        self._target_pid = target_pid
        self.rows: dict[str, list[Row]] = {name: [] for name in RECORDED}
        self.keep_stacks = True
        self._output: defaultdict[str, Lines] = defaultdict(Lines)
        self.lines_dropped = 0
        self.exit: records.Exit | None = None
        self.last_t_ns = 0
        self.samples = 0
        self.alert_onsets: set[tuple[str, int]] = set()
        self._seq = 0
        self._tree = TreeMetrics()
        self._counters = CounterRates()
        self._pool_totals = PoolTotals()
        self._rss: dict[int, RecentSeries] = {}
        self._thread_cpu: dict[ThreadKey, RecentSeries] = {}
        self._weigher = Weigher()
        self._covered_ns = 0.0
        self._windows_end_ns = 0
        self._line_second = 0
        self._lines = 0
        self._line_room = LINE_CHARACTERS_AT_ONCE
        takers: dict[type, Callable[[Any], None]] = {
            records.ThreadCpu: self._thread,
            records.ThreadName: self._thread_name,
            records.Pool: self._pool,
            records.Overhead: lambda record: self.rows["overhead"].append(tuple(record)),
            records.Count: self._count,
            records.ProcessStart: self._process,
            records.PhaseBegin: self._phase_begin,
            records.PhaseEnd: self._phase_end,
            records.ImportBegin: self._import_begin,
            records.ImportEnd: self._import_end,
            records.Call: self._event("calls"),
            records.Mark: self._event("marks"),
            records.Plan: self._event("plans"),
            records.Run: self._event("runs"),
            records.Notice: self._event("notices"),
            records.Gap: self._event("gaps"),
            records.Exit: self._ended,
            records.Alert: self._alert,
            records.LogLine: self._line,
        }
        self._takers = takers

    def take(self, batch: Sequence[records.Record]) -> None:
        """Turn a batch into rows."""
        metrics: list[records.Metric] = []
        stacks: dict[int, list[records.Stack]] = {}
        for record in batch:
            self._seq += 1
            kind = type(record)
            if kind is records.Stack:
                stacks.setdefault(record.pid, []).append(record)  # type: ignore[union-attr, arg-type]
            elif kind is records.Metric:
                metrics.append(record)  # type: ignore[arg-type]
            elif kind is records.StackWindow:
                self._window(record, stacks)  # type: ignore[arg-type]
            else:
                taker = self._takers.get(kind)
                if taker is not None:
                    taker(record)
        if metrics:
            self._metrics(metrics)
        for pid, rows in stacks.items():
            self._stacks(pid, rows)

    def _event(self, table: str) -> Callable[[Any], None]:
        def take(record: Any) -> None:
            self.rows[table].append((self._seq, *record))

        return take

    def _metrics(self, metrics: list[records.Metric]) -> None:
        """One tick: a row per process and one for the tree, all with the same time."""
        t_ns = metrics[0].t_ns
        self.last_t_ns = max(self.last_t_ns, t_ns)
        rows = self.rows["metrics"]
        tick = self._tree.tick(metrics)
        for metric, percent in zip(metrics, tick.percents, strict=True):
            rows.append((t_ns, metric.pid, percent, *metric[2:]))
            series = self._rss.get(metric.pid)
            if series is None:
                series = self._rss[metric.pid] = RecentSeries()
            series.add(t_ns, metric.rss_bytes)
        fields = (tick.sums.get(name) for name in METRIC_FIELDS)
        rows.append((t_ns, TREE, tick.sums.get("cpu_percent"), *fields))

    @property
    def peak_rss_bytes(self) -> int | None:
        """Highest sum of RSS over the tree so far."""
        return self._tree.peak_rss_bytes

    def _thread(self, record: records.ThreadCpu) -> None:
        series = self._thread_cpu.get((record.pid, record.tid))
        if series is None:
            series = self._thread_cpu[record.pid, record.tid] = RecentSeries()
        series.add(record.t_ns, record.cpu_s)
        self.rows["thread_cpu"].append(tuple(record))

    def _thread_name(self, record: records.ThreadName) -> None:
        self.rows["thread_names"].append((self._seq, *record))

    def _window(self, window: records.StackWindow, stacks: dict[int, list[records.Stack]]) -> None:
        self.samples += window.samples
        if window.pid == self._target_pid:
            fresh_ns = window.t1_ns - max(window.t0_ns, self._windows_end_ns)
            read = window.samples + window.errors
            if fresh_ns > 0 and read:
                self._covered_ns += fresh_ns * window.samples / read
            self._windows_end_ns = max(self._windows_end_ns, window.t1_ns)
        threads = len({stack.tid for stack in stacks.get(window.pid, [])})
        self.rows["windows"].append((*window, threads, self._covered_ns))

    def _stacks(self, pid: int, stacks: list[records.Stack]) -> None:
        if not self.keep_stacks:
            return
        spread = [stack for stack in stacks if stack.state is None]
        share: dict[ThreadKey, float] = {}
        if spread:
            # The share is what `weigh` multiplies by; kept instead of its product, it is the
            # same for a whole window and costs next to nothing on disk.
            t0_ns = min(stack.t0_ns for stack in spread)
            t1_ns = max(stack.t1_ns for stack in spread)
            threads = {(stack.pid, stack.tid) for stack in spread}
            share = {key: share_of(self._thread_cpu.get(key), t0_ns, t1_ns) for key in threads}
        self.last_t_ns = max(self.last_t_ns, *(stack.t1_ns for stack in stacks))
        rss = self._rss.get(pid)
        self.rows["stacks"].extend(
            _stack_row(piece, share)
            for piece in self._weigher.weigh(stacks, self._thread_cpu.get, rss)
            if piece.t1_ns > piece.t0_ns
        )

    def _pool(self, record: records.Pool) -> None:
        self.rows["pools"].append((*record, self._pool_totals.take(record)))

    def _count(self, record: records.Count) -> None:
        self.rows["counts"].append((*record, *self._counters.take(record)))

    def _process(self, record: records.ProcessStart) -> None:
        argv = json.dumps(redact_argv(record.argv))
        row = (self._seq, record.t_ns, record.pid, record.ppid, argv, record.python)
        self.rows["processes"].append(row)

    def _phase_begin(self, record: records.PhaseBegin) -> None:
        row = (self._seq, record.t_ns, "begin", *record[1:])
        self.rows["phase_edges"].append(row)

    def _phase_end(self, record: records.PhaseEnd) -> None:
        t_ns, pid, id_, cpu_s, rss = record
        row = (self._seq, t_ns, "end", pid, None, id_, None, None, cpu_s, rss)
        self.rows["phase_edges"].append(row)

    def _import_begin(self, record: records.ImportBegin) -> None:
        row = (self._seq, record.t_ns, "begin", *record[1:], None, None, None)
        self.rows["import_edges"].append(row)

    def _import_end(self, record: records.ImportEnd) -> None:
        t_ns, pid, id_, self_ns, total_ns, rss, ok = record
        row = (self._seq, t_ns, "end", pid, None, id_, None, None, rss, self_ns, total_ns, ok)
        self.rows["import_edges"].append(row)

    def _ended(self, record: records.Exit) -> None:
        if record.pid == self._target_pid:
            self.exit = record
        self._tree.forget(record.pid)
        self.last_t_ns = max(self.last_t_ns, record.t_ns)
        self.rows["exits"].append((self._seq, *record))

    def _alert(self, record: records.Alert) -> None:
        self.alert_onsets.add((record.kind, record.t_onset_ns))
        self.rows["alerts"].append((self._seq, *record))

    def _line(self, record: records.LogLine) -> None:
        second = record.t_ns // NS_PER_S
        if second != self._line_second:
            room = self._line_room + max(second - self._line_second, 0) * LINE_CHARACTERS_PER_S
            self._line_room = min(room, LINE_CHARACTERS_AT_ONCE)
            self._line_second, self._lines = second, 0
        self._lines += 1
        if self._lines > LINES_PER_S:
            self.lines_dropped += 1
            return
        text = self._output[record.stream].clean(record.text)
        if len(text) > LINE_LIMIT:
            text = text[: LINE_LIMIT - 1] + "…"
        if len(text) > self._line_room:
            self.lines_dropped += 1
            return
        self._line_room -= len(text)
        self.rows["log"].append((record.t_ns, record.stream, text))

    def forget_threads(self, older_than_ns: int) -> None:
        """Drop what is kept for weighing of threads and processes that are long gone."""
        self._thread_cpu = _newer(self._thread_cpu, older_than_ns)
        self._rss = _newer(self._rss, older_than_ns)


def _stack_row(piece: WeighedStack, share: dict[ThreadKey, float]) -> Row:
    pid, tid = piece.thread
    place = (piece.t0_ns, piece.t1_ns, pid, tid, piece.node, piece.torn)
    if piece.wall_ns is None:
        return (*place, share[piece.thread], piece.grown_bytes, *_SPREAD)
    stack = piece.source
    return (
        *place,
        min(piece.cpu_ns / (piece.t1_ns - piece.t0_ns), 1.0),
        piece.grown_bytes,
        piece.wall_ns,
        piece.cpu_ns,
        *(getattr(piece, name) for name in STACK_AMOUNTS),
        piece.held,
        *(
            _NO_FACTS
            if stack is None
            else (stack.state, stack.gil_held, stack.unsteady, stack.task)
        ),
    )


def _newer(known: dict[K, RecentSeries], than_ns: int) -> dict[K, RecentSeries]:
    return {key: series for key, series in known.items() if series.last_t_ns >= than_ns}
