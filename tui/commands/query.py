"""`perftui query`: SQL over a recording."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.tui.commands import options
from perftui.tui.commands.recorded import NAMES, open_recorded, say_lost
from perftui.tui.errors import UserError
from perftui.tui.text.words import answer, say, tell

if TYPE_CHECKING:
    from perftui.probes.export.tables.spreadsheet import Guard
    from perftui.probes.recording.sql.query import Query

_EPILOG = """\
perftui query last                                   tables, views, columns, examples
perftui query last 'FROM top_self LIMIT 5'
perftui query last 'FROM top_total(10, 12.5)'        from second 10 to 12.5
perftui query last 'FROM stack_at(12.5)' --format json
perftui query last 'FROM metrics' --format parquet -o metrics.parquet
perftui query 'runs/*.perftui' 'FROM recordings'     many at once; s3://bucket/runs too
"""
_TABLE_ROWS = 1_000
_PROBLEMS = 10
_ROOM_BYTES = 4 << 30
"""DuckDB keeps to its own limit (1 GB) but where a function makes lists and texts in a lambda; what
is mapped without being used, its threads' stacks and arenas, takes some of this too."""


def add_parser(commands: Any) -> None:
    """Add `query` to the command line."""
    from perftui.tui.text.query import FORMATS

    parser: argparse.ArgumentParser = commands.add_parser(
        "query",
        help="SQL over a recording (DuckDB, read only)",
        description="Run one SELECT over a recording. Without SQL: what there is to select from.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "recording",
        metavar="RECORDING",
        help=f"{NAMES}; of many: a pattern in quotes, or a folder of them with its /",
    )
    parser.add_argument("sql", nargs="?", metavar="SQL", help="one SELECT; - reads it from stdin")
    parser.add_argument("--format", choices=FORMATS, help="table (default), or by the name of -o")
    parser.add_argument("-o", "--output", metavar="FILE", help="write here instead of stdout")
    parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="S", help="stop after S seconds (60)"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="at most N rows")
    options.add_spreadsheet(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the statement and write its rows."""
    from perftui.probes.own.room import room_for
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.sql.query import Query
    from perftui.tui.text.query import BINARY, FORMATS

    kind = args.format
    if kind is None and args.output is not None:
        ending = Path(args.output).suffix.lstrip(".")
        kind = ending if ending in FORMATS else None
    kind = kind or "table"
    if kind in BINARY and args.output is None and sys.stdout.isatty():
        raise UserError(f"--format {kind} is not for a terminal: name a file with -o")
    from perftui.probes.recording.shelf.several import means_many

    try:
        if means_many(args.recording):
            return _run_many(args, kind)
    except RecordingError as error:
        raise UserError(str(error)) from error
    reader = open_recorded(args.recording)
    try:
        with Query(reader) as query, room_for(_ROOM_BYTES):
            if args.sql is None:
                _describe(query)
            else:
                _answer(query, _statement(args.sql), kind, args)
    except RecordingError as error:
        raise UserError(str(error)) from error
    except MemoryError:
        raise UserError("the query needs more memory than it may have") from None
    finally:
        say_lost(reader)
    return 0


def _run_many(args: argparse.Namespace, kind: str) -> int:
    """Run the statement over many recordings; those that cannot be read are named, and the rest
    answers.

    Raises:
        RecordingError: there is none that can be read, or the statement cannot be run.
    """
    from perftui.probes.own.room import room_for
    from perftui.probes.recording.shelf.several import sources_of
    from perftui.probes.recording.sql.many import ManyQuery

    problems: list[str] = []
    try:
        sources = sources_of(args.recording, problems)
        sql = None if args.sql is None else _statement(args.sql)
        asked = [] if sql is None else sources
        with ManyQuery(asked, sql or "", problems) as query, room_for(_ROOM_BYTES):
            if sql is None:
                _describe(query)
                say(f"{len(sources):,} recordings")
            else:
                _answer(query, sql, kind, args)
    except MemoryError:
        raise UserError("the query needs more memory than it may have") from None
    for problem in problems[:_PROBLEMS]:
        tell(f"perftui: left out: {problem}")
    if len(problems) > _PROBLEMS:
        tell(f"perftui: and {len(problems) - _PROBLEMS:,} more are left out")
    return 0


def _statement(word: str) -> str:
    """Return the SQL as it was typed, also where the locale says that all is ASCII.

    Raises:
        UserError: it is no UTF-8.
    """
    text = sys.stdin.read() if word == "-" else word
    try:
        return text.encode(errors="surrogateescape").decode()
    except UnicodeError:
        raise UserError("the SQL is not UTF-8 text") from None


def _answer(query: Query, sql: str, kind: str, args: argparse.Namespace) -> None:
    from perftui.tui.text.query import form_of, write

    guard = _guard(kind, args)
    limit = args.limit
    told, written = None, 0
    if limit is None and kind == "table" and args.output is None:
        limit = _TABLE_ROWS
        told = f"the first {limit:,} rows; --limit N shows more, --format csv all"
    with query.run(sql, args.timeout, form_of(kind)) as result:
        try:
            if args.output is None:
                with answer() as out:
                    written = write(result, kind, out, limit, guard)
            else:
                from perftui.probes.own.whole_file import whole_file

                with whole_file(args.output) as file:
                    written = write(result, kind, file, limit, guard)
        except OSError as error:
            raise UserError(f"cannot write {args.output}: {error.strerror}") from error
    changed = None if guard is None else guard.line()
    if changed is not None:
        tell(f"perftui: {changed}")
    if told is not None and written == limit:
        tell(f"perftui: {told}")
    if not written and limit != 0:
        from perftui.probes.recording.sql.unrecorded import unrecorded

        if names := unrecorded(query, sql):
            tell(f"perftui: not recorded: {', '.join(names)}")


def _guard(kind: str, args: argparse.Namespace) -> Guard | None:
    """Return what keeps cells from being run as formulas, None if it is not wanted."""
    from perftui.probes.export.tables.spreadsheet import Guard, is_meant_for

    wanted: bool | None = args.spreadsheet
    if kind != "csv":
        if wanted is not None:
            raise UserError(f"--spreadsheet is for csv, not {kind}")
        return None
    if wanted is None:
        wanted = args.output is not None and is_meant_for(Path(args.output))
    return Guard() if wanted else None


def _describe(query: Query) -> None:
    from perftui.probes.recording.sql.views import EXAMPLES

    for kind, title in (
        ("view", "views"),
        ("macro", "with seconds as arguments"),
        ("table", "tables"),
    ):
        say(f"{title}:")
        for table in query.describe():
            if table.kind != kind:
                continue
            say(f"  {table.name}: {table.about}")
            columns = [f"{name} ({unit})" if unit else name for name, _, unit in table.columns]
            say(_wrapped(columns))
        say("")
    say("examples:")
    for example in EXAMPLES:
        say(f"  {example}")


def _wrapped(words: list[str], width: int = 96) -> str:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 2 > width:
            lines.append("")
        lines[-1] += (", " if lines[-1] else "") + word
    return "\n".join(f"      {line}" for line in lines)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return int(text)
