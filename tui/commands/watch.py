"""`perftui watch`: a flight recorder for days; what led to an event is kept as a recording."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from typing import Any

    from perftui.probes.watch.flight import FlightPlan

_WHEN = "stall>10s,exit!=0,alert>=critical"
_EPILOG = """\
perftui watch 4711 --when 'rss>2GB,stall>5s,exit!=0,alert'
perftui watch --name 'serve.py' --wait --keep 5min --when 'cpu>190% for 30s,alert==oom_risk'

EXPR: conditions with commas between them, of which one is enough
  rss>2GB  also pss uss swap (bytes), cpu (% of a core), threads, fds, processes; `for 10s` after it
  stall>5s       a thread, or an event loop, stands where it should not
  exit  exit!=0  exit==3
  alert  alert==mem_growth  alert>=critical
"""


def add_parser(commands: Any) -> None:
    """Add `watch` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "watch",
        help="flight recorder: keeps what led to an event, for days at 1 %% of a core",
        description="Watch a running Python process for days at about 1 %% of a core. The last "
        "seconds are always there; when something happens that was asked for, they are kept as a "
        "recording, and watching goes on.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pid", nargs="?", metavar="PID", help="the process")
    parser.add_argument(
        "--name", metavar="PATTERN", help="instead of PID: part of its command line, or a * pattern"
    )
    parser.add_argument(
        "--wait", action="store_true", help="with --name: wait for a process if there is none yet"
    )
    parser.add_argument(
        "--when", metavar="EXPR", default=_WHEN, help=f"what is kept ({_WHEN})".replace("%", "%%")
    )
    parser.add_argument(
        "--keep", type=_time, default=60.0, metavar="TIME", help="how far back it reaches (60s)"
    )
    parser.add_argument(
        "--after", type=_time, default=10.0, metavar="TIME", help="how long it goes on (10s)"
    )
    parser.add_argument(
        "--pause",
        type=_time,
        default=600.0,
        metavar="TIME",
        help="between two recordings of the same condition (10min)",
    )
    parser.add_argument(
        "--most", type=_count, default=20, metavar="N", help="recordings that stay (20): oldest go"
    )
    parser.add_argument(
        "--into", metavar="DIR", help="where they and the ring are (the folder of recordings)"
    )
    parser.add_argument(
        "--ring-size", type=_size, default=256 << 20, metavar="SIZE", help="of the ring (256MiB)"
    )
    parser.add_argument(
        "--rate", type=_rate, default=10.0, metavar="HZ", help="stacks a second at most (10)"
    )
    parser.add_argument(
        "--budget", type=_percent, default=1.0, metavar="PERCENT", help="of a core, all told (1)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Watch until the process has ended, or somebody ends us."""
    if (args.pid is None) == (args.name is None):
        raise UserError("watch needs a PID or a --name; `perftui list processes` shows them")
    if args.wait and args.name is None:
        raise UserError("--wait is for --name: a PID that is not there yet is nobody's")
    if args.name is not None and not args.name.strip("* "):
        raise UserError("--name fits everything: say a part of the command line")
    wanted = _wanted(args)
    pid = None if args.pid is None else options.process_id(args.pid)
    from perftui.probes.machine.own_proc import proc_problem
    from perftui.probes.own.folders import expanded
    from perftui.probes.process.face import ProcessGone
    from perftui.probes.session_options import ProbeOptions
    from perftui.probes.watch.kept import KeptEvents
    from perftui.tui.watch.flight import watch_name, watch_pid

    if problem := proc_problem():
        raise UserError(problem)
    kept = KeptEvents(None if args.into is None else expanded(args.into), args.most)
    probes = ProbeOptions(stack_rate_hz=args.rate, metrics_rate_hz=2.0, inquire=False, seldom=True)
    if pid is None:
        return watch_name(args.name, wanted, probes, kept, wait=args.wait)
    try:
        return watch_pid(pid, wanted, probes, kept)
    except ProcessGone as error:
        raise UserError(
            f"there is no process {pid}; `perftui list processes` shows the Python ones"
        ) from error


def _wanted(args: argparse.Namespace) -> FlightPlan:
    from perftui.probes.watch.expression import ExpressionError, parse_when
    from perftui.probes.watch.flight import FlightPlan

    try:
        terms = parse_when(args.when)
    except ExpressionError as error:
        raise UserError("--when: " + "\n".join(error.lines())) from error
    return FlightPlan(
        terms,
        args.when,
        keep_s=args.keep,
        after_s=args.after,
        pause_s=args.pause,
        share=args.budget / 100,
        limit_bytes=args.ring_size,
    )


def _time(text: str) -> float:
    from perftui.probes.watch.expression import parse_seconds

    try:
        return parse_seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _size(text: str) -> int:
    from perftui.probes.text.units import parse_bytes

    try:
        size = parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if size < 1 << 20:
        raise argparse.ArgumentTypeError(f"{text!r} is too little for a ring: 1MiB is the least")
    return size


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of recordings from 1 on")
    return int(text)


def _rate(text: str) -> float:
    return _between(text, 1.0, 100.0, "a rate between 1 and 100 Hz")


def _percent(text: str) -> float:
    return _between(text.removesuffix("%"), 0.1, 100.0, "a share of a core between 0.1 and 100 %")


def _between(text: str, low: float, high: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value
