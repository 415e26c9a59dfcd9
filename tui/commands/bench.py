"""`perftui bench`: fresh processes, one after the other, until the figures are sure."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.errors import UserError
from perftui.tui.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from perftui.scenarios.bench.answer import BenchAnswer
    from perftui.scenarios.bench.bench import Bench, BenchPlan
    from perftui.scenarios.bench.subject import Subject

GATE_FAILED, INCONCLUSIVE = 1, 3
_EPILOG = """\
perftui bench -- python prog.py             any program
perftui bench load.py:nightly -p days=3     a function of yours: import, first, warm
perftui bench duckdb-query                  a scenario of the catalogue

exit code: 0 fine (or only suspect), 1 a figure regressed, 2 cannot be run, 3 it could not be told
"""


def add_parser(commands: Any) -> None:
    """Add `bench` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench",
        help="run it again and again in fresh processes: cold, warm, and better or worse",
        description="Run a scenario, a function or any program in fresh processes, one after the "
        "other, until its figures are sure; against a baseline, with a verdict.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="perftui bench [OPTIONS] SCENARIO [-p NAME=VALUE]... | [--] PROGRAM [ARG]...",
    )
    _add_options(parser)
    parser.set_defaults(run=run, words=[])


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="of the scenario"
    )
    parser.add_argument("--python", metavar="EXE", help="the interpreter to run it with")
    group = parser.add_argument_group("how often")
    group.add_argument(
        "--runs",
        type=options.count_of_runs,
        metavar="N",
        help="so many a side (5, growing to 20 while it is not clear)",
    )
    group.add_argument(
        "--calls",
        type=options.count_of_runs,
        metavar="N",
        help="of a function in each process (as many as take two seconds)",
    )
    group.add_argument(
        "--time-limit", type=options.seconds, metavar="S", help="begin no run that would end later"
    )
    group = parser.add_argument_group("judging")
    group.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="NAME=N%",
        help="from which change on a figure is judged, or NAME=off",
    )
    group.add_argument("--strict", action="store_true", help="suspect is a failure too (exit 1)")
    group = parser.add_argument_group("output")
    group.add_argument("--json", metavar="FILE", help="as JSON (schema 1); '-' is standard output")


def split_words(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split what follows `bench` into our options and the words that name what to run."""
    from perftui.tui.commands.run import split_at_program

    ours = Parser(prog="perftui bench")
    _add_options(ours)
    return split_at_program(ours, arguments)


def run(args: argparse.Namespace) -> int:
    """Measure, print what was found, and return what it means."""
    options.check_json_path(args.json)
    from perftui.probes.target.target import LaunchError
    from perftui.scenarios.bench.bench import run_bench
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.tui.bench.progress import BenchProgress
    from perftui.tui.terminal.ending import Ending

    with Ending() as ending:
        try:
            bench = _bench(args)
            progress = BenchProgress(bench)
            found = run_bench(bench, progress.ran, progress.begins, ending.leave_now_if_asked)
            bench.plan.gate.check([row.key for row in found.rows])
        except (ScenarioError, LaunchError) as error:
            raise UserError(str(error)) from error
    return _report(args, bench, found)


def _report(args: argparse.Namespace, bench: Bench, found: BenchAnswer) -> int:
    from perftui.tui.bench.table import bench_text
    from perftui.tui.text.words import say

    if args.json is not None:
        from perftui.scenarios.bench.as_json import as_json
        from perftui.tui.watch.json_file import write_json

        write_json(as_json(bench, found), args.json)
    if args.json != "-":
        say(bench_text(bench, found))
    return exit_code(found, strict=args.strict)


def exit_code(found: BenchAnswer, *, strict: bool) -> int:
    """Return 1 for a regression, 3 where it could not be told, else 0."""
    if found.verdict == "regressed" or (strict and found.verdict == "suspect"):
        return GATE_FAILED
    return INCONCLUSIVE if found.verdict == "inconclusive" else 0


def _bench(args: argparse.Namespace) -> Bench:
    from perftui.scenarios.bench.bench import Bench

    return Bench(_plan(args))


def _plan(args: argparse.Namespace) -> BenchPlan:
    from perftui.scenarios.bench.bench import BenchPlan
    from perftui.scenarios.bench.gate import parse_thresholds

    gate = parse_thresholds(args.threshold)
    return BenchPlan(
        _subject(args),
        runs=args.runs,
        calls=args.calls,
        time_limit_s=args.time_limit,
        gate=gate,
    )


def _subject(args: argparse.Namespace) -> Subject:
    from perftui.scenarios.bench.subject import Subject
    from perftui.tui.commands.run import what_words_name

    named = what_words_name(args, _add_options)
    params = dict(text.partition("=")[::2] for text in named.params)
    return Subject(named.title, tuple(named.argv), kept=named.is_scenario, params=params)
