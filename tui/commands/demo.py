"""`perftui demo`: the shortest way to see what perftui shows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perftui.tui.cli import UserError
from perftui.tui.commands import options
from perftui.tui.commands.run import run_command

if TYPE_CHECKING:
    import argparse
    from typing import Any

DEMOS = {"streaming-vs-collect": ("stream-vs-collect", "mode=both", "passes=2")}


def add_parser(commands: Any) -> None:
    """Add `demo` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo",
        help="collect against streaming: the same query, one word apart",
        description="Run the same DuckDB query collected and streamed, and watch the memory.",
    )
    parser.add_argument("name", nargs="?", default="streaming-vs-collect", metavar="NAME")
    parser.add_argument("--size", default=None, metavar="SIZE", help="size of the data (300MB)")
    parser.add_argument("--engine", default=None, help="duckdb or pyarrow")
    options.add_probe_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo's scenario."""
    from perftui.scenarios.runner import ScenarioError, resolve

    if args.name not in DEMOS:
        raise UserError(f"there is no demo {args.name!r}; there is {', '.join(DEMOS)}")
    name, *params = DEMOS[args.name]
    if args.size is not None:
        params.append(f"size={args.size}")
    if args.engine is not None:
        params.append(f"engine={args.engine}")
    try:
        scenario = resolve(name)
        scenario.check_requirements()
        values = scenario.bind(params)
    except ScenarioError as error:
        raise UserError(str(error)) from error
    return run_command(args, scenario.command(sys.executable, values), scenario.title(values))
