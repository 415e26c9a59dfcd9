"""`perftui sweep`: how time and memory of a scenario grow with the work."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.commands.lab.on import add_on, measured_on
from perftui.tui.errors import UserError
from perftui.tui.terminal.ending import Ending
from perftui.tui.text.words import say, tell

if TYPE_CHECKING:
    from typing import Any

    from perftui.scenarios.sweep.sweep import SweepPlan

INCONCLUSIVE = 3
_LEAST_LIMIT_BYTES = 20_000_000
"""An interpreter with nothing in it takes about half of that."""
_DESCRIPTION = """\
Run a scenario at several sizes, each several times in a fresh process, and say how its time
and memory grow: constant, linear, worse, or why that cannot be told. Exit code 3: it cannot be
told of time and of memory."""
_EPILOG = """\
examples:
  perftui sweep stream-vs-collect -p mode=stream --over size=150MB,300MB,600MB,1.2GB
  perftui sweep loader -p target=sqlite --over rows=100k --doubling 4
  perftui sweep load.py:nightly --over days=1,2,4,8 --runs 5 --json growth.json
  perftui sweep stream-vs-collect --doubling 3 --limit 800MB
"""


def add_parser(commands: Any) -> None:
    """Add `sweep` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "sweep",
        help="how time and memory of a scenario grow with the work",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "scenario", metavar="SCENARIO", help="of the catalogue, or FILE.py:FUNCTION"
    )
    parser.add_argument(
        "-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="held fixed"
    )
    parser.add_argument(
        "--over",
        metavar="NAME=V1,V2,...",
        help="the parameter and its values; without: size or rows, with --doubling",
    )
    parser.add_argument(
        "--doubling",
        type=_steps,
        metavar="N",
        help="N values, each twice the one before, from the one of --over or a quarter of the "
        "default (4)",
    )
    parser.add_argument("--runs", type=_runs, default=3, metavar="N", help="of each size (3)")
    parser.add_argument("--phase", metavar="NAME", help="measure this phase; default: the work")
    parser.add_argument("--limit", metavar="BYTES", help="a memory limit for each run, like 800MB")
    parser.add_argument(
        "--limit-by",
        choices=("watch", "rlimit"),
        default="watch",
        help="watch: end it when its RSS passes the limit; rlimit: the kernel refuses memory",
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the result as JSON; '-' is standard output"
    )
    add_on(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, and print what was found. 3 if nothing can be said about time and memory."""
    options.check_json_path(args.json)
    from perftui.probes.target.target import LaunchError
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.scenarios.sweep.report import as_json, as_text
    from perftui.scenarios.sweep.sweep import sweep

    # The scenario has a session of its own: it would outlive us if we just fell over.
    with Ending() as ending:
        try:
            plan = _plan(args)
            with measured_on(args) as place:
                found = sweep(plan._replace(elsewhere=place), _tell, ending.leave_now_if_asked)
        except (ScenarioError, LaunchError) as error:
            raise UserError(str(error)) from error
        finally:
            _tell("")
    if args.json is not None:
        from perftui.probes.own.whole_file import write_text

        text = json.dumps(as_json(found), indent=2, allow_nan=False) + "\n"
        if args.json == "-":
            say(text, end="", whole=True)
        else:
            write_text(args.json, text)
    if args.json != "-":
        encoding = (sys.stdout.encoding or "").lower().replace("-", "")
        say(as_text(found, ascii_only=encoding != "utf8"))
    unknown = found.time.verdict == found.memory.verdict == "cannot tell"
    return INCONCLUSIVE if unknown else 0


def _plan(args: argparse.Namespace) -> SweepPlan:
    from perftui.probes.text.units import parse_bytes
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.scenarios.run.runner import resolve
    from perftui.scenarios.sweep.sweep import SweepPlan, doubled, swept_parameter

    scenario = resolve(args.scenario)
    scenario.check_requirements()
    name, values = None, []
    if args.over is not None:
        name, equals, text = args.over.partition("=")
        values = [word.strip() for word in text.split(",") if word.strip()]
        if not equals or not values:
            raise UserError(f"--over is written NAME=V1,V2,..., not {args.over!r}")
    parameter = swept_parameter(scenario, name)
    if args.doubling is not None or not values:
        if len(values) > 1:
            raise UserError("--doubling makes the values itself: give --over only the first one")
        values = list(doubled(parameter, args.doubling or 4, values[0] if values else None))
    if len(values) == 1:
        raise UserError(
            f"one size says nothing about growth: --over {name}=V1,V2,V3, or --over "
            f"{name}={values[0]} --doubling 4"
        )
    for value in values:
        parameter.parse(value)
    if len(set(values)) < len(values):
        raise UserError(f"--over names a value twice: {args.over}")
    limit = None
    if args.limit is not None:
        try:
            limit = parse_bytes(args.limit)
        except ValueError as error:
            raise UserError(f"--limit: {error}") from None
        if limit < _LEAST_LIMIT_BYTES:
            raise UserError(
                f"--limit {args.limit}: an interpreter alone needs more than that; give 20MB or "
                "more, like 800MB"
            )
    if any(word.partition("=")[0].strip() == parameter.name for word in args.param):
        raise ScenarioError(f"{parameter.name} is swept over: it cannot be held fixed with -p too")
    return SweepPlan(
        scenario,
        parameter,
        tuple(values),
        tuple(args.param),
        args.runs,
        args.phase,
        limit,
        args.limit_by,
    )


def _tell(line: str) -> None:
    """Progress on stderr: one line that is rewritten on a terminal, a line each elsewhere."""
    if sys.stderr.isatty():
        tell(f"\r\x1b[K{line}", end="")
    elif line:
        tell(line)


def _runs(text: str) -> int:
    return _whole(text, 1, 1000)


def _steps(text: str) -> int:
    return _whole(text, 2, 20)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)
