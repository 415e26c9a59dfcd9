"""SQL over a recording, by DuckDB, in a sandbox.

A statement sees the recording's tables and our views, and nothing else: no other file, no
network, no extension, no setting can be reached, nothing can be written, and it ends when its
time is up.
"""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.redacted import has_texts
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.read.parquet.layout import check_layout
from perftui.probes.recording.sql.readable import Form, casts
from perftui.probes.recording.sql.views import VIEWS, base_tables, with_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.face import RecordedReader

MEMORY_LIMIT = "1GB"
_BATCH = 10_000
_ASKED = "_perftui_asked"
_EXPLAIN = re.compile(r"\s*explain(?:\s+analyze\b)?", re.IGNORECASE)


class QueryError(RecordingError):
    """The statement cannot be run; the message is DuckDB's, with its caret."""


class Described(NamedTuple):
    """A table, view or macro that SQL sees."""

    name: str
    kind: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    """(name, type, unit)"""


class Query:
    """A connection to one recording. Close it; files of a packed recording are unpacked meanwhile.

    Raises:
        RecordingError: DuckDB is not to be had, or the files cannot be used.
    """

    def __init__(self, reader: RecordedReader) -> None:
        self._start_ns = reader.status().t_start_ns
        with self._opening(str(reader.path)):
            files = self._files(reader)
            self._connect()
            self._make_views(reader, files)
            self._lock([path for paths in files.values() for path in paths])

    @contextmanager
    def _opening(self, what: str) -> Iterator[None]:
        """Take DuckDB, and leave nothing open if what follows fails."""
        try:
            import duckdb
        except ImportError as error:
            raise RecordingError("SQL needs duckdb: pip install duckdb") from error
        self._duckdb: Any = duckdb
        self._owned = ExitStack()
        try:
            yield
        except self._duckdb.Error as error:
            self._owned.close()
            raise RecordingError(f"{what}: {_first_line(error)}") from error
        except BaseException:
            self._owned.close()
            raise

    def _connect(self) -> None:
        self._connection: Any = self._duckdb.connect(
            ":memory:",
            config={
                "allow_unsigned_extensions": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": "",
                "threads": str(min(os.cpu_count() or 1, 4)),
            },
        )
        self._owned.callback(self._connection.close)

    def _files(self, reader: RecordedReader) -> dict[str, list[str]]:
        """Return the sealed files by table, each one checked before DuckDB sees it."""
        unpack = Unpacked(self._owned)
        found = {name: checked_files(reader, name, unpack) for name in base_tables()}
        return {name: paths for name, paths in found.items() if paths}

    def _make_views(self, reader: RecordedReader, files: dict[str, list[str]]) -> None:
        run = self._connection.execute
        for name in base_tables():
            redacts = reader.catalog.redacts and has_texts(name)
            rows = reader.catalog.whole(name) if redacts else reader.catalog.live_rows(name)
            self._connection.register(f"live_{name}", rows)
            columns = ", ".join(TABLES[name].names())
            source = f"SELECT * FROM live_{name}"
            if name in files and not redacts:
                paths = ", ".join("'" + path.replace("'", "''") + "'" for path in files[name])
                sealed = f"SELECT * FROM read_parquet([{paths}], union_by_name = true)"
                # By name: files of an earlier minor version lack the columns that came later.
                source = f"{sealed} UNION ALL BY NAME {source}"
            source = f"(SELECT {columns} FROM ({source}))"
            select = with_seconds(name, source, self._start_ns)
            run(f"CREATE VIEW {name} AS {select}")
        for view in VIEWS:
            if view.parameters is None:
                run(f"CREATE VIEW {view.name} AS {view.sql}")
            else:
                run(f"CREATE MACRO {view.name}({view.parameters}) AS TABLE {view.sql}")

    def _lock(self, paths: list[str]) -> None:
        run = self._connection.execute
        run("SET python_enable_replacements = false")
        # DuckDB draws one on stdout where it takes Python for a prompt, between our rows.
        run("SET enable_progress_bar = false")
        allowed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        run(f"SET allowed_paths = [{allowed}]")
        run("SET enable_external_access = false")
        run("SET lock_configuration = true")

    def close(self) -> None:
        """Close the connection and remove what was unpacked."""
        self._owned.close()

    def __enter__(self) -> Query:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def run(
        self, sql: str, timeout_s: float | None = None, form: Form | None = None
    ) -> Iterator[Result]:
        """Run one SELECT (or EXPLAIN); the result is read inside of the `with`.

        Args:
            sql: The statement.
            timeout_s: It is stopped after so long.
            form: Where the rows go: what has no place there comes as text.

        Raises:
            QueryError: it is not one, DuckDB refuses it, or its time is up.
        """
        statement = self._one(sql)
        timer = None
        expired: list[bool] = []
        if timeout_s is not None:
            timer = Timer(timeout_s, self._interrupt, [expired])
            timer.daemon = True
            timer.start()
        try:
            fitting, columns = (statement, None) if form is None else self._fitting(statement, form)
            yield Result(self._connection.execute(fitting), columns)
        except self._duckdb.Error as error:
            if expired:
                raise QueryError(f"the query was stopped after {timeout_s:g} s") from error
            raise QueryError(str(error)) from error
        finally:
            if timer is not None:
                timer.cancel()
                # Its thread holds the connection, which must not outlive the interpreter.
                timer.join()

    def _fitting(self, statement: Any, form: Form) -> tuple[Any, list[str] | None]:
        """Return the statement with the casts that `form` needs, and its columns' own names."""
        run = self._connection.execute
        try:
            described = run(f"DESCRIBE {statement.query}").fetchall()
            wanted = casts([self._type(row[1]) for row in described], form)
            if not any(wanted):
                return statement, None
            run(f"CREATE OR REPLACE TEMP VIEW {_ASKED} AS {statement.query}")
        except self._duckdb.Error:
            return statement, None  # what is wrong with it is told where it is run
        columns = [
            f"#{at}" if kind is None else f"CAST(#{at} AS {kind})"
            for at, kind in enumerate(wanted, 1)
        ]
        named = (f'{column} AS "{at}"' for at, column in enumerate(columns))
        return f"SELECT {', '.join(named)} FROM {_ASKED}", [row[0] for row in described]

    def _type(self, text: str) -> Any:
        try:
            return self._duckdb.sqltype(text)
        except self._duckdb.Error:
            return None

    def _interrupt(self, expired: list[bool]) -> None:
        expired.append(True)
        self._connection.interrupt()

    def _one(self, sql: str) -> Any:
        try:
            statements = self._connection.extract_statements(sql)
        except self._duckdb.Error as error:
            raise QueryError(str(error)) from error
        if not statements:
            raise QueryError("there is no SQL statement")
        if len(statements) > 1:
            raise QueryError(f"one statement at a time, these are {len(statements)}")
        kinds = self._duckdb.StatementType
        if statements[0].type not in (kinds.SELECT, kinds.EXPLAIN):
            name = str(statements[0].type).rpartition(".")[2]
            raise QueryError(f"a recording is only read: SELECT or EXPLAIN, not {name}")
        if statements[0].type == kinds.EXPLAIN:
            explained = _EXPLAIN.sub("", sql, count=1)
            if explained == sql or self._one(explained).type != kinds.SELECT:
                raise QueryError("a recording is only read: EXPLAIN is for a SELECT")
        return statements[0]

    def describe(self) -> list[Described]:
        """Return what there is to select from."""
        found = [
            Described(name, "table", TABLES[name].about, self._columns(name))
            for name in base_tables()
        ]
        for view in VIEWS:
            if view.parameters is None:
                found.append(Described(view.name, "view", view.about, self._columns(view.name)))
            else:
                call = f"{view.name}({view.parameters})"
                zeros = ", ".join("0" for _ in view.parameters.split(","))
                columns = self._columns(f"{view.name}({zeros})")
                found.append(Described(call, "macro", view.about, columns))
        return found

    def _columns(self, source: str) -> tuple[tuple[str, str, str], ...]:
        rows = self._connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        table = TABLES.get(source)
        units = {c.name: c.unit for c in table.columns} if table else {}
        return tuple((row[0], row[1], units.get(row[0]) or unit_of(row[0])) for row in rows)


class Unpacked:
    """A folder for files that do not lie by themselves; made when there is one, removed at the end.

    Args:
        owned: Removes it.
    """

    def __init__(self, owned: ExitStack) -> None:
        self._owned = owned
        self._folder: Path | None = None
        self._count = 0

    def put(self, data: bytes) -> str:
        """Return the path of a new file that holds this."""
        if self._folder is None:
            folder = tempfile.TemporaryDirectory(prefix="perftui-query-")
            self._folder = Path(self._owned.enter_context(folder))
        self._count += 1
        path = self._folder / f"{self._count}.parquet"
        path.write_bytes(data)
        return str(path.resolve())


def checked_files(reader: RecordedReader, name: str, unpack: Unpacked) -> list[str]:
    """Return the sealed files of a table as DuckDB takes them, each one checked before it sees it.

    Those that cannot be read are noted as damaged.
    """
    catalog, container = reader.catalog, reader.container
    found = []
    for file in catalog.files_of(name):
        try:
            data = container.read(file.name)
            check_layout(name, data)
        except (RecordingError, OSError) as error:
            catalog.damaged[file.name] = str(error)
            continue
        path = container.local_path(file.name)
        found.append((None if path is None else told_path(path)) or unpack.put(data))
    return found


class Result:
    """Rows of a running statement."""

    def __init__(self, cursor: Any, columns: list[str] | None = None) -> None:
        self._cursor = cursor
        self.columns: list[str] = columns or [column[0] for column in cursor.description or ()]

    def rows(self, limit: int | None = None) -> Iterator[tuple[Any, ...]]:
        """Yield rows, at most `limit`."""
        left = limit
        while left is None or left > 0:
            batch = self._cursor.fetchmany(_BATCH if left is None else min(_BATCH, left))
            if not batch:
                return
            yield from batch
            if left is not None:
                left -= len(batch)

    def arrow(self, limit: int | None = None) -> Any:
        """Return the rows as a `pyarrow.Table`, at most `limit`."""
        # DuckDB 1.4 calls it by another name; 2.0 warns that the rows are copied once more.
        fetch = getattr(self._cursor, "to_arrow_table", None) or self._cursor.fetch_arrow_table
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            table = fetch()
        table = table.rename_columns(self.columns)
        return table if limit is None else table.slice(0, limit)


def unit_of(name: str) -> str:
    """Return the unit that a column's name ends with, "" if none."""
    for ending, unit in (
        ("_bytes", "B"),
        ("_ns", "ns"),
        ("per_s", "1/s"),
        ("_s", "s"),
        ("_percent", "%"),
    ):
        if name.endswith(ending):
            return unit
    return ""


def told_path(path: Path) -> str | None:
    """Return a path as DuckDB takes it, in UTF-8 whatever the locale; None if it is not that."""
    try:
        return os.fsencode(path.resolve()).decode()
    except UnicodeDecodeError:
        return None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
