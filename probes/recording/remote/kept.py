"""Local copies of recordings that lie elsewhere, and of what is on its way there.

    RECORDINGS/remote/KEY/note.json        where it belongs, and what is known to be there
    RECORDINGS/remote/KEY/NAME.perftui     the files

Copies take `KEPT_BYTES` at most: who was not used for longest goes first. What is not uploaded
yet, or in use by a process, never goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from perftui.probes.own.folders import recordings_folder
from perftui.probes.own.whole_file import whole_file
from perftui.probes.recording.format.limits import META_BYTES, RecordingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.recording.remote.address import RemoteAddress

KEPT_BYTES = 2_000_000_000
_FOLDER = "remote"
_NOTE = "note.json"
_LOCK = ".used"
_NOTE_BYTES = 8 * META_BYTES

_ONCE = re.compile(r"-[0-9a-f]{8}\.perftui")
"""The end of a name that is given once: see `shelf.remote_place`."""

State = Literal["uploading", "copy"]
_held: list[int] = []
"""Descriptors of what this process uses, open until it ends."""


class CopyNote(NamedTuple):
    """What is known of a local copy."""

    url: str
    """As it may be shown."""
    name: str
    """Of the folder or file beside the note."""
    state: State
    """"uploading": not all of it is known to be there."""
    files: Mapping[str, tuple[int, str]]
    """What is known to be there: bytes and mark ("": not asked) by name."""
    whole_address: bool = True
    """`url` is all that is needed to go there; else a secret was left out."""


class LocalCopy:
    """One local copy.

    Args:
        folder: Of the copy.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def note(self) -> CopyNote | None:
        """Return what is known of it, None if it is none."""
        try:
            with (self.folder / _NOTE).open("rb") as file:
                found = json.loads(file.read(_NOTE_BYTES))
            files = {
                str(name): (int(size), str(mark)) for name, (size, mark) in found["files"].items()
            }
            state: State = "uploading" if found["state"] == "uploading" else "copy"
            name = Path(found["name"]).name
            return CopyNote(str(found["url"]), name, state, files, found.get("whole", True) is True)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, note: CopyNote) -> None:
        """Write what is known of it.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told: dict[str, Any] = {
            "url": note.url,
            "name": note.name,
            "state": note.state,
            "whole": note.whole_address,
            "files": {name: list(known) for name, known in note.files.items()},
        }
        with whole_file(self.folder / _NOTE, mode=0o600, sync=note.state == "uploading") as file:
            file.write(json.dumps(told).encode())

    def use(self) -> None:
        """Keep it from being deleted as long as this process lives, and note that it is used."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _held.append(fd)
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            os.utime(fd)

    def in_use(self) -> bool:
        """Tell whether a process reads it."""
        try:
            fd = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(fd)
        return False

    def used_s(self) -> float:
        """Return when it was used last, in seconds since 1970."""
        for name in (_LOCK, _NOTE):
            with suppress(OSError):
                return (self.folder / name).stat().st_mtime
        return 0.0

    def size(self) -> int:
        """Return its bytes."""
        total = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with suppress(OSError):
                    total += (Path(folder) / name).lstat().st_size
        return total

    def remove(self) -> None:
        """Delete it; out of sight first, so that nobody finds half of one."""
        hidden = self.folder.with_name(f".{self.folder.name}.deleted")
        with suppress(OSError):
            self.folder.rename(hidden)
            shutil.rmtree(hidden, ignore_errors=True)


def kept_of(address: RemoteAddress) -> LocalCopy:
    """Return the local copy of an address, made or not."""
    return LocalCopy(_base() / address.key)


def kept_at(path: Path) -> LocalCopy | None:
    """Return the local copy that a path is the recording of, None if it is none."""
    if path.absolute().parent.parent != _base().absolute():
        return None
    return LocalCopy(path.absolute().parent)


def all_kept() -> list[tuple[LocalCopy, CopyNote]]:
    """List the local copies, the one used last first."""
    found = []
    with suppress(OSError):
        for folder in _base().iterdir():
            kept = LocalCopy(folder)
            note = None if folder.name.startswith(".") else kept.note()
            if note is not None:
                found.append((kept, note))
    return sorted(found, key=lambda each: -each[0].used_s())


def waiting() -> list[tuple[LocalCopy, CopyNote]]:
    """List those that are not uploaded whole."""
    return [(kept, note) for kept, note in all_kept() if note.state == "uploading"]


def make_room(limit_bytes: int = KEPT_BYTES) -> None:
    """Delete copies, the longest unused first, until they keep to the limit."""
    known = [(kept, note, kept.size()) for kept, note in all_kept()]
    total = sum(size for _, _, size in known)
    for kept, note, size in reversed(known):
        if total <= limit_bytes:
            return
        if note.state == "uploading" or kept.in_use():
            continue
        kept.remove()
        total -= size


def known_meta(address: RemoteAddress) -> bytes | None:
    """Return the `meta.json` of a recording that was closed when it was read before.

    Only of a name that `--record` gave: it is given once, and what is closed stays as it is.
    """
    if _ONCE.search(address.name) is None:
        return None
    try:
        with _meta_of(address).open("rb") as file:
            return file.read(META_BYTES + 1)
    except OSError:
        return None


def know_meta(address: RemoteAddress, data: bytes) -> None:
    """Keep the `meta.json` of a closed recording for `known_meta`."""
    if _ONCE.search(address.name) is not None:
        path = _meta_of(address)
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with whole_file(path, mode=0o600, sync=False) as file:
                file.write(data)


def _meta_of(address: RemoteAddress) -> Path:
    return _base() / ".metas" / f"{address.key}.json"


def _base() -> Path:
    return recordings_folder() / _FOLDER


def check_base() -> None:
    """Make the folder of the copies.

    Raises:
        RecordingError: it cannot be made.
    """
    try:
        _base().mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{_base()} cannot be made: {error.strerror}") from error
