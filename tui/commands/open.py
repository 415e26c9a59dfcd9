"""`perftui open`: the live screen on a recording, with time in your hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.tui.commands.recorded import add_recording, said
from perftui.tui.errors import UserError
from perftui.tui.text.words import has_screen

if TYPE_CHECKING:
    import argparse

    from perftui.tui.session.recorded import Mode


def add_parser(commands: Any) -> None:
    """Add `open` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "open",
        help="replay a recording on the screen",
        description="Show a recording on the live screen: play it, scrub, select ranges.",
    )
    add_recording(parser)
    parser.add_argument(
        "--follow",
        action="store_true",
        help="stay live while another perftui is still recording it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the recording."""
    return open_on_screen(args.recording, "follow" if args.follow else "replay")


def open_on_screen(argument: str, mode: Mode = "replay") -> int:
    """Show a recording until the person leaves.

    Raises:
        UserError: there is no terminal, no such recording, or it cannot be read.
    """
    if not has_screen():
        raise UserError("open needs a terminal; `perftui summary RECORDING` prints instead")
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.read.container import open_container
    from perftui.probes.recording.shelf.shelf import resolve
    from perftui.tui.session.recorded import open_session

    try:
        session = open_session(open_container(resolve(argument, say=said)), mode)
    except RecordingError as error:
        raise UserError(str(error)) from error
    from perftui.tui.app import run_live

    try:
        return run_live(session)
    finally:
        session.close()
