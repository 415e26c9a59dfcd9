"""`perftui mcp`: recordings for coding agents, over stdin and stdout, read only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.tui.errors import UserError

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add `mcp` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "mcp",
        help="recordings for coding agents (MCP), read only",
        description="Serve recordings to a coding agent over stdin and stdout, by the Model "
        "Context Protocol: list, explain, summary, query, stacks at a moment, compare. Nothing can "
        "be written through it. The agent starts this command itself.",
    )
    parser.add_argument(
        "--folder",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="recordings in this folder may be read too; may be repeated",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stdin ends."""
    from perftui.probes.own.unneeded import show_all
    from perftui.probes.recording.shelf.shelf import folder as shelf
    from perftui.tui.mcp.reach import Reach
    from perftui.tui.mcp.server import build

    for folder in args.folder:
        if not folder.is_dir():
            raise UserError(f"there is no folder {str(folder)!r}")
    show_all()
    try:
        server = build(Reach(shelf(), args.folder))
    except ImportError as error:
        raise UserError(
            f"the SDK of the Model Context Protocol is not installed ({error.name}): "
            "pip install 'perftui[mcp]'"
        ) from error
    server.run("stdio")
    return 0
