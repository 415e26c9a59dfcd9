"""What happened in a recorded session: the small tables, read whole.

They are given to a journal in the order in which the session took the records.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.limits import EVENTS
from perftui.probes.recording.read.rows import rows_of
from perftui.probes.spine import records
from perftui.probes.store.journal import Journal
from perftui.probes.store.processes import ProcessTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.catalog import Catalog

SPANS_KEPT = 100_000
"""Phases and imports that a reader of a recording joins; SQL has them all."""
_PLAIN: dict[str, type] = {
    "marks": records.Mark,
    "plans": records.Plan,
    "tasks": records.TaskSeen,
    "gc_events": records.Collected,
    "growth_looks": records.GrowthLook,
    "keepers": records.Keeper,
    "rises": records.Rise,
    "allocations": records.Allocated,
    "runs": records.Run,
    "installed": records.Installed,
    "notices": records.Notice,
    "gaps": records.Gap,
    "exits": records.Exit,
    "alerts": records.Alert,
}


def read_events(catalog: Catalog, target_pid: int) -> tuple[Journal, ProcessTable]:
    """Return what happened, and the processes of the family."""
    journal = Journal(phases=SPANS_KEPT, imports=SPANS_KEPT, events=SPANS_KEPT)
    processes = ProcessTable(target_pid)
    for _, record in sorted(_events(catalog), key=lambda event: event[0]):
        if isinstance(record, records.Alert):
            journal.take_alert(record)
            continue
        journal.take(record)
        if isinstance(record, records.ProcessStart):
            processes.take_start(record)
        elif isinstance(record, records.Exit):
            processes.take_exit(record)
    return journal, processes


Span = (
    records.Exit
    | records.ProcessStart
    | records.PhaseBegin
    | records.PhaseEnd
    | records.ImportBegin
    | records.ImportEnd
    | records.GrowthLook
    | records.Keeper
)


def read_spans(catalog: Catalog) -> Iterator[tuple[int, Span]]:
    """Yield (order, record) of phases, imports, processes, and who makes memory grow."""
    for name in ("exits", "growth_looks", "keepers"):
        table = _bounded(catalog, name)
        for seq, *values in rows_of(table, tuple(table.column_names)):
            yield seq, _PLAIN[name](*values)
    yield from _starts(catalog)
    yield from _phases(catalog)
    yield from _imports(catalog)


def _events(catalog: Catalog) -> Iterator[tuple[int, records.Record]]:
    """Yield (order, record) of the small tables."""
    for name, kind in _PLAIN.items():
        table = _bounded(catalog, name)
        for seq, *values in rows_of(table, tuple(table.column_names)):
            yield seq, kind(*values)
    yield from _starts(catalog)
    yield from _phases(catalog)
    yield from _imports(catalog)


def _starts(catalog: Catalog) -> Iterator[tuple[int, records.ProcessStart]]:
    table = _bounded(catalog, "processes")
    for seq, t_ns, pid, ppid, argv, python in rows_of(table, tuple(table.column_names)):
        yield seq, records.ProcessStart(t_ns, pid, ppid, _argv(argv), python)


def _bounded(catalog: Catalog, name: str) -> Any:
    table = catalog.whole(name)
    if table.num_rows > EVENTS:
        catalog.damaged[name] = f"has more than {EVENTS:,} rows: the rest is left out"
    return table.slice(0, EVENTS)


def _phases(catalog: Catalog) -> Iterator[tuple[int, Span]]:
    table = _bounded(catalog, "phase_edges")
    for row in rows_of(table, tuple(table.column_names)):
        seq, t_ns, edge, pid, tid, id_, name, parent, cpu_s, rss = row
        if edge == "begin":
            tid = 0 if tid is None else tid
            yield (
                seq,
                records.PhaseBegin(t_ns, pid, tid, id_, name or "", parent, cpu_s, rss),
            )
        else:
            yield seq, records.PhaseEnd(t_ns, pid, id_, cpu_s, rss)


def _imports(catalog: Catalog) -> Iterator[tuple[int, Span]]:
    table = _bounded(catalog, "import_edges")
    for row in rows_of(table, tuple(table.column_names)):
        seq, t_ns, edge, pid, tid, id_, module, parent, rss, self_ns, total_ns, ok, *cause = row
        if edge == "begin":
            tid = 0 if tid is None else tid
            yield seq, records.ImportBegin(t_ns, pid, tid, id_, module or "", parent, rss, *cause)
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
