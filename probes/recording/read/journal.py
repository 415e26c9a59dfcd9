"""What happened in a recorded session: a `Journal` filled from tables.

Small tables are read whole, in the order in which the session took the records. Calls and the
target's output may be many: of these only the sums are kept and the rest is looked up.
"""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import compute
from perftui.probes.recording.format.limits import EVENTS
from perftui.probes.spine import records
from perftui.probes.spine.reader import CallStats
from perftui.probes.spine.records import LogLine
from perftui.probes.store.journal import CALLS_KEPT, SPANS_ON_DISK, Journal, _Calls, _Counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.catalog import Catalog

_PLAIN: dict[str, type] = {
    "marks": records.Mark,
    "plans": records.Plan,
    "tasks": records.TaskSeen,
    "runs": records.Run,
    "notices": records.Notice,
    "gaps": records.Gap,
    "exits": records.Exit,
    "alerts": records.Alert,
}


class DiskJournal(Journal):
    """See the module."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(phases=SPANS_ON_DISK, imports=SPANS_ON_DISK, events=SPANS_ON_DISK)
        self._catalog = catalog
        numbered = sorted(_events(catalog), key=lambda event: event[0])
        self.process_records: list[records.ProcessStart | records.Exit] = []
        """Starts and ends of processes in the order in which the session took them."""
        for _, record in numbered:
            self.take(record)
            if isinstance(record, records.ProcessStart | records.Exit):
                self.process_records.append(record)
        self._read_call_sums()
        self._read_count_sums()

    def _read_call_sums(self) -> None:
        names = ("name", "calls", "failed", "t_ns", "pid", "tid", "n", "duration_ns", "ok")
        self._last_call_ns: dict[str, int] = {}
        table = self._catalog.whole("call_sums").sort_by("segment")
        for name, calls, failed, *first, last in _rows(table, (*names, "last_t_ns")):
            t_ns, pid, tid, n, duration, ok = first
            known = self._calls.get(name)
            if known is None:
                call = records.Call(t_ns, pid, tid, name, n, duration, ok)
                known = self._calls[name] = _Calls(call)
            known.n += calls
            known.failed += failed
            self._last_call_ns[name] = last

    def _read_count_sums(self) -> None:
        names = ("name", "pid", "first_t_ns", "last_t_ns", "last_total")
        table = self._catalog.whole("count_sums").sort_by("segment")
        for name, pid, first, last, total in _rows(table, names):
            counts = self._counts.get(name)
            if counts is None:
                counts = self._counts[name] = _Counts(first, last)
            counts.by_pid[pid] = total
            counts.last_t_ns = max(counts.last_t_ns, last)

    def call_list(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        """Return statistics per name; "first" is the first call of the session."""
        pc = compute()
        inside: dict[str, list[tuple[Any, ...]]] = {}
        counted: dict[str, list[int]] = {}
        for segment in reversed(self._catalog.overlapping("calls", t0_ns, t1_ns)):
            table = self._catalog.load("calls", segment)
            within = pc.and_(pc.greater_equal(table["t_ns"], t0_ns), pc.less(table["t_ns"], t1_ns))
            table = table.filter(within)
            for name in table["name"].unique().to_pylist():
                mine = table.filter(pc.equal(table["name"], name))
                kept = inside.setdefault(name, [])
                number = counted.setdefault(name, [0, 0])
                number[0] += mine.num_rows
                number[1] += mine.num_rows - (pc.sum(mine["ok"]).as_py() or 0)
                room = CALLS_KEPT - len(kept)
                if room > 0:
                    newest = mine.slice(max(mine.num_rows - room, 0))
                    kept[:0] = _rows(newest, ("n", "duration_ns", "ok"))
        found = []
        for name, calls in self._calls.items():
            rows = inside.get(name, [])
            if not rows:
                continue
            whole = calls.first.t_ns >= t0_ns and self._last_call_ns[name] < t1_ns
            warm = [duration for n, duration, _ in rows if n > 1]
            middle = round(median(warm)) if warm else None
            first_ns = calls.first.duration_ns
            found.append(
                CallStats(
                    name=name,
                    n=calls.n if whole else counted[name][0],
                    first_ns=first_ns,
                    warm_median_ns=middle,
                    last_ns=rows[-1][1],
                    ratio=first_ns / middle if middle else None,
                    failed=calls.failed if whole else counted[name][1],
                )
            )
        return tuple(found)

    def line_list(self, t0_ns: int, t1_ns: int, limit: int) -> tuple[LogLine, ...]:
        """Return the newest lines of the range, oldest first."""
        pc = compute()
        found: list[LogLine] = []
        for segment in reversed(self._catalog.overlapping("log", t0_ns, t1_ns)):
            table = self._catalog.load("log", segment)
            within = pc.and_(pc.greater_equal(table["t_ns"], t0_ns), pc.less(table["t_ns"], t1_ns))
            table = table.filter(within)
            table = table.slice(max(table.num_rows - (limit - len(found)), 0))
            rows = _rows(table, ("t_ns", "stream", "text"))
            found[:0] = [
                LogLine(t, "stderr" if stream == "stderr" else "stdout", text)
                for t, stream, text in rows
            ]
            if len(found) >= limit:
                break
        return tuple(found)


def _rows(table: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def _events(catalog: Catalog) -> Iterator[tuple[int, records.Record]]:
    """Yield (order, record) of the small tables."""
    for name, kind in _PLAIN.items():
        table = _bounded(catalog, name)
        for seq, *values in _rows(table, tuple(table.column_names)):
            yield seq, kind(*values)
    table = _bounded(catalog, "processes")
    for seq, t_ns, pid, ppid, argv, python in _rows(table, tuple(table.column_names)):
        yield seq, records.ProcessStart(t_ns, pid, ppid, _argv(argv), python)
    yield from _phases(catalog)
    yield from _imports(catalog)


def _bounded(catalog: Catalog, name: str) -> Any:
    table = catalog.whole(name)
    if table.num_rows > EVENTS:
        catalog.damaged[name] = f"has more than {EVENTS:,} rows: the rest is left out"
    return table.slice(0, EVENTS)


def _phases(catalog: Catalog) -> Iterator[tuple[int, records.Record]]:
    table = _bounded(catalog, "phase_edges")
    for row in _rows(table, tuple(table.column_names)):
        seq, t_ns, edge, pid, tid, id_, name, parent, cpu_s, rss = row
        if edge == "begin":
            tid = 0 if tid is None else tid
            yield (
                seq,
                records.PhaseBegin(t_ns, pid, tid, id_, name or "", parent, cpu_s, rss),
            )
        else:
            yield seq, records.PhaseEnd(t_ns, pid, id_, cpu_s, rss)


def _imports(catalog: Catalog) -> Iterator[tuple[int, records.Record]]:
    table = _bounded(catalog, "import_edges")
    for row in _rows(table, tuple(table.column_names)):
        seq, t_ns, edge, pid, tid, id_, module, parent, rss, self_ns, total_ns, ok = row
        if edge == "begin":
            tid = 0 if tid is None else tid
            yield seq, records.ImportBegin(t_ns, pid, tid, id_, module or "", parent, rss)
        else:
            end = records.ImportEnd(t_ns, pid, id_, self_ns or 0, total_ns or 0, rss, bool(ok))
            yield seq, end


def _argv(text: str) -> tuple[str, ...]:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(words, list):
        return ()
    return tuple(word for word in words if isinstance(word, str))
