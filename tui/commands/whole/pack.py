"""`perftui pack`: one file to share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.tui.commands.recorded import add_recording, open_recorded, say_lost
from perftui.tui.errors import UserError
from perftui.tui.text.words import say, tell

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add `pack` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "pack",
        help="a recording as one file to share",
        description="Write a recording as one zip, and say what can be seen in it.",
    )
    add_recording(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT.zip",
        help="beside the recording if not set, here if that lies elsewhere",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask, even on a terminal")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Say what will be shared, ask on a terminal, and pack."""
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.shelf.pack import contents_line, pack, packed_line

    reader = open_recorded(args.recording)
    out = None if args.output is None else Path(args.output)
    if out is None and "://" in args.recording:  # not into the folder of our own copies
        out = Path(reader.path.name.removesuffix(".perftui") + ".perftui.zip")
    tell(f"in the file: {contents_line(reader)}")
    if not args.yes and sys.stdin.isatty() and sys.stderr.isatty():
        tell("pack it? [Y/n] ", end="")
        if sys.stdin.readline().strip().lower() not in ("", "y", "yes"):
            tell("nothing was written")
            return 0
    try:
        packed = pack(reader, out)
    except RecordingError as error:
        raise UserError(str(error)) from error
    say_lost(reader)
    say(packed_line(packed))
    return 0
