"""`perftui upload`: recordings to where people keep files, and what waits to be sent there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.tui.commands.recorded import NAMES
from perftui.tui.errors import USAGE_ERROR, UserError
from perftui.tui.text.words import say, tell

if TYPE_CHECKING:
    import argparse

    from perftui.probes.recording.remote.address import RemoteAddress
    from perftui.probes.recording.remote.kept import CopyNote, LocalCopy
    from perftui.probes.recording.remote.upload_apart import Outcome

_EPILOG = """\
perftui upload                                 all that waits, of run --record s3://...
perftui upload last s3://bucket/runs           any recording of this machine
"""


def add_parser(commands: Any) -> None:
    """Add `upload` to the command line."""
    from argparse import RawDescriptionHelpFormatter

    parser: argparse.ArgumentParser = commands.add_parser(
        "upload",
        help="recordings to s3://, gs:// and other places",
        description="Send a recording to an address, or all that waits to be sent.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", nargs="?", metavar="RECORDING", help=NAMES)
    parser.add_argument(
        "address", nargs="?", metavar="ADDRESS", help="a folder there, or NAME.perftui itself"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send it."""
    from perftui.probes.recording.format.limits import RecordingError

    try:
        if args.recording is None:
            return _all_waiting()
        if args.address is not None:
            return _one(args.recording, args.address)
        return _rest_of(args.recording)
    except RecordingError as error:
        raise UserError(str(error)) from error


def _all_waiting() -> int:
    from perftui.probes.recording.remote.kept import waiting

    found = waiting()
    if not found:
        say("nothing waits to be uploaded")
    failed = [kept for kept, note in found if not _sent(kept, note, _noted(kept, note))]
    return USAGE_ERROR if failed else 0


def _rest_of(argument: str) -> int:
    from pathlib import Path

    from perftui.probes.recording.remote.kept import kept_at

    kept = kept_at(Path(argument))
    note = None if kept is None else kept.note()
    if kept is None or note is None:
        raise UserError(f"upload needs an ADDRESS: perftui upload {argument} s3://BUCKET/FOLDER")
    return 0 if _sent(kept, note, _noted(kept, note)) else USAGE_ERROR


def _noted(kept: LocalCopy, note: CopyNote) -> RemoteAddress | None:
    """Return where a recording belongs, None if that was never written, for its secret."""
    from perftui.probes.recording.remote.address import RemoteAddress

    if note.whole_address:
        return RemoteAddress(note.url)
    tell(
        f"perftui: {note.url}: its password is not kept: "
        f"perftui upload {kept.folder / note.name} ADDRESS"
    )
    return None


def _sent(kept: LocalCopy, note: CopyNote, address: RemoteAddress | None) -> bool:
    from perftui.probes.recording.remote.uploader import upload_rest

    if address is None:
        return False
    kept.use()
    progress = _Progress()
    return progress.told(address, upload_rest(kept, note, address, progress.heard))


def _one(argument: str, url: str) -> int:
    from perftui.probes.recording.remote.address import RemoteAddress, path_of
    from perftui.probes.recording.remote.kept import kept_at
    from perftui.probes.recording.remote.uploader import upload_whole
    from perftui.probes.recording.shelf.shelf import ENDING, PACKED_ENDING, resolve

    if path_of(url) is not None or "://" not in url:
        raise UserError(f"{url!r} is on this machine: copy the folder there")
    address = RemoteAddress(url)
    if "://" in argument:
        raise UserError("upload sends a recording of this machine")
    path = resolve(argument)
    if not address.name.endswith((ENDING, PACKED_ENDING)):
        address = address.child(path.name)
    kept = kept_at(path)
    note = None if kept is None else kept.note()
    if kept is not None and note is not None and note.state == "uploading":
        return 0 if _sent(kept, note, address) else USAGE_ERROR
    progress = _Progress()
    done = progress.told(address, upload_whole(path, address, progress.heard))
    return 0 if done else USAGE_ERROR


class _Progress:
    """Counts what is sent."""

    def __init__(self) -> None:
        self._files = self._bytes = 0

    def heard(self, name: str, size: int) -> None:
        """Take one file."""
        self._files += 1
        self._bytes += size

    def told(self, address: RemoteAddress, outcome: Outcome) -> bool:
        """Say how it went; true if all is there."""
        from perftui.probes.text.shell_words import shell_word
        from perftui.probes.text.units import format_bytes

        if outcome.problem:
            where = "" if outcome.problem.startswith(address.shown) else f"{address.shown}: "
            tell(f"perftui: {where}{outcome.problem}")
            return False
        tell(f"perftui: {self._files} files, {format_bytes(self._bytes)}")
        say(f"uploaded: perftui open {shell_word(address.shown)}")
        return True
