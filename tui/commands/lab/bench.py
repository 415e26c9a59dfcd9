"""`perftui bench`: fresh processes, one after the other, until the figures are sure."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.commands.lab.on import add_on, measured_on
from perftui.tui.errors import UserError
from perftui.tui.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from perftui.scenarios.bench.answer import BenchAnswer
    from perftui.scenarios.bench.baseline.stored import StoredEntry
    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.budget import Bound
    from perftui.scenarios.bench.subject import Subject
    from perftui.scenarios.elsewhere.place import Elsewhere
    from perftui.tui.terminal.ending import Ending

INTERRUPTED = 130
_EPILOG = """\
perftui bench -- python prog.py                 any program
perftui bench load.py:nightly -p days=3         a function of yours: import, first call, warm
perftui bench duckdb-query --save base.json     keep the figures...
perftui bench duckdb-query --against base.json  ...and hold later ones against them
perftui bench --against HEAD~3 prog.py          against a revision, in turns
perftui bench load.py:nightly --budget import=50ms,first=100ms,ratio=10

exit code: 0 fine (or only suspect), 1 a figure regressed or a budget is broken, 2 it cannot be run
or compared, 3 it could not be told, 130 stopped in the middle (what is known is printed)
"""


def add_parser(commands: Any) -> None:
    """Add `bench` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench",
        help="again and again in fresh processes: cold, warm, and better or worse",
        description="Run a scenario, a function or any program in fresh processes, one after the "
        "other, until its figures are sure; against a baseline or a revision, with a verdict.",
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
    group = parser.add_argument_group("measuring")
    add_on(group)
    group.add_argument(
        "--runs",
        type=options.count_of_runs,
        metavar="N",
        help="so many a side (5, growing to 20 while it is not clear)",
    )
    options.add_calls(group)
    group.add_argument(
        "--time-limit", type=options.seconds, metavar="S", help="begin no run that would end later"
    )
    group.add_argument(
        "--cold-cache",
        action="store_true",
        help="before each run drop the files that it touches from the page cache",
    )
    options.add_keep(group)
    group = parser.add_argument_group("judging")
    group.add_argument(
        "--against", metavar="BASE", help="a baseline FILE (or FILE#NAME), or a git revision"
    )
    group.add_argument(
        "--no-history", action="store_true", help="do not keep the result for `perftui history`"
    )
    group.add_argument("--save", metavar="FILE", help="keep the figures as a baseline")
    group.add_argument(
        "--flat", action="store_true", help="save one number for each figure, as other tools do"
    )
    group.add_argument(
        "--accept",
        action="store_true",
        help="make this the baseline in the file of --against, which keeps the old ones",
    )
    group.add_argument(
        "--confirm",
        action="store_true",
        help="what is suspect or unclear against a file is run again in turns with its commit",
    )
    group.add_argument(
        "--force", action="store_true", help="compare with another machine or other versions"
    )
    group.add_argument(
        "--calibrate",
        action="store_true",
        help="run it against itself: what this machine differs by from itself",
    )
    options.add_threshold(group)
    group.add_argument(
        "--budget", metavar="NAME=BOUND,...", help="bounds, as import=50ms,first=100ms,ratio=10"
    )
    group.add_argument("--strict", action="store_true", help="suspect is a failure too (exit 1)")
    group = parser.add_argument_group("output")
    options.add_headless(group)
    group.add_argument("--json", metavar="FILE", help="as JSON (schema 1); '-' is standard output")
    group.add_argument("--junit", metavar="FILE", help="as JUnit XML")
    group.add_argument("--markdown", metavar="FILE", help="as a comment for a pull request")
    group.add_argument(
        "--annotations", action="store_true", help="annotations for GitHub Actions on stdout"
    )


def split_words(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split what follows `bench` into our options and the words that name what to run."""
    from perftui.tui.commands.run import split_at_program

    ours = Parser(prog="perftui bench")
    _add_options(ours)
    return split_at_program(ours, arguments)


def run(args: argparse.Namespace) -> int:
    """Measure, print what was found, and return what it means."""
    from perftui.probes.target.target import LaunchError
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.tui.terminal.ending import Ending

    subject = _subject(args)  # its own options may stand behind its name
    _check(args)
    with Ending() as ending:
        try:
            with measured_on(args) as place:
                return _measure(args, subject, ending, place)
        except (ScenarioError, LaunchError) as error:
            raise UserError(str(error)) from error


def _subject(args: argparse.Namespace) -> Subject:
    from perftui.scenarios.bench.subject import Subject
    from perftui.tui.commands.run import what_words_name

    named = what_words_name(args, _add_options)
    params = dict(text.partition("=")[::2] for text in named.params)
    return Subject(named.title, tuple(named.argv), kept=named.is_scenario, params=params)


def _check(args: argparse.Namespace) -> None:
    """Refuse what contradicts itself or cannot be written, before anything is run.

    Raises:
        UserError: it does.
    """
    for path in (args.json, args.junit, args.markdown, args.save):
        options.check_json_path(path)
    if args.calibrate and (args.against is not None or args.save is not None):
        raise UserError("--calibrate runs it against itself: leave out --against and --save")
    if args.accept and args.against is None:
        raise UserError("--accept makes this the baseline in the file of --against FILE: give that")
    if args.accept and args.save is not None:
        raise UserError("--accept and --save contradict each other: give one of them")
    if args.confirm and (args.accept or args.against is None or args.save is not None):
        raise UserError("--confirm is about --against FILE, without --accept and --save")
    if args.flat and args.save is None:
        raise UserError("--flat says how --save FILE is written: give that too")


def _measure(
    args: argparse.Namespace, subject: Subject, ending: Ending, place: Elsewhere | None
) -> int:
    from perftui.scenarios.bench.against import (
        UNSURE,
        OtherSide,
        check_before,
        check_warm,
        commit_of,
        compared_with,
        drift_words,
        how_to_know,
        sides_differ,
        since_the_oldest,
    )
    from perftui.scenarios.bench.baseline import noise
    from perftui.scenarios.bench.bench import Bench, BenchPlan
    from perftui.scenarios.bench.budget import checked, consists_of
    from perftui.scenarios.bench.gate import parse_thresholds
    from perftui.scenarios.bench.keep import keep
    from perftui.scenarios.bench.lab_run import RECORDED, LabOptions
    from perftui.tui.bench.report import BenchReport
    from perftui.tui.text.words import tell

    gate, bounds, kept = parse_thresholds(args.threshold), _bounds(args), _kept(args)
    other = OtherSide()
    if args.calibrate:
        other = OtherSide(subject=subject, told="itself, in turns")
    elif args.against is not None:
        go_on = ending.leave_now_if_asked
        other = compared_with(args.against, subject, lambda text: tell(f"perftui: {text}"), go_on)
    if args.accept and other.baseline is None:
        raise UserError(f"--accept needs a baseline file, and {args.against} is a revision")
    if other.baseline is not None:
        check_before(other.baseline, subject, force=args.force)
    plan = BenchPlan(
        subject,
        other.subject,
        runs=noise.RUNS if args.calibrate and args.runs is None else args.runs,
        calls=args.calls,
        time_limit_s=args.time_limit,
        options=(RECORDED if kept else LabOptions())._replace(elsewhere=place),
        gate=gate,
        cold=args.cold_cache,
    )
    bench = Bench(
        plan,
        None if other.baseline is None else other.baseline.stored,
        {} if args.calibrate else noise.floors_here(subject.key),
        other.told,
    )

    def warmed_up() -> None:
        gate.check(list(next(run for run in bench.new.warm_ups).figures))
        if other.baseline is not None:
            check_warm(bench, other.baseline, force=args.force)

    stopped: int | None = None
    try:
        found = _run(args, bench, bounds, warmed_up, ending)
    except SystemExit as stop:
        if not bench.new.done or args.calibrate:
            keep(bench.named_sides, frozenset())
            tell("perftui: stopped before there was anything to tell")
            raise
        stopped, bench.ended = INTERRUPTED if stop.code is None else int(stop.code), "asked to"
        found = bench.answer()
    except BaseException:
        keep(bench.named_sides, frozenset())
        raise
    if other.baseline is not None and found.verdict in UNSURE:
        commit = commit_of(other.baseline)
        if args.confirm and stopped is None:
            keep(bench.named_sides, frozenset())
            return _in_turns(args, subject, ending, other.baseline, found, commit, place)
        found = found._replace(reasons=(*found.reasons, how_to_know(found, commit)))
    if other.subject is not None and not args.calibrate:
        sides_differ(bench)
    oldest = None if other.baseline is None else since_the_oldest(bench, other.baseline)
    since = other.baseline.oldest.created if other.baseline and other.baseline.oldest else None
    report = BenchReport(
        bench,
        found,
        tuple(checked(bounds, found)),
        tuple(consists_of(bench.new)) if bounds or subject.kept else (),
        () if oldest is None else tuple(drift_words(oldest, since)),
        tuple(keep(bench.named_sides, kept)),
        args.calibrate,
        args.strict,
    )
    if args.calibrate:
        noise.keep_floors(subject.key, found)
    _write(args, report)
    if stopped is not None:  # half a series is no baseline, and no result for the history
        return stopped
    if args.save is not None or args.accept:
        _save(args, report, None if other.baseline is None else dict(other.baseline.raw))
    if not (args.calibrate or args.cold_cache or args.no_history):
        _remember(report)
    return report.exit_code


def _in_turns(
    args: argparse.Namespace,
    subject: Subject,
    ending: Ending,
    baseline: StoredEntry,
    found: BenchAnswer,
    commit: str | None,
    place: Elsewhere | None,
) -> int:
    """Hold it once more, in turns, against the commit of a baseline that could not tell."""
    from perftui.tui.text.words import tell

    told = "; ".join(found.reasons)
    if commit is None:
        raise UserError(
            f"{found.verdict} against {baseline.path}, and --confirm needs a baseline that was "
            f"made of a clean commit of this repository: {told}"
        )
    tell(f"perftui: {found.verdict} against {baseline.path} ({told})")
    tell(f"perftui: again, in turns with its commit {commit[:10]}")
    again = argparse.Namespace(**{**vars(args), "against": commit[:12], "confirm": False})
    return _measure(again, subject, ending, place)


def _run(
    args: argparse.Namespace,
    bench: Bench,
    bounds: Sequence[Bound],
    warmed_up: Callable[[], None],
    ending: Ending,
) -> BenchAnswer:
    """Make the runs, on the screen where there is one."""
    from perftui.scenarios.bench.bench import run_bench

    asked_for = (args.json, args.junit, args.markdown)
    if any(asked_for) or args.annotations or not options.wants_screen(args):
        from perftui.tui.bench.progress import BenchProgress

        progress = BenchProgress(bench)
        go_on = ending.leave_now_if_asked
        try:
            return run_bench(bench, progress.ran, progress.begins, go_on, warmed_up)
        finally:
            progress.clear()
    from perftui.tui.bench.live import BenchLive
    from perftui.tui.watch.lab.on_screen import run_on_screen

    live = BenchLive(bench, bounds)

    def work(go_on: Callable[[], None]) -> BenchAnswer:
        found = run_bench(bench, live.ran, live.begins, go_on, warmed_up)
        live.finished()
        return found

    return run_on_screen(work, live, ending)


def _remember(report: Any) -> None:
    """Keep the result for `perftui history`; a bench is none the worse where that cannot be."""
    from perftui.scenarios.bench.baseline.entry import entry_of
    from perftui.scenarios.history.kept import remember
    from perftui.tui.text.words import tell

    bench = report.bench
    if not bench.new.done:
        return
    try:
        remember(entry_of(bench, report.found, bench.floors))
    except OSError as error:
        tell(f"perftui: the result cannot be kept for `perftui history`: {error.strerror or error}")


def _write(args: argparse.Namespace, report: Any) -> None:
    """Write what was asked for; the table unless JSON has standard output."""
    from perftui.probes.own.whole_file import write_text
    from perftui.tui.bench.table import bench_text
    from perftui.tui.text.words import say

    if args.json is not None:
        from perftui.tui.bench.as_json import as_json
        from perftui.tui.watch.json_file import write_json

        write_json(as_json(report), args.json)
    if args.junit is not None:
        from perftui.tui.bench.junit import as_junit

        write_text(args.junit, as_junit(report))
    if args.markdown is not None:
        from perftui.tui.bench.markdown import as_markdown

        write_text(args.markdown, as_markdown(report))
    if args.json != "-":
        say(bench_text(report))
        if args.annotations:
            from perftui.tui.bench.annotations import as_annotations

            for line in as_annotations(report):
                say(line)


def _save(args: argparse.Namespace, report: Any, replaced: dict[str, Any] | None) -> None:
    """Write the baseline: a new one, or in the place of the one it was held against."""
    from pathlib import Path

    from perftui.probes.own.whole_file import write_text
    from perftui.scenarios.bench.baseline.entry import entry_of, flat_entry
    from perftui.tui.text.words import tell

    bench, found = report.bench, report.found
    path = args.save or args.against.partition("#")[0]
    if args.save is not None and Path(path).exists():
        raise UserError(
            f"{path} is there already: a baseline is only replaced by --against {path} --accept, "
            "which keeps the old one as its history"
        )
    if args.flat:
        entry = flat_entry(bench, found)
    else:
        whole = replaced if replaced is not None and "metrics" in replaced else None
        entry = entry_of(bench, found, bench.floors, whole if args.accept else None)
    write_text(path, json.dumps(entry, indent=2, allow_nan=False) + "\n")
    tell(f"perftui: {'accepted as the baseline' if args.accept else 'saved'}: {path}")


def _bounds(args: argparse.Namespace) -> Any:
    from pathlib import Path

    from perftui.scenarios.bench.budget import bounds_of_project, parse_bounds

    return bounds_of_project(Path.cwd()) if args.budget is None else parse_bounds(args.budget)


def _kept(args: argparse.Namespace) -> frozenset[str]:
    from perftui.scenarios.bench.keep import parse_keep

    return frozenset() if args.keep is None else parse_keep(args.keep)
