"""`perftui summary`: the summary that the live run gave, from its recording."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perftui.tui.commands.recorded import add_recording, open_recorded, say_lost
from perftui.tui.errors import UserError
from perftui.tui.text.words import say

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add `summary` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "summary",
        help="the summary of a recording",
        description="Print the summary of a recording: what the live run printed at its end.",
    )
    add_recording(parser)
    parser.add_argument("--json", action="store_true", help="as JSON (schema 1) on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.summary import summarize
    from perftui.tui.text.summary import summary_text

    reader = open_recorded(args.recording)
    try:
        summary = summarize(reader)
        status = reader.status()
    except RecordingError as error:
        raise UserError(str(error)) from error
    say_lost(reader)
    if args.json:
        say(json.dumps(summary, indent=2, allow_nan=False))
    else:
        say(summary_text(summary, status.notices))
    return 0
