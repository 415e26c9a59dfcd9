"""`perftui export`: a recording, or a part of it, in the formats of other tools."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.tui.commands import options
from perftui.tui.commands.recorded import NAMES, open_recorded, say_lost
from perftui.tui.errors import UserError
from perftui.tui.text.words import answer, say, tell

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.tables.spreadsheet import Guard
    from perftui.probes.export.write import Order
    from perftui.probes.recording.read.face import RecordedReader

_EPILOG = """\
perftui export --list                              the formats, and what opens them
perftui export last --format firefox
perftui export last --format speedscope --phase load
perftui export last --format pprof --from 10 --to 12.5 -o slow.pb.gz
perftui export last --format csv                   a folder with a file per table
perftui export last --format parquet --table metrics
perftui export last --format collapsed -o - | sort
perftui export last --push http://localhost:4040
"""
STDOUT = "-"


def add_parser(commands: Any) -> None:
    """Add `export` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "export",
        help="a recording for other tools: Firefox profiler, speedscope, pprof, DataFrames, ...",
        description="Write a recording, or a part of it, in the format of another tool.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", nargs="?", metavar="RECORDING", help=NAMES)
    parser.add_argument("--list", action="store_true", help="print the formats and exit")
    parser.add_argument("--format", metavar="F", help="one of --list, or by the name of -o")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="NAME.suffix here if not set; - is stdout"
    )
    parser.add_argument(
        "--from",
        dest="from_s",
        type=_seconds,
        metavar="S",
        help="from second S after the start; below 0: before the end",
    )
    parser.add_argument("--to", dest="to_s", type=_seconds, metavar="S", help="to second S")
    parser.add_argument("--phase", metavar="NAME", help="only this phase; NAME#2 is its second run")
    parser.add_argument("--thread", metavar="T", help="only threads of this name or number")
    parser.add_argument("--process", type=int, metavar="PID", help="only this process")
    parser.add_argument("--by-line", action="store_true", help="stacks of lines, not of functions")
    parser.add_argument("--table", metavar="NAME", help="of csv, json, parquet, arrow: one table")
    options.add_spreadsheet(parser)
    parser.add_argument(
        "--push",
        metavar="URL",
        help="send it as pprof to a Pyroscope (POST URL/ingest) instead of writing a file",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what is there, write it however large"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the export."""
    if args.list:
        say(list_text())
        return 0
    if args.recording is None:
        raise UserError("export needs a RECORDING (last is the newest), or --list")
    if args.push is not None:
        _check_push(args)
    from perftui.probes.export.formats import exporter_of
    from perftui.probes.export.material.slice import slice_of
    from perftui.probes.export.write import Order
    from perftui.probes.recording.format.limits import RecordingError

    try:
        exporter = exporter_of(_format(args))
        if exporter.binary and args.output == STDOUT and sys.stdout.isatty():
            raise UserError(f"{exporter.name} is not for a terminal: name a file with -o")
        reader = open_recorded(args.recording)
        try:
            part = slice_of(
                reader,
                from_s=args.from_s,
                to_s=args.to_s,
                phase=args.phase,
                thread=args.thread,
                process=args.process,
                by_line=args.by_line,
            )
            if args.push is not None:
                return _push(reader, part, args.push)
            order = Order(exporter, part, args.table)
            order.check()
            return _export(reader, order._replace(guard=_guard(order, reader, args)), args)
        finally:
            say_lost(reader)
    except RecordingError as error:
        raise UserError(str(error)) from error


def _check_push(args: argparse.Namespace) -> None:
    if args.format not in (None, "pprof"):
        raise UserError(f"--push sends pprof, not {args.format}")
    for name in ("output", "table"):
        if getattr(args, name) is not None:
            raise UserError(f"--push and --{name} contradict each other: give one of them")
    args.format = "pprof"


def _push(reader: RecordedReader, part: Slice, url: str) -> int:
    from perftui.probes.export.push import PushError, push

    try:
        pushed = push(reader, part, url)
    except PushError as error:
        raise UserError(str(error)) from error
    say(pushed.line())
    return 0


def _guard(order: Order, reader: RecordedReader, args: argparse.Namespace) -> Guard | None:
    """Return what keeps cells from being run as formulas, None if it is not wanted."""
    from perftui.probes.export.tables.spreadsheet import Guard, is_meant_for
    from perftui.probes.export.write import default_path
    from perftui.probes.own.whole_file import is_device

    wanted: bool | None = args.spreadsheet
    if order.name != "csv":
        if wanted is not None:
            raise UserError(f"--spreadsheet is for csv, not {order.name}")
        return None
    if wanted is None and args.output != STDOUT:
        path = Path(args.output) if args.output else default_path(reader, order, Path())
        wanted = is_meant_for(path, many=order.many) and not is_device(path)
    return Guard() if wanted else None


def _tell_guarded(guard: Guard | None) -> None:
    line = None if guard is None else guard.line()
    if line is not None:
        tell(f"perftui: {line}")


def _format(args: argparse.Namespace) -> str:
    """Return the format that was named, or that the name of the file says."""
    from perftui.probes.export.formats import FORMATS

    if args.format is not None:
        return str(args.format)
    if args.output is not None:
        # The longest suffix says most: .speedscope.json is not the tables as JSON.
        by_length = sorted(FORMATS, key=lambda exporter: -len(exporter.suffix))
        for exporter in by_length:
            if args.output.endswith(exporter.suffix):
                return exporter.name
    names = ", ".join(exporter.name for exporter in FORMATS)
    raise UserError(f"--format is missing: {names} (--list says what each is good for)")


def _export(reader: RecordedReader, order: Order, args: argparse.Namespace) -> int:
    from perftui.probes.export.estimate import HUGE_BYTES, estimate
    from perftui.probes.export.write import default_path, write_file, write_stream
    from perftui.probes.own.whole_file import is_device
    from perftui.probes.text.units import format_bytes

    if not args.force:
        size = estimate(reader, order)
        if size is not None and size > HUGE_BYTES:
            about = f"that would be about {format_bytes(size)}"
            if not _agreed(f"{about}; write it? [y/N] "):
                raise UserError(f"{about}: choose less with --from and --to, or say --force")
    if args.output == STDOUT:
        with answer() as out:
            write_stream(reader, order, out)
        _tell_guarded(order.guard)
        return 0
    path = Path(args.output) if args.output else default_path(reader, order, Path())
    force = args.force
    if path.exists() and not is_device(path) and not force:
        force = _agreed(f"{path} is there already; replace it? [y/N] ")
    written = write_file(reader, order, path, force=force)
    say(written.line())
    _tell_guarded(order.guard)
    tell(f"open it with {order.exporter.opened_by}")
    return 0


def _agreed(question: str) -> bool:
    """Ask on a terminal; without one the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    tell(question, end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def list_text() -> str:
    """Return the table of formats as text."""
    from perftui.probes.export.formats import FORMATS

    lines = []
    names = max(len(exporter.name) for exporter in FORMATS)
    suffixes = max(len(exporter.suffix) for exporter in FORMATS)
    for exporter in FORMATS:
        head = f"{exporter.name:<{names}}  {exporter.suffix:<{suffixes}}"
        lines.append(f"{head}  {exporter.good_for}")
        lines.append(f"{'':<{names}}  {'':<{suffixes}}  opened by {exporter.opened_by}")
    lines.append("")
    lines.append("csv, json, parquet, arrow: a folder with a file per table, or one --table NAME")
    return "\n".join(lines)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value) or abs(value) > 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value
