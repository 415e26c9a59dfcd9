"""What commands on a recording have in common: finding it, opening it, saying what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.errors import UserError
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    import argparse

    from perftui.probes.recording.read.face import RecordedReader

NAMES = (
    "a directory NAME.perftui, a packed NAME.perftui.zip, a name on the shelf, last, or an address "
    "like s3://BUCKET/NAME.perftui"
)


def add_recording(parser: argparse.ArgumentParser) -> None:
    """Add the argument RECORDING."""
    parser.add_argument("recording", metavar="RECORDING", help=NAMES)


def open_recorded(argument: str) -> RecordedReader:
    """Open what the argument names.

    Raises:
        UserError: there is no such recording, or it cannot be read.
    """
    from perftui.probes.allocations.recovered import take_in
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.read.reader import open_recording
    from perftui.probes.recording.shelf.shelf import resolve

    try:
        reader = open_recording(resolve(argument, say=said))
        take_in(reader, said)
    except RecordingError as error:
        raise UserError(str(error)) from error
    return reader


def said(text: str) -> None:
    """Tell on stderr what happened on the way to a recording."""
    tell(f"perftui: {text}")


def say_lost(reader: RecordedReader) -> None:
    """Say on stderr what could not be read, or would not be if it were needed."""
    reader.check_files()
    salvage = reader.salvage
    if salvage is not None:
        tell(f"perftui: {reader.path.name}: {salvage}")
