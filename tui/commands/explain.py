"""`perftui explain`: what happened in a recording, ranked, each with the SQL that proves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perftui.tui.commands.recorded import add_recording, open_recorded, say_lost
from perftui.tui.errors import UserError
from perftui.tui.text.words import say

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add `explain` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain",
        help="what happened in a recording, ranked, with proofs",
        description="Say what happened in a recording: at most five findings by impact, each with "
        "its evidence, the line of code, what to do next, and SQL for `perftui query` that shows "
        "its figure.",
    )
    add_recording(parser)
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings."""
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.verdict.finding import findings_json
    from perftui.probes.verdict.ranked import verdict
    from perftui.tui.text.verdict import explained

    reader = open_recorded(args.recording)
    try:
        found = verdict(reader)
    except RecordingError as error:
        raise UserError(str(error)) from error
    say_lost(reader)
    findings = findings_json(found)
    if args.json:
        answer = {"schema": 1, "in_short": found.plain, "findings": findings, "more": found.more}
        say(json.dumps(answer, indent=2, allow_nan=False))
    else:
        say(explained(findings, found.plain))
    return 0
