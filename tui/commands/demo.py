"""`perftui demo`: two ways to do the same, side by side, with a verdict."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.errors import UserError
from perftui.tui.text.words import say

if TYPE_CHECKING:
    from typing import Any

    from perftui.scenarios.race.race import Race

DEFAULT = "streaming-vs-collect"
_RATE_HZ = 50.0
_EPILOG = """\
perftui demo                                        DuckDB collects, then streams
perftui demo --engine polars --size 600MB
perftui demo --list                                 the other pairs
perftui demo execute-vs-sql --headless --json race.json
"""


def add_parser(commands: Any) -> None:
    """Add `demo` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo",
        help="two ways to do the same, side by side, with a verdict",
        description=(
            "Run two programs one after the other, show them side by side on the same axes,\n"
            "and say which is better in what, and what ten times the data would take."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", nargs="?", default=DEFAULT, metavar="NAME", help=f"of a pair ({DEFAULT})"
    )
    parser.add_argument("--list", action="store_true", help="name all pairs and what they ask")
    parser.add_argument("--engine", help="what reads: duckdb, pyarrow, polars, ... (see --list)")
    parser.add_argument("--size", metavar="SIZE", help="of the data (300MB), or a number of rows")
    parser.add_argument(
        "--no-growth", action="store_true", help="without the small runs that tell how costs grow"
    )
    options.add_probe_options(parser)
    parser.set_defaults(run=run, metrics_rate=_RATE_HZ)


def run(args: argparse.Namespace) -> int:
    """Run the race on the screen, or as text."""
    if args.list:
        say(pairs_text())
        return 0
    if args.fail_on:
        raise UserError("--fail-on is for run and attach; a demo's verdict is its exit code")
    if args.notify != "off":
        raise UserError("--notify is for run and attach; a demo tells its alerts on each side")
    options.check_json_path(args.json)
    record = options.record_options(args)
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.scenarios.race.plan import plan_race
    from perftui.scenarios.race.race import Race

    def make(engine: str | None) -> Race:
        plan = plan_race(args.name, engine, args.size)
        return Race(plan, options.probe_options(args), record, growth=not args.no_growth)

    try:
        race = make(args.engine)
    except ScenarioError as error:
        raise UserError(str(error)) from error
    if not options.wants_screen(args):
        from perftui.tui.watch.race.headless import run_headless

        return run_headless(race, args.json, args.duration)
    from perftui.tui.watch.race.on_screen import run_on_screen

    return run_on_screen(race, make, args.json, args.duration)


def pairs_text() -> str:
    """Every pair: its name, its question, its engines and what they lack."""
    from perftui.scenarios.define.requirements import install_advice, missing_modules
    from perftui.scenarios.race.pairs import PAIRS

    lines = []
    for pair in PAIRS:
        missing: dict[str, None] = {}
        engines = []
        for way in pair.ways:
            lacking = missing_modules(way.modules)
            missing.update(dict.fromkeys(lacking))
            engines.append(f"{way.engine} (not installed)" if lacking else way.engine)
        first, second = pair.sides
        lines += [
            f"{pair.name:<22}{pair.question}",
            f"{'':<22}{first.name} against {second.name} · {pair.work} {pair.default} · "
            f"engine {', '.join(engines)}",
        ]
        if missing:
            lines.append(f"{'':<22}missing: {install_advice(tuple(missing))}")
    return "\n".join(lines)
