"""`perftui merge`: several recordings on one clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.tui.commands.recorded import NAMES, open_recorded, say_lost
from perftui.tui.errors import UserError
from perftui.tui.text.words import say, tell

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add `merge` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "merge",
        help="several recordings as one, on one clock",
        description="Write recordings of the same time, of several machines or programs, as one.",
    )
    parser.add_argument("recordings", nargs="+", metavar="RECORDING", help=NAMES)
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.perftui", help="the new recording"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Merge, and say how their clocks were laid on each other."""
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.merging.merge import merge_recordings
    from perftui.probes.recording.shelf.shelf import ENDING
    from perftui.tui.text.merging import clock_lines

    if len(args.recordings) < 2:
        raise UserError("merge takes two recordings or more")
    out = Path(args.output)
    if out.suffix != ENDING:
        raise UserError(f"{args.output!r}: a recording is a folder whose name ends in {ENDING}")
    readers = [open_recorded(name) for name in args.recordings]
    try:
        sources = merge_recordings(readers, out)
    except RecordingError as error:
        raise UserError(str(error)) from error
    for reader in readers:
        say_lost(reader)
    for line in clock_lines(sources):
        tell(line)
    say(str(out))
    return 0
