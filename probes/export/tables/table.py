"""The tables of a part of a recording, as every table format writes them.

Times stand beside each other in three ways: nanoseconds of the session's clock, seconds since
the session's start (`t_s`) and the time of day in UTC (`time_utc`). Units are in the names.
Names are exported as they are.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.export.material.error import ExportError
from perftui.probes.export.tables.rows import Finish
from perftui.probes.recording.format.schema import empty
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.sql.query import Query
from perftui.probes.recording.sql.views import base_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.records import ThreadKey

_TOTALS = ("top_self", "top_total")
_VIEWS = {
    "metrics_1s": "lowest, highest and last value of every metric in each second",
    "phases": "phases with their two ends joined",
    "memory_by_phase": "RSS at the ends of each phase, its peak and its growth",
    "imports": "module imports with their times",
    "threads": "threads with the CPU they used over the whole session",
    "counters": "counters at the end of the session",
    "top_self": "functions by their own time in the range",
    "top_total": "functions by time with all they called in the range",
}
_LEFT_OUT = frozenset(["stack_sums", "series_1s", "import_edges", "phase_edges"])
"""Of no range, or told better by a view."""
_ENDS = {"memory_by_phase": "start_s + duration_s", "phases": "end_s"}


class Choice(NamedTuple):
    """A table that can be exported."""

    name: str
    about: str


def choices() -> tuple[Choice, ...]:
    """Return the tables there are: those that were recorded, and views that join them."""
    recorded = [Choice(name, TABLES[name].about) for name in base_tables() if name not in _LEFT_OUT]
    return (*recorded, *(Choice(name, about) for name, about in _VIEWS.items()))


def check_table(name: str) -> None:
    """Check the name of a table.

    Raises:
        ExportError: there is no such table.
    """
    names = [choice.name for choice in choices()]
    if name not in names:
        raise ExportError(f"there is no table {name[:60]!r}; there are {', '.join(names)}")


class TableSource:
    """Gives out the tables of one part of a recording. Open it with `tables_of`."""

    def __init__(self, reader: RecordedReader, query: Query, part: Slice) -> None:
        self._reader = reader
        self._query = query
        self._part = part
        self._start_ns = reader.status().t_start_ns

    def table(self, name: str) -> Any:
        """Return a table as one `pyarrow.Table`."""
        import pyarrow as pa

        return pa.concat_tables(self.parts(name))

    def parts(self, name: str) -> Iterator[Any]:
        """Yield a table in pieces, at least one: a recording of days does not fit into memory.

        Raises:
            RecordingError: it cannot be read.
        """
        if name in _VIEWS:
            yield _with_units(self._asked(self._of_view(name)), name)
            return
        finish = Finish(self._reader, self._part, name)
        if name == "alerts":
            yield _with_units(finish(self._asked(self._alerts())), name)
            return
        empty_ones = True
        for rows in self._recorded(name):
            empty_ones = False
            yield _with_units(finish(rows), name)
        if empty_ones:
            yield _with_units(finish(empty(name)), name)

    def _recorded(self, name: str) -> Iterator[Any]:
        catalog, part = self._reader.catalog, self._part
        if TABLES[name].merged or TABLES[name].time is None:
            yield catalog.whole(name)
            return
        for segment in catalog.overlapping(name, part.t0_ns, part.t1_ns):
            yield catalog.load(name, segment)

    def _asked(self, sql: str) -> Any:
        with self._query.run(sql) as result:
            return result.arrow()

    def _seconds(self, t_ns: int) -> float:
        return (t_ns - self._start_ns) / 1e9

    def _alerts(self) -> str:
        """Return the alerts whose span overlaps the range, each as it was told last."""
        columns = ", ".join(TABLES["alerts"].names())
        return f"""
SELECT {columns} FROM alerts WHERE t_onset_ns < {self._part.t1_ns}
QUALIFY row_number() OVER (PARTITION BY kind, t_onset_ns ORDER BY seq DESC) = 1
AND coalesce(t_clear_ns, {self._part.t1_ns}) >= {self._part.t0_ns}"""

    def _of_view(self, name: str) -> str:
        part = self._part
        begin, end = self._seconds(part.t0_ns), self._seconds(part.t1_ns)
        if name in _TOTALS:
            if part.pid is None and part.threads is None:
                return f"SELECT * FROM {name}({begin!r}, {end!r})"
            raise ExportError(f"{name} is of all threads: leave out --thread and --process")
        wanted = ["true"]
        if name in _ENDS:
            last = _ENDS[name]
            wanted.append(f"start_s < {end!r} AND coalesce({last}, {end!r}) >= {begin!r}")
        elif name == "metrics_1s":
            wanted.append(f"t_s < {end!r} AND t_s >= {begin!r}")
        elif name == "imports":
            wanted.append(f"t_s < {end!r} AND t_s + coalesce(total_s, 0) >= {begin!r}")
        elif name == "threads":
            wanted.append(f"first_s < {end!r} AND last_s >= {begin!r}")
            if part.threads is not None:
                wanted.append(_of_threads(part.threads))
        if part.pid is not None and name != "counters":
            wanted.append(f"pid = {part.pid}")
        return f"SELECT * FROM {name} WHERE {' AND '.join(wanted)}"


@contextmanager
def tables_of(reader: RecordedReader, part: Slice) -> Iterator[TableSource]:
    """Open a part of a recording for reading table by table.

    Raises:
        RecordingError: it cannot be queried.
    """
    with Query(reader) as query:
        yield TableSource(reader, query, part)


def _of_threads(threads: frozenset[ThreadKey]) -> str:
    pairs = ", ".join(f"({pid}, {tid})" for pid, tid in sorted(threads))
    return f"(pid, tid) IN ({pairs})"


def _with_units(table: Any, name: str) -> Any:
    """Put the units into the fields' metadata too, for the formats that keep it."""
    import pyarrow as pa

    from perftui.probes.recording.sql.query import unit_of

    known = {c.name: c.unit for c in TABLES[name].columns} if name in TABLES else {}
    fields = []
    for field in table.schema:
        unit = known.get(field.name) or unit_of(field.name)
        kind = field.type
        if field.name == "time_utc":
            kind = pa.timestamp("us", tz="UTC")
        fields.append(pa.field(field.name, kind, metadata={"unit": unit} if unit else None))
    return table.cast(pa.schema(fields))
