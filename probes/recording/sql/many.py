"""SQL over many recordings at once: the same tables and views, with a column `recording`.

Only what the statement names is looked at: `recordings` takes nothing but each `meta.json`, a
table the files of that table.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.recording.format.arrow import arrow
from perftui.probes.recording.format.limits import DECODED_BYTES, RecordingError
from perftui.probes.recording.format.meta import target_of
from perftui.probes.recording.format.redacted import has_texts
from perftui.probes.recording.format.schema import empty
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.read.container import open_container
from perftui.probes.recording.read.parquet.layout import check_layout
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.read.source import prepare_all, sealed_files
from perftui.probes.recording.sql.query import (
    Described,
    Query,
    Unpacked,
    checked_files,
    told_path,
)
from perftui.probes.recording.sql.views import (
    RECORDING,
    VIEWS,
    base_tables,
    over_many,
    with_seconds,
)
from perftui.probes.text.reason import reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.recording.read.container import SegmentFile
    from perftui.probes.recording.read.source import ManySource

RECORDINGS = "recordings"
_ABOUT = "a row for each recording, from what it says of itself"
_MOST_BYTES = 4 * DECODED_BYTES
"""Of rows that are in no sealed file."""
_START, _FILE = "_start_ns", "_file"
_ALL = re.compile(r"\b(information_schema|duckdb_\w+|pg_\w+|sqlite_\w+|show|describe)\b", re.I)
"""Whoever asks what there is sees all of it."""


class ManyQuery(Query):
    """A connection to many recordings, for one statement.

    Args:
        sources: The recordings; none are enough to describe the tables.
        sql: What will be asked: it names the tables.
        problems: Gets a line for each recording or file that cannot be read.

    Raises:
        RecordingError: DuckDB is not to be had, or none of the recordings can be read.
    """

    def __init__(self, sources: Sequence[ManySource], sql: str, problems: list[str]) -> None:
        self._problems = problems
        with self._opening("the recordings"):
            needed = tables_in(sql) if sources else set()
            names = _names(sources)
            ready = prepare_all(sources, needed, problems) if needed else list(sources)
            if sources and not ready:
                raise RecordingError("; ".join(problems[:3]))
            self._known = [(names[id(source)], source) for source in ready]
            self._unpack = Unpacked(self._owned)
            self._connect()
            files = self._make_tables(needed)
            self._lock(files)

    def _make_tables(self, needed: set[str]) -> list[str]:
        """Make the tables and views; returns the files that DuckDB may read."""
        parts = self._parts(needed)
        wanted = needed if self._known else set(base_tables())
        index = [each for part in parts.values() for each in part.files]
        run, register = self._connection.execute, self._connection.register
        register(RECORDINGS, _recordings(self._known))
        register("_files", _index_of(index))
        for table in base_tables():
            if table not in wanted:
                continue
            part = parts.get(table, _Part())
            register(f"live_{table}", _joined(table, part.rows))
            run(f"CREATE VIEW {table} AS {_select(table, part.files)}")
        for view in VIEWS:
            if not tables_in(view.sql) <= wanted:
                continue
            if view.parameters is None:
                run(f"CREATE VIEW {view.name} AS {over_many(view.sql)}")
            else:
                run(f"CREATE MACRO {view.name}({view.parameters}) AS TABLE {over_many(view.sql)}")
        return [each.path for each in index]

    def _parts(self, needed: set[str]) -> dict[str, _Part]:
        """Return what each table is made of."""
        parts = {table: _Part() for table in needed}
        room = _MOST_BYTES
        for name, source in self._known if needed else ():
            try:
                files = sealed_files(source)
                if files is not None:
                    self._take_files(name, source, files, parts)
                else:
                    room -= self._take_opened(name, source, parts)
            except (RecordingError, OSError) as error:
                self._problems.append(f"{name}: {error}")
            if room < 0:
                raise RecordingError(
                    "the recordings have more rows that were never sealed than fit into memory: "
                    "choose fewer"
                )
        return parts

    def _take_files(
        self, name: str, source: ManySource, files: Sequence[SegmentFile], parts: dict[str, _Part]
    ) -> None:
        folder, start_ns = source.path(), source.meta["t_start_ns"]
        for file in files:
            if file.table not in parts:
                continue
            path = folder / file.name
            try:
                data = open_container(folder).read(file.name)
                check_layout(file.table, data)
            except (RecordingError, OSError) as error:
                self._problems.append(f"{name}: {file.name} {reason_of(error)}")
                continue
            told = told_path(path) or self._unpack.put(data)
            parts[file.table].files.append(_File(told, name, start_ns))

    def _take_opened(self, name: str, source: ManySource, parts: dict[str, _Part]) -> int:
        """Take a recording that has to be opened; returns the bytes of its rows in memory."""
        reader = open_recording(source.path())
        start_ns = source.meta["t_start_ns"]
        taken = 0
        for table, part in parts.items():
            redacts = reader.catalog.redacts and has_texts(table)
            rows = reader.catalog.whole(table) if redacts else reader.catalog.live_rows(table)
            if rows.num_rows:
                part.rows.append((rows, name, start_ns))
                taken += rows.nbytes
            if not redacts:
                for path in checked_files(reader, table, self._unpack):
                    part.files.append(_File(path, name, start_ns))
        damaged = {**reader.catalog.damaged}
        self._problems += [f"{name}: {file} {why}" for file, why in sorted(damaged.items())]
        return taken

    def describe(self) -> list[Described]:
        """See `Query.describe`; with the table of the recordings."""
        first = Described(RECORDINGS, "table", _ABOUT, self._columns(RECORDINGS))
        return [first, *super().describe()]


class _File(NamedTuple):
    """A sealed file of a table."""

    path: str
    recording: str
    start_ns: int


class _Part:
    """What a table is made of."""

    def __init__(self) -> None:
        self.files: list[_File] = []
        self.rows: list[tuple[Any, str, int]] = []
        """(`pyarrow.Table`, recording, start) of what is in no file."""


def tables_in(sql: str) -> set[str]:
    """Return the base tables that a statement may read, also through views: by the words in it.

    One too many costs files to look at; none can be missing, however a name is written.
    """
    if _ALL.search(sql):
        return set(base_tables())
    words = {word.lower() for word in re.findall(r"\w+", sql)}
    found = {table for table in base_tables() if table in words}
    for view in VIEWS:
        if view.name in words and view.name not in _words_of(view.sql):
            found |= tables_in(view.sql)
    return found


def _words_of(sql: str) -> set[str]:
    return set(re.findall(r"\w+", sql))


def _select(table: str, files: Sequence[_File]) -> str:
    source = f"SELECT * FROM live_{table}"
    if files:
        told = ", ".join("'" + file.path.replace("'", "''") + "'" for file in files)
        sealed = f"read_parquet([{told}], union_by_name = true, filename = '{_FILE}')"
        # By name: files of an earlier minor version lack the columns that came later.
        source = (
            f"SELECT m.{RECORDING}, m.{_START}, p.* FROM {sealed} p "
            f"JOIN _files m ON m.{_FILE} = p.{_FILE} UNION ALL BY NAME {source}"
        )
    columns = ", ".join([RECORDING, _START, *TABLES[table].names()])
    source = f"(SELECT {columns} FROM ({source}))"
    select = with_seconds(table, source, _START, f"* EXCLUDE ({RECORDING}, {_START})")
    return select.replace("SELECT ", f"SELECT {RECORDING}, ", 1)


def _index_of(files: Sequence[_File]) -> Any:
    pa = arrow()
    return pa.table(
        {
            _FILE: pa.array([file.path for file in files], pa.string()),
            RECORDING: pa.array([file.recording for file in files], pa.string()),
            _START: pa.array([file.start_ns for file in files], pa.int64()),
        }
    )


def _joined(table: str, parts: Sequence[tuple[Any, str, int]]) -> Any:
    pa = arrow()
    joined = []
    for rows, name, start_ns in [*parts, (empty(table), "", 0)]:
        count = rows.num_rows
        rows = rows.append_column(RECORDING, pa.repeat(pa.scalar(name, pa.string()), count))
        joined.append(rows.append_column(_START, pa.repeat(pa.scalar(start_ns, pa.int64()), count)))
    return pa.concat_tables(joined, promote_options="default")


def _names(sources: Sequence[ManySource]) -> dict[int, str]:
    """Return what each is called: its name, or where it is when others have that name too."""
    count = Counter(source.name for source in sources)
    return {id(s): s.name if count[s.name] == 1 else s.where for s in sources}


def _recordings(known: Sequence[tuple[str, ManySource]]) -> Any:
    """Return the table of the recordings, from their `meta.json` alone."""
    pa = arrow()
    rows = [_row(name, source) for name, source in known]
    types = {
        **dict.fromkeys((RECORDING, "path", "state", "title", "argv"), pa.string()),
        "began": pa.timestamp("us", tz="UTC"),
        "duration_s": pa.float64(),
        **dict.fromkeys(("peak_rss_bytes", "alerts", "exit_code", "signal"), pa.int64()),
        **dict.fromkeys(("stack_samples", "lost_rows", "file_bytes"), pa.int64()),
        **dict.fromkeys(("python", "perftui", "host", "cpu_model"), pa.string()),
        **dict.fromkeys(("cpu_count", "ram_bytes", "limit_bytes"), pa.int64()),
    }
    return pa.table(
        {key: pa.array([row[key] for row in rows], kind) for key, kind in types.items()}
    )


def _row(name: str, source: ManySource) -> dict[str, Any]:
    meta = source.meta
    told, machine, options, versions = (
        found if isinstance(found := meta.get(key), dict) else {}
        for key in ("summary", "machine", "options", "versions")
    )
    target = target_of(meta)
    state = meta["state"]
    duration_s = told.get("duration_s")
    began_ns = _number(meta.get("created_wall_ns"))
    return {
        RECORDING: name,
        "path": source.where,
        "state": state if state == "closed" else source.state(),
        "title": target.title,
        "argv": json.dumps(target.argv),
        "began": None if began_ns is None else began_ns // 1000,
        "duration_s": float(duration_s) if isinstance(duration_s, int | float) else None,
        **{
            key: _number(told.get(key))
            for key in (
                *("peak_rss_bytes", "alerts", "exit_code", "signal"),
                *("stack_samples", "lost_rows", "file_bytes"),
            )
        },
        "python": target.python or None,
        "perftui": _text(versions.get("perftui")),
        "host": _text(meta.get("host")),
        "cpu_model": _text(machine.get("cpu_model")),
        "cpu_count": _number(machine.get("cpu_count")),
        "ram_bytes": _number(machine.get("ram_bytes")),
        "limit_bytes": _number(options.get("known_limit_bytes")),
    }


def _number(value: object) -> int | None:
    return value if type(value) is int and -(1 << 62) < value < 1 << 62 else None


def _text(value: object) -> str | None:
    return value[:4096] if isinstance(value, str) else None
