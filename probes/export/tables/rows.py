"""Rows of one recorded table as an export has them: cut to the part, with times to read."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.sql.views import DURATIONS, TIMES

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader

_FRAME = ("function", "file", "line", "module")


class Finish:
    """Turns recorded rows of a table into exported ones, piece by piece.

    Args:
        reader: The recording.
        part: What is kept.
        name: The table.
    """

    def __init__(self, reader: RecordedReader, part: Slice, name: str) -> None:
        self._reader = reader
        self._part = part
        self._table = TABLES[name]
        self._start_ns = reader.status().t_start_ns
        clock = reader.catalog.whole("clock").sort_by("t_ns")
        pairs = zip(clock["t_ns"].to_pylist(), clock["wall_ns"].to_pylist(), strict=True)
        self._shifts = [(t_ns, wall_ns - t_ns) for t_ns, wall_ns in pairs]
        """From when on the time of day is how much ahead of the session's clock."""

    def __call__(self, rows: Any) -> Any:
        """Return the rows of the part, in the order of time, with the columns that are added."""
        pc = compute()
        table = self._table
        rows = rows.select(table.names()).filter(self._kept(rows))
        columns = table.names()
        order = [c for c in (table.time, "pid", "tid", "seq", "name") if c and c in columns]
        if table.time is not None:
            rows = rows.sort_by([(name, "ascending") for name in order])
        found: dict[str, Any] = {}
        if table.time is not None and table.name != "clock":
            found["time_utc"] = self._time_of_day(rows[table.time])
        for name in columns:
            since = self._start_ns if name in TIMES else 0
            if name in TIMES or name in DURATIONS:
                seconds = pc.divide(pc.cast(pc.subtract(rows[name], since), "double"), 1e9)
                found[f"{name.removesuffix('_ns')}_s"] = seconds
        found |= {name: rows[name] for name in columns}
        if table.name == "stacks":
            found |= self._frames(rows["node"])
        return arrow().table(found)

    def _kept(self, rows: Any) -> Any:
        pa, pc = arrow(), compute()
        table, part = self._table, self._part
        kept = pa.chunked_array([pa.repeat(pa.scalar(True), rows.num_rows)])
        # Alerts were chosen by their span, which no single column tells.
        if table.time is not None and table.name != "alerts":
            kept = pc.and_(kept, pc.less(rows[table.time], part.t1_ns))
            if table.time_end is not None:
                kept = pc.and_(kept, pc.greater(rows[table.time_end], part.t0_ns))
            else:
                kept = pc.and_(kept, pc.greater_equal(rows[table.time], part.t0_ns))
        columns = table.names()
        if part.pid is not None and "pid" in columns:
            kept = pc.and_(kept, pc.equal(rows["pid"], part.pid))
        if part.threads is not None and "tid" in columns:
            some = pa.chunked_array([pa.repeat(pa.scalar(False), rows.num_rows)])
            for pid, tid in sorted(part.threads):
                mine = pc.and_(pc.equal(rows["pid"], pid), pc.equal(rows["tid"], tid))
                some = pc.or_(some, pc.fill_null(mine, False))
            kept = pc.and_(kept, some)
        return kept

    def _time_of_day(self, times: Any) -> Any:
        """Return times of day; what lies before the first pair of clocks goes by the first."""
        pa, pc = arrow(), compute()
        kind = pa.timestamp("us", tz="UTC")
        if not self._shifts or not len(times):
            return pa.nulls(len(times), kind)
        first = max(bisect_right(self._shifts, (pc.min(times).as_py(), 1 << 62)) - 1, 0)
        last = pc.max(times).as_py()
        told = pc.add(times, self._shifts[first][1])
        for begin_ns, shift_ns in self._shifts[first + 1 :]:
            if begin_ns > last:
                break
            told = pc.if_else(pc.less(times, begin_ns), told, pc.add(times, shift_ns))
        return pc.cast(pc.divide(told, 1000), kind)

    def _frames(self, nodes: Any) -> dict[str, Any]:
        """Return the innermost frame of each stack, column by column."""
        pa, pc = arrow(), compute()
        known = pc.unique(nodes)
        frames = [self._reader.tree.frame(node) for node in known.to_pylist()]
        at = pc.index_in(nodes, value_set=known)
        kinds = {"line": pa.int64()}
        return {
            name: pa.array(
                [getattr(frame, name) for frame in frames], kinds.get(name, pa.string())
            ).take(at)
            for name in _FRAME
        }
