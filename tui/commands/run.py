"""`perftui run`: start a scenario or any program, and watch it."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.tui.commands import options
from perftui.tui.commands.elsewhere import there
from perftui.tui.errors import UserError
from perftui.tui.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from perftui.tui.watch.options import WatchOptions

LONGEST_WINDOW_S = 600.0
_IN_FILE = re.compile(r".+\.py:\w+")
_EPILOG = """\
perftui run duckdb-query -p rows=1000000      a scenario of the catalogue (perftui list)
perftui run load.py:nightly -p days=3         a function of yours, with typed parameters
perftui run duckdb-query --repeat 5           in one process: the first run is cold
perftui run script.py --its-own-option        any program
perftui run -m package.module
perftui run -- python3.12 -X dev script.py
"""


def add_parser(commands: Any) -> None:
    """Add `run` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "run",
        help="start a scenario or any program, and watch it",
        description="Start a scenario or any program, and watch it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="perftui run [OPTIONS] SCENARIO [-p NAME=VALUE]... | [--] PROGRAM [ARG]...",
    )
    _add_options(parser)
    parser.set_defaults(run=run, words=[])


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-p",
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the scenario",
    )
    parser.add_argument(
        "--repeat",
        type=options.count_of_runs,
        metavar="N",
        help="run the scenario so often in one process: cold, then warm",
    )
    parser.add_argument("--python", metavar="EXE", help="the interpreter to run it with")
    parser.add_argument(
        "--on",
        metavar="ADDRESS",
        help="start it elsewhere: ssh://HOST, docker://CONTAINER, k8s://NAMESPACE/POD[/CONTAINER]",
    )
    there.add_options(parser)
    parser.add_argument(
        "--memray",
        action="store_true",
        help="record allocations by memray, which the program's Python must have; it slows it down",
    )
    parser.add_argument(
        "--tracemalloc",
        type=_window,
        metavar="S[@AT]",
        help="trace allocations for S seconds (from second AT on), which slows it down meanwhile",
    )
    options.add_probe_options(parser)


def split_words(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split what follows `run` into our options and the words that name what to run.

    argparse cannot: to it, the options of the program would be ours.
    """
    ours = Parser(prog="perftui run")
    _add_options(ours)
    return split_at_program(ours, arguments)


def split_at_program(ours: Parser, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split words where the first stands that is none of our options nor the value of one."""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if not word.startswith("-") or word in ("--", "-m", "-c"):
            break
        at += 2 if ours.takes_value(word) else 1
    return list(arguments[:at]), list(arguments[at:])


def run(args: argparse.Namespace) -> int:
    """Start what the words name."""
    if args.on is not None:
        return there.run_there(args)
    if args.far is not None or args.far_python is not None:
        raise UserError("--far and --far-python go with --on ADDRESS")
    named = what_words_name(args, _add_options)
    if args.repeat is not None and not named.is_scenario:
        raise UserError(
            "--repeat is for scenarios: a program ends with its process; put what is to be "
            "repeated into a function and run FILE.py:FUNCTION"
        )
    return run_command(args, named.argv, named.title, scenario=named.is_scenario)


def run_command(
    args: argparse.Namespace, argv: list[str], title: str, *, scenario: bool = False
) -> int:
    """Start `argv`, watch it on the screen or headless, and return the exit code.

    Args:
        args: The options.
        argv: What to start.
        title: What it is called.
        scenario: It is a child that takes orders: run again, begin anew.
    """
    options.check_json_path(args.json)
    asked = options.watch_options(args)
    if getattr(args, "tracemalloc", None) is not None:
        asked = _with_tracemalloc(asked, args)
    if getattr(args, "memray", False):
        asked = _with_memray(asked, argv)
    from perftui.probes.target.target import LaunchError

    try:
        if options.wants_screen(args):
            from perftui.tui.watch.on_screen import launch_on_screen

            return launch_on_screen(
                argv, title, asked, runs=(args.repeat or 1) if scenario else None
            )
        from perftui.tui.watch.headless import launch_headless

        return launch_headless(argv, title, asked, runs=args.repeat if scenario else None)
    except LaunchError as error:
        raise UserError(str(error)) from error


def _window(text: str) -> tuple[float, float]:
    """Read S or S@AT."""
    length, _, at = text.partition("@")
    try:
        seconds, at_s = float(length), float(at or 0)
    except ValueError:
        seconds, at_s = 0.0, 0.0
    if not (0 < seconds <= LONGEST_WINDOW_S and 0 <= at_s < 1e9):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not S or S@AT: up to {LONGEST_WINDOW_S:g} seconds, like 10 or 10@30"
        )
    return seconds, at_s


def _with_tracemalloc(asked: WatchOptions, args: argparse.Namespace) -> WatchOptions:
    """Return the options with a window of tracemalloc.

    Raises:
        UserError: nobody would hear the order.
    """

    for other in ("memray", "hands_off"):
        if getattr(args, other, False):
            word = other.replace("_", "-")
            raise UserError(f"--tracemalloc and --{word} contradict each other: give one of them")
    seconds, at_s = args.tracemalloc
    probes = asked.probes._replace(tracemalloc_s=seconds, tracemalloc_at_s=at_s)
    return asked._replace(probes=probes)


def _with_memray(asked: WatchOptions, argv: list[str]) -> WatchOptions:
    """Return the options with the Python whose memray records.

    Raises:
        UserError: there is none, or nothing to record into.
    """
    import os

    from perftui.probes.allocations.memray_there import NoMemray, memray_of

    if not asked.record.wanted:
        raise UserError("--memray writes into the recording: leave out --no-record")
    try:
        python = memray_of(argv, os.environ)
    except NoMemray as error:
        raise UserError(str(error)) from error
    probes = asked.probes._replace(memray=python)
    return asked._replace(probes=probes)


class Named(NamedTuple):
    """What the words of a command line name."""

    argv: list[str]
    title: str
    is_scenario: bool
    """Or a function in a file."""
    params: tuple[str, ...] = ()
    """NAME=VALUE of a scenario, the defaults too."""


def what_words_name(
    args: argparse.Namespace, add_options: Callable[[argparse.ArgumentParser], None]
) -> Named:
    """Return what is to be run: a scenario, a function in a file, or any program.

    Args:
        args: `words`, `param` and `python` of them.
        add_options: Adds the options of the command, which may stand behind a scenario's name.

    Raises:
        UserError: the words name nothing that can be started.
    """
    from perftui.probes.target.program import NoSuchProgram, ProgramError, command_of
    from perftui.probes.text.redact import title_of

    words: list[str] = args.words
    try:
        if words[:1] == ["--"]:
            if not words[1:]:
                raise UserError(f"nothing to run after --; see perftui {args.command} --help")
            words = words[1:]
            return Named(command_of(words, args.python), title_of(words), False)
        if not words:
            raise UserError("nothing to run: name a scenario (perftui list) or a program")
        if _IN_FILE.fullmatch(words[0]) or _is_scenario(words[0]):
            return _scenario(args, words[0], words[1:], add_options)
        if args.param:
            raise UserError(f"-p is for scenarios; {_unknown(words[0])}")
        return Named(command_of(words, args.python), title_of(words), False)
    except NoSuchProgram as error:
        raise UserError(_unknown(words[0])) from error
    except ProgramError as error:
        raise UserError(str(error)) from error


def _is_scenario(word: str) -> bool:
    from perftui.scenarios.run.runner import is_scenario

    return is_scenario(word)


def _unknown(word: str) -> str:
    from perftui.probes.text.redact import redact_text
    from perftui.scenarios.catalogue.table import CATALOGUE
    from perftui.scenarios.define.parameters import nearest

    word = redact_text(word)
    return (
        f"there is no program, script or scenario {word!r}{nearest(word, list(CATALOGUE))}; "
        "`perftui list` shows the scenarios"
    )


def _scenario(
    args: argparse.Namespace,
    name: str,
    rest: list[str],
    add_options: Callable[[argparse.ArgumentParser], None],
) -> Named:
    """Return a scenario; our own options may stand behind its name too."""
    import sys

    from perftui.scenarios.run.runner import ScenarioError, resolve

    parser = Parser(
        prog=f"perftui {args.command} {name}", add_help=False, argument_default=argparse.SUPPRESS
    )
    add_options(parser)
    before = list(args.param)
    parser.parse_args(rest, namespace=args)
    params = before if args.param is before else [*before, *args.param[len(before) :]]
    try:
        scenario = resolve(name)
        python = args.python or sys.executable
        scenario.check_requirements(python)
        values = scenario.bind(params)
        return Named(
            scenario.command(python, values),
            scenario.title(values),
            True,
            tuple(scenario.assignments(values)),
        )
    except ScenarioError as error:
        raise UserError(str(error)) from error
