"""Options that several commands share, each defined once."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from perftui.tui.errors import UserError
from perftui.tui.text.words import has_screen

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.session_options import ProbeOptions, RecordOptions
    from perftui.tui.watch.options import WatchOptions


def add_probe_options(parser: argparse.ArgumentParser) -> None:
    """Add what `run`, `attach` and `demo` have in common."""
    group = parser.add_argument_group("measuring")
    group.add_argument(
        "--headless",
        action="store_true",
        help="no screen: progress on stderr (the default without a terminal); the program's input "
        "and output are then those of this terminal",
    )
    group.add_argument(
        "--json", metavar="FILE", help="write the summary as JSON; '-' is standard output"
    )
    group.add_argument("--duration", type=seconds, metavar="S", help="stop after so many seconds")
    group.add_argument(
        "--rate", type=_rate, default=100.0, metavar="HZ", help="stack samples a second (100)"
    )
    group.add_argument(
        "--metrics-rate",
        type=_rate,
        default=20.0,
        metavar="HZ",
        help="metrics a second (%(default)g)",
    )
    group.add_argument("--no-stacks", action="store_true", help="CPU and memory only")
    group.add_argument(
        "--native", action="store_true", help="native frames too: stops the target for each sample"
    )
    group.add_argument(
        "--sampler",
        choices=("auto", "own", "py-spy"),
        default="auto",
        help="who takes the stacks (auto: our own sampler where it can, else py-spy)",
    )
    group.add_argument(
        "--deep",
        action="store_true",
        help="when memory grows, look at all that a launched program holds, whatever that costs",
    )
    group.add_argument(
        "--hands-off",
        action="store_true",
        help="do not look at it from inside: no thread of ours in the program",
    )
    group.add_argument(
        "--limit", type=_size, metavar="SIZE", help="memory that a launched program is given"
    )
    add_fail_on(group)
    group.add_argument(
        "--notify",
        choices=("off", "bell", "desktop"),
        default="off",
        help="tell of new alerts by the terminal's bell or a desktop notification (off)",
    )
    group = parser.add_argument_group("recording")
    group.add_argument(
        "--record",
        metavar="DIR",
        help="folder for the recording, or NAME.perftui itself; s3://BUCKET/FOLDER, gs://...",
    )
    group.add_argument("--no-record", action="store_true", help="keep nothing on disk")
    group.add_argument(
        "--max-size", type=_size, metavar="SIZE", help="what the folder may hold (5GB): oldest go"
    )
    group.add_argument(
        "--max-age", type=seconds, metavar="DAYS", help="delete recordings older than this"
    )


def add_fail_on(group: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    """Add the gate."""
    group.add_argument(
        "--fail-on",
        metavar="KIND,...",
        type=_alert_kinds,
        default=(),
        help="exit 1 if an alert of these kinds is raised, e.g. mem_growth,streaming_violation",
    )


def add_threshold(group: argparse._ArgumentGroup) -> None:
    """Add the option that says which figures a bench judges, and from where on."""
    group.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="NAME=N%",
        help="from which change on a figure is judged, or NAME=off",
    )


def add_calls(group: argparse._ArgumentGroup) -> None:
    """Add how often a process of the lab calls a function."""
    group.add_argument(
        "--calls",
        type=count_of_runs,
        metavar="N",
        help="of a function in each process (as many as take two seconds)",
    )


def add_keep(group: argparse._ArgumentGroup) -> None:
    """Add which recordings of repeated runs stay."""
    group.add_argument("--keep", metavar="WHICH", help="record, and keep: worst,median,best or all")


def add_headless(group: argparse._ArgumentGroup) -> None:
    """Add that there is to be no screen."""
    group.add_argument(
        "--headless",
        action="store_true",
        help="no screen: a row for each run on stderr (the default without a terminal)",
    )


def add_spreadsheet(parser: argparse.ArgumentParser) -> None:
    """Add what is done about formulas in CSV."""
    parser.add_argument(
        "--spreadsheet",
        action=argparse.BooleanOptionalAction,
        help="of csv: a ' before cells that a spreadsheet would run (for files called .csv)",
    )


def record_options(args: argparse.Namespace) -> RecordOptions:
    """Return what the options say about recording.

    Raises:
        UserError: they contradict each other.
    """
    from perftui.probes.own.folders import expanded
    from perftui.probes.session_options import RecordOptions

    if args.no_record and args.record is not None:
        raise UserError("--record and --no-record contradict each other: give one of them")
    where, url = args.record, None
    directory = None if where is None else expanded(where)
    if where is not None and "://" in where:
        directory, url = _elsewhere(where)
        if url is not None and (args.max_size is not None or args.max_age is not None):
            raise UserError("--max-size and --max-age are for folders of this machine")
    return RecordOptions(
        wanted=not args.no_record,
        directory=directory,
        url=url,
        max_bytes=args.max_size,
        max_age_s=None if args.max_age is None else args.max_age * 86_400,
    )


def _elsewhere(url: str) -> tuple[Path | None, str | None]:
    """Return what an address means: a folder of this machine, or one elsewhere.

    Raises:
        UserError: nothing can be recorded there.
    """
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.remote.address import RemoteAddress, path_of

    try:
        directory = path_of(url)
        return directory, None if directory is not None else RemoteAddress(url).url
    except RecordingError as error:
        raise UserError(str(error)) from error


def probe_options(args: argparse.Namespace) -> ProbeOptions:
    """Return what the options say about measuring.

    Raises:
        UserError: they contradict each other.
    """
    from perftui.probes.session_options import ProbeOptions

    _check_sampler(args)
    if args.deep and args.hands_off:
        raise UserError("--deep and --hands-off contradict each other: give one of them")

    return ProbeOptions(
        stacks=not args.no_stacks,
        stack_rate_hz=args.rate,
        metrics_rate_hz=args.metrics_rate,
        native=args.native,
        sampler=args.sampler,
        inquire=not args.hands_off,
        deep=args.deep,
        limit_bytes=args.limit,
    )


def _check_sampler(args: argparse.Namespace) -> None:
    if args.sampler == "auto":
        return
    if args.no_stacks:
        raise UserError("--no-stacks and --sampler contradict each other: give one of them")
    if args.sampler == "own" and args.native:
        raise UserError("--native needs py-spy: leave --sampler out, or say --sampler py-spy")
    if args.sampler == "own" and not sys.platform.startswith("linux"):
        raise UserError("--sampler own works on Linux only; leave it out, and py-spy is used")


def watch_options(args: argparse.Namespace) -> WatchOptions:
    """Return all that the options say.

    Raises:
        UserError: they contradict each other.
    """
    from perftui.tui.watch.options import WatchOptions

    return WatchOptions(
        probe_options(args),
        record_options(args),
        args.json,
        args.duration,
        args.fail_on,
        args.notify,
    )


def wants_screen(args: argparse.Namespace) -> bool:
    """Tell whether to show the live screen: there is a terminal, and nobody said otherwise."""
    return not args.headless and args.json != "-" and has_screen()


def check_json_path(path: str | None) -> None:
    """Fail before the program is run, not after, where the summary could not be written.

    Raises:
        UserError: the place cannot be written to.
    """
    if path is None or path == "-":
        return
    from perftui.probes.own.whole_file import check_writable

    try:
        check_writable(path)
    except OSError as error:
        raise UserError(f"cannot write the summary to {path!r}: {error.strerror}") from error


def _alert_kinds(text: str) -> tuple[str, ...]:
    from perftui.tui.watch.gate import alert_kinds

    return alert_kinds(text)


def seconds(text: str) -> float:
    """Read an amount above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def count_of_runs(text: str) -> int:
    """Read how often something is to be run."""
    try:
        count = int(text.replace("_", ""))
    except ValueError:
        count = 0
    if not 1 <= count <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs from 1 on")
    return count


def _size(text: str) -> int:
    from perftui.probes.text.units import parse_bytes

    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate between 1 and 1000 Hz")
    return value


def process_id(text: str) -> int:
    """Return a process id that a person typed.

    Raises:
        UserError: it is none, or ours.
    """
    if not text.isdigit() or int(text) == 0:
        raise UserError(f"{text!r} is not a process id; `perftui list processes` shows them")
    pid = int(text)
    if pid == os.getpid():
        raise UserError("that is perftui itself: it cannot watch itself, choose another process")
    return pid
