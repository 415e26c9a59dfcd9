"""From batches to rows: the tables of a recording, one row a record or figure.

Nothing is derived here: a batch says what follows from its records (`spine.enriched`), in the
order in which the session took them, so that a recording gives the same figures as the memory
of the session and a reader need not start at the beginning.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.tables import RECORDED, STACK_AMOUNTS
from perftui.probes.spine import records
from perftui.probes.spine.derived import FAMILY_FIELDS, METRIC_FIELDS
from perftui.probes.spine.reader import TREE
from perftui.probes.spine.without_secrets import Lines
from perftui.probes.text.redact import redact_argv
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.enriched import Batch, Tick
    from perftui.probes.spine.weighed import WeighedStack

Row = tuple[Any, ...]
LINE_LIMIT = 4_096
LINES_PER_S = 2_000
LINE_CHARACTERS_PER_S = 32_768
LINE_CHARACTERS_AT_ONCE = 4_000_000
"""Of the target's output; more than this is counted, not kept. Of a target that never stops writing
some 100 MB an hour are kept, before compression."""
_NOT_OF_ONE = (None,) * len(FAMILY_FIELDS)
_OF_FAMILY = ("cpu_percent", *METRIC_FIELDS, *FAMILY_FIELDS)
_SPREAD = (None,) * (2 + len(STACK_AMOUNTS) + 5)
"""Columns of stacks that only some samplers fill."""


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
        self.alerts = 0
        """How many were raised; marks are none."""
        self.peak_rss_bytes: int | None = None
        """Highest sum of RSS over the family so far."""
        self._seq = 0
        self._line_second = 0
        self._lines = 0
        self._line_room = LINE_CHARACTERS_AT_ONCE
        takers: dict[type, Callable[[Any], None]] = {
            records.ThreadCpu: lambda record: self.rows["thread_cpu"].append(tuple(record)),
            records.ThreadName: self._event("thread_names"),
            records.Overhead: lambda record: self.rows["overhead"].append(tuple(record)),
            records.ProcessStart: self._process,
            records.PhaseBegin: self._phase_begin,
            records.PhaseEnd: self._phase_end,
            records.ImportBegin: self._import_begin,
            records.ImportEnd: self._import_end,
            records.Call: self._event("calls"),
            records.Mark: self._event("marks"),
            records.Plan: self._event("plans"),
            records.TaskSeen: self._event("tasks"),
            records.LoopBlock: self._event("loop_blocks"),
            records.Collected: self._event("gc_events"),
            records.GrowthLook: self._event("growth_looks"),
            records.Keeper: self._event("keepers"),
            records.Rise: self._event("rises"),
            records.Allocated: self._event("allocations"),
            records.Run: self._event("runs"),
            records.Installed: self._event("installed"),
            records.Notice: self._event("notices"),
            records.Gap: self._event("gaps"),
            records.Exit: self._ended,
            records.Alert: self._event("alerts"),
            records.LogLine: self._line,
        }
        self._takers = takers

    def take(self, batch: Batch) -> None:
        """Turn a batch into rows."""
        for record in batch.events:
            self._seq += 1
            taker = self._takers.get(type(record))
            if taker is not None:
                taker(record)
        self.alerts += sum(standing.is_new for standing in batch.alerts)
        for tick in batch.ticks:
            self._tick(tick)
        self.rows["counts"].extend((*record, *rest) for record, *rest in batch.counted)
        self.rows["pools"].extend((*record, total) for record, total in batch.pools)
        self.rows["memory_parts"].extend(map(tuple, batch.parts))
        for covered in batch.windows:
            self.samples += covered.window.samples
            self.rows["windows"].append((*covered.window, covered.threads, covered.covered_ns))
        if batch.weighed:
            self._stacks(batch.weighed)

    def _event(self, table: str) -> Callable[[Any], None]:
        def take(record: Any) -> None:
            self.rows[table].append((self._seq, *record))

        return take

    def _tick(self, tick: Tick) -> None:
        """A row per process and one for the family, all with the same time."""
        t_ns, sums = tick.t_ns, tick.sums
        self.last_t_ns = max(self.last_t_ns, t_ns)
        self.peak_rss_bytes = max(self.peak_rss_bytes or 0, int(sums["rss_bytes"]))
        rows = self.rows["metrics"]
        rows.extend(
            (t_ns, metric.pid, percent, *metric[2:], *_NOT_OF_ONE)
            for metric, percent in tick.readings
        )
        rows.append((t_ns, TREE, *(sums.get(name) for name in _OF_FAMILY)))

    def _stacks(self, pieces: Sequence[WeighedStack]) -> None:
        if not self.keep_stacks:
            return
        self.last_t_ns = max(self.last_t_ns, max(piece.t1_ns for piece in pieces))
        self.rows["stacks"].extend(_stack_row(piece) for piece in pieces)

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
        caused = record[7:]
        row = (self._seq, record.t_ns, "begin", *record[1:7], None, None, None, *caused)
        self.rows["import_edges"].append(row)

    def _import_end(self, record: records.ImportEnd) -> None:
        t_ns, pid, id_, self_ns, total_ns, rss, ok = record
        took = (rss, self_ns, total_ns, ok)
        row = (self._seq, t_ns, "end", pid, None, id_, None, None, *took, *_NO_CAUSE)
        self.rows["import_edges"].append(row)

    def _ended(self, record: records.Exit) -> None:
        if record.pid == self._target_pid:
            self.exit = record
        self.last_t_ns = max(self.last_t_ns, record.t_ns)
        self.rows["exits"].append((self._seq, *record))

    def _line(self, record: records.LogLine) -> None:
        second = record.t_ns // NS_PER_S
        if second != self._line_second:
            room = self._line_room + max(second - self._line_second, 0) * LINE_CHARACTERS_PER_S
            self._line_room = min(room, LINE_CHARACTERS_AT_ONCE)
            self._line_second, self._lines = second, 0
        self._lines += 1
        output = self._output[record.stream]
        if self._lines > LINES_PER_S or min(len(record.text), LINE_LIMIT) > self._line_room:
            output.follow(record.text)
            self.lines_dropped += 1
            return
        text = output.clean(record.text)
        if len(text) > LINE_LIMIT:
            text = text[: LINE_LIMIT - 1] + "…"
        self._line_room -= len(text)
        self.rows["log"].append((record.t_ns, record.stream, text))


_NO_CAUSE = (None,) * 4
"""The columns of an import's cause: its begin has them."""


def _stack_row(piece: WeighedStack) -> Row:
    """The share stands beside CPU time: of a spread window it is the same for a whole thread, and
    costs next to nothing on disk."""
    pid, tid = piece.thread
    place = (piece.t0_ns, piece.t1_ns, pid, tid, piece.node, piece.torn)
    if piece.wall_ns is None:
        return (*place, piece.cpu_share, piece.grown_bytes, *_SPREAD)
    return (
        *place,
        piece.cpu_share,
        piece.grown_bytes,
        piece.wall_ns,
        piece.cpu_ns,
        *(getattr(piece, name) for name in STACK_AMOUNTS),
        piece.held,
        piece.state,
        piece.gil_held,
        piece.unsteady,
        piece.task,
    )
