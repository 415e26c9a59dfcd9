"""`perftui history`: what benches have measured over time, and where a figure changed for good."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.errors import UserError
from perftui.tui.text.words import columns, say

if TYPE_CHECKING:
    from typing import Any

    from perftui.scenarios.history.history import BenchHistory, FigureHistory

_MOST_CHARTS = 3
_DESCRIPTION = """\
Show the results that `perftui bench` has kept of a scenario, function or program on this machine:
a chart of each figure, the commit of each result, and the points at which a figure changed for
good (more than noise, over all runs before and after)."""
_EPILOG = """\
examples:
  perftui history                          what there is
  perftui history load.py:nightly
  perftui history load.py:nightly --figure peak_rss_bytes
  perftui history duckdb-query --json -
"""


def add_parser(commands: Any) -> None:
    """Add `history` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "history",
        help="results of benches over time, with change points",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", metavar="SCENARIO", nargs="?", help="or a function or a program, as it was benched"
    )
    parser.add_argument(
        "--figure",
        action="append",
        default=[],
        metavar="NAME",
        help="draw this one; may be repeated; default: those that changed, then those judged",
    )
    parser.add_argument("--json", metavar="FILE", help="as JSON (schema 1); '-' is standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the history, or which there are."""
    options.check_json_path(args.json)
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.scenarios.history.history import history_json
    from perftui.tui.history.text import history_text

    try:
        if args.what is None:
            return _list(args)
        history = _history(args.what)
    except ScenarioError as error:
        raise UserError(str(error)) from error
    figures = _figures(history, args.figure)
    if args.json is not None:
        from perftui.tui.watch.json_file import write_json

        write_json(history_json(history), args.json)
    if args.json != "-":
        encoding = (sys.stdout.encoding or "").lower().replace("-", "")
        say(history_text(history, figures, width=columns(), ascii_only=encoding != "utf8"))
    return 0


def _list(args: argparse.Namespace) -> int:
    from perftui.scenarios.history.kept import known_keys

    keys = known_keys()
    if args.json is not None:
        from perftui.tui.watch.json_file import write_json

        write_json({"schema": 1, "keys": keys}, args.json)
    if args.json != "-":
        say("\n".join(keys) if keys else "no bench has been kept yet: run `perftui bench`")
    return 0


def _history(what: str) -> BenchHistory:
    from perftui.scenarios.define.parameters import nearest
    from perftui.scenarios.history.history import history_of
    from perftui.scenarios.history.kept import known_keys, remembered
    from perftui.scenarios.history.points import points_of

    keys = known_keys()
    found = [key for key in keys if key == what] or [
        key for key in keys if key.startswith(f"{what} ")
    ]
    if not found:
        there = f"; there are: {', '.join(keys)}" if keys else ": run `perftui bench` first"
        raise UserError(f"no result of {what!r} is kept{nearest(what, keys)}{there}")
    if len(found) > 1:
        raise UserError(f"several results begin like that: {'; '.join(map(repr, found))}")
    kept = remembered(found[0])
    return history_of(found[0], points_of(kept.entries), kept.unreadable)


def _figures(history: BenchHistory, asked: list[str]) -> list[FigureHistory]:
    """Return those that are drawn."""
    by_key = {figure.key: figure for figure in history.figures}
    for name in asked:
        if name not in by_key:
            raise UserError(
                f"--figure {name}: there is no such figure; there are {', '.join(by_key)}"
            )
    if asked:
        return [by_key[name] for name in dict.fromkeys(asked)]
    changed = [figure for figure in history.figures if figure.changes]
    judged = [figure for figure in history.figures if figure.judged and not figure.changes]
    return [*changed, *judged][:_MOST_CHARTS]
