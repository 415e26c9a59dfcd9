"""`perftui compare`: what changed between two recordings, or two sets of them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.tui.commands.recorded import NAMES, open_recorded, say_lost
from perftui.tui.errors import UserError
from perftui.tui.text.words import has_screen, say, tell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from perftui.probes.compare.comparison import ComparedRun, Comparison
    from perftui.probes.compare.rules import Judged
    from perftui.probes.recording.read.face import RecordedReader

FORMATS = ("text", "json", "markdown", "diff-svg")
_ENDINGS = {".json": "json", ".md": "markdown", ".svg": "diff-svg", ".txt": "text"}
_EPILOG = """\
perftui compare before after                        on the screen; as text where there is none
perftui compare a1,a2,a3 b1,b2,b3                   several runs a side: with a verdict
perftui compare before after --phase load           only that phase
perftui compare before after --format markdown      for a pull request
perftui compare before after --format diff-svg -o diff.svg
perftui compare before after --fail-on 'peak_rss>+10%,duration>+10%,rate:rows<-5%'

exit code: 0 fine, 1 a rule is broken, 2 cannot be read, 3 a rule could not be decided
"""


def add_parser(commands: Any) -> None:
    """Add `compare` to the command line."""
    from argparse import RawDescriptionHelpFormatter

    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="what changed between two recordings",
        description="Compare two recordings, or two sets of them separated by commas.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("base", metavar="BASE", help=f"what was: {NAMES}; several with commas")
    parser.add_argument("new", metavar="NEW", help="what is: as BASE")
    parser.add_argument("--phase", metavar="NAME", help="only this phase; NAME#2 is the second")
    parser.add_argument("--json", action="store_true", help="as JSON (schema 1), as --format json")
    parser.add_argument("--format", choices=FORMATS, help="default: by the name of -o, else text")
    parser.add_argument("-o", "--output", metavar="FILE", help="write here instead of stdout")
    parser.add_argument(
        "--fail-on",
        metavar="RULE,...",
        action="append",
        default=[],
        help="exit 1 if a rule is broken, e.g. 'peak_rss>+10%%,rate:rows<-5%%'",
    )
    parser.add_argument(
        "--strict", action="store_true", help="what is not sure fails too (exit 1 or 3)"
    )
    parser.add_argument("--headless", action="store_true", help="no screen: text on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, and print it or show it."""
    from perftui.probes.compare.rules import RuleError, parse_rules

    try:
        rules = parse_rules(args.fail_on)
    except RuleError as error:
        raise UserError(str(error)) from error
    kind = _kind(args)
    sides = _opened(args.base), _opened(args.new)
    base, new = ([_run_of(recording) for recording in side] for side in sides)
    _check_twice(base, new)
    phase = _phase(args.phase, [*base, *new])
    if kind is None and not rules and has_screen():
        from perftui.tui.app import run_compare

        return run_compare(base, new, phase)
    from perftui.probes.compare.comparison import compare
    from perftui.probes.compare.rules import check_rules, exit_code, judge
    from perftui.probes.recording.format.limits import RecordingError

    try:
        comparison = compare(base, new, phase)
        check_rules(rules, comparison)
    except (RecordingError, RuleError) as error:
        raise UserError(str(error)) from error
    judged = judge(rules, comparison, strict=args.strict)
    for recording in (*sides[0], *sides[1]):
        say_lost(recording)
    _write(_output(kind or "text", comparison, judged, args.output), args.output)
    for each in judged:
        if each.outcome != "fine" and kind != "text" and args.output is not None:
            tell(f"perftui: {each.outcome}: {each.text}")
    return exit_code(judged, strict=args.strict)


def _kind(args: argparse.Namespace) -> str | None:
    """Return the format that was asked for, None if nobody said."""
    if args.json and args.format not in (None, "json"):
        raise UserError(f"--json and --format {args.format} contradict each other")
    if args.json:
        return "json"
    if args.format is not None:
        return str(args.format)
    if args.output is not None:
        return _ENDINGS.get(Path(args.output).suffix, "text")
    return "text" if args.headless else None


def _opened(argument: str) -> list[RecordedReader]:
    """Open one recording, or several separated by commas.

    Raises:
        UserError: one of them cannot be read.
    """
    words = [argument]
    if "," in argument and not Path(argument).exists():
        words = [word for word in argument.split(",") if word]
    if not words:
        raise UserError(f"{argument!r} names no recording")
    return [open_recorded(word) for word in words]


def _run_of(recording: RecordedReader) -> ComparedRun:
    """Return a recording as a run to be compared.

    Raises:
        UserError: it cannot be read.
    """
    from perftui.probes.compare.comparison import ComparedRun
    from perftui.probes.compare.place import place_of
    from perftui.probes.recording.format.limits import RecordingError

    try:
        place = place_of(recording)
    except RecordingError as error:
        raise UserError(str(error)) from error
    name = recording.path.name.removesuffix(".zip").removesuffix(".perftui")
    return ComparedRun(recording, name, place)


def _check_twice(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> None:
    """Refuse a recording that is there twice: it would be compared with itself.

    Raises:
        UserError: one is.
    """
    seen: dict[str, str] = {}
    for run in (*base, *new):
        identity = run.place.identity or str(run.place.path)
        if identity in seen:
            other = f" (as {seen[identity]})" if seen[identity] != run.name else ""
            raise UserError(
                f"{run.name} is there twice{other}: give two recordings to compare;"
                " `perftui list recordings` shows them"
            )
        seen[identity] = run.name


def _phase(text: str | None, runs: Sequence[ComparedRun]) -> Any:
    """Return the key of the phase that was asked for.

    Raises:
        UserError: some run has no such phase.
    """
    if text is None:
        return None
    from perftui.probes.compare.comparison import phases_in_all

    known = phases_in_all(runs)
    for key in known:
        if str(key) == text or (key.number == 1 and f"{key.name}#1" == text):
            return key
    names = ", ".join(map(str, known[:20])) or "none"
    raise UserError(f"not every run has a phase {text!r}; all have: {names}")


def _output(kind: str, comparison: Comparison, judged: Sequence[Judged], output: str | None) -> str:
    if kind == "json":
        from perftui.probes.compare.as_json import as_json

        return json.dumps(as_json(comparison, judged), indent=2, allow_nan=False)
    if kind == "markdown":
        from perftui.probes.compare.markdown import as_markdown

        return as_markdown(comparison, judged)
    if kind == "diff-svg":
        from perftui.probes.compare.flame_picture import NoStacks, as_svg

        try:
            return as_svg(comparison)
        except NoStacks as error:
            raise UserError(str(error)) from error
    from perftui.tui.text.compare import compare_text

    width = None
    if output is None and sys.stdout.isatty():
        width = max(shutil.get_terminal_size((100, 24)).columns, 60)
    return compare_text(comparison, judged, width)


def _write(text: str, output: str | None) -> None:
    if output is None or output == "-":
        say(text)
        return
    from perftui.probes.own.whole_file import write_text

    try:
        write_text(output, text + "\n")
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror}") from error
