"""A recording that lies elsewhere, as a local copy: what is new there is fetched, nothing twice.

A copy and no reading over the network: everything that reads a recording asks many small
questions of many small files, and a bucket answers each in tens of milliseconds.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.probes.recording.format.captures import capture_pid
from perftui.probes.recording.format.limits import ENTRIES, FILE_BYTES, RecordingError
from perftui.probes.recording.format.liveness import SILENT_S
from perftui.probes.recording.format.meta import META
from perftui.probes.recording.read.container import segment_file
from perftui.probes.recording.remote.kept import CopyNote, LocalCopy, check_base, kept_of, make_room
from perftui.probes.recording.remote.store import NotThere, RemoteStore, StoreError
from perftui.probes.text.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from perftui.probes.recording.remote.address import RemoteAddress
    from perftui.probes.recording.remote.store import RemoteFile

SILENT_THERE_S = 900.0
"""What is recorded elsewhere is uploaded every five minutes at the latest; see `SILENT_S`."""
_SAID_BYTES = 8_000_000
_TRIES = 3
_PACKED = ".zip"


def local_copy(address: RemoteAddress, say: Callable[[str], None]) -> Path:
    """Return a recording as a path: fetched, or what is here already.

    Args:
        address: The recording; the folder or one packed file.
        say: Gets what a person must be told.

    Raises:
        RecordingError: there is none, or it cannot be fetched.
    """
    kept = kept_of(address)
    kept.use()
    note = kept.note()
    if note is not None and note.state == "uploading":
        say(f"{address.shown} is not uploaded whole yet: this is the local copy, {kept.folder}")
        return kept.folder / note.name
    check_base()
    store = RemoteStore(address)
    try:
        if address.name.endswith(_PACKED):
            return _fetched_file(store, kept, say)
        for _ in range(_TRIES):
            with suppress(NotThere):  # merged between listing and reading
                return _fetched_folder(store, kept, say)
        return _fetched_folder(store, kept, say)
    except OSError as error:
        raise RecordingError(f"{kept.folder}: {error.strerror or error}") from error
    finally:
        make_room()


def _fetched_file(store: RemoteStore, kept: LocalCopy, say: Callable[[str], None]) -> Path:
    found = store.look()
    if found is None:
        raise NotThere(f"there is no recording at {store.address.shown}")
    path = kept.folder / store.address.name
    known = kept.note()
    if known is None or known.files.get(path.name) != (found.size, found.mark) or not found.mark:
        kept.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _say_size(store.address, found.size, say)
        store.get("", path)
        kept.write(_note(store.address, {path.name: found}))
    return path


def _fetched_folder(store: RemoteStore, kept: LocalCopy, say: Callable[[str], None]) -> Path:
    found = listing(store)
    path = kept.folder / store.address.name
    take(store, kept, path, found, found, say)
    for extra in set(os.listdir(path)) - set(found):  # noqa: PTH208
        if segment_file(extra, 0) is not None:
            (path / extra).unlink(missing_ok=True)
    return path


def listing(store: RemoteStore, folder: str = "") -> dict[str, RemoteFile]:
    """Return the files of a recording there, by name.

    Args:
        store: The recording, or what it is in.
        folder: Where it is in that.

    Raises:
        RecordingError: there is no recording, or none that can be one.
    """
    files = store.files(folder)
    address = store.address.child(folder) if folder else store.address
    if META not in files:
        if not files:
            raise NotThere(f"there is no recording at {address.shown}")
        if any(name.startswith(".writing") for name in files):
            raise StoreError(f"{address.shown}: nothing of it is uploaded yet")
        raise StoreError(f"{address.shown} is not a recording: it has no {META}")
    if len(files) > ENTRIES:
        raise StoreError(f"{address.shown} has more than {ENTRIES} files")
    return {name: file for name, file in files.items() if _belongs(name)}


def take(
    store: RemoteStore,
    kept: LocalCopy,
    path: Path,
    found: Mapping[str, RemoteFile],
    wanted: Iterable[str],
    say: Callable[[str], None] = lambda text: None,
    *,
    folder: str = "",
) -> None:
    """Fetch those of the wanted files that are not here as they are there.

    Args:
        store: The recording, or what it is in.
        kept: The local copy.
        path: The recording here.
        found: The files there, by name.
        wanted: Names of those that are asked for.
        say: Gets what a person must be told.
        folder: Where it is in the store.

    Raises:
        RecordingError: one cannot be fetched, or is larger than it may be.
        OSError: it cannot be written here.
    """
    note = kept.note()
    address = store.address.child(folder) if folder else store.address
    known = dict(note.files) if note is not None else {}
    missing = [name for name in wanted if not _is_here(path / name, known.get(name), found[name])]
    for name in missing:
        if found[name].size > FILE_BYTES and capture_pid(name) is None:
            raise StoreError(f"{address.shown}: {name} is larger than {FILE_BYTES >> 20} MiB")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _say_size(address, sum(found[name].size for name in missing), say)

    def get(name: str) -> None:
        store.get(f"{folder}/{name}" if folder else name, path / name)

    for name, error in store.each(get, missing):
        if error is not None:
            raise error
        known[name] = (found[name].size, found[name].mark)
    if META in missing:
        _date(path, found[META])
    if missing or note is None:
        files = {name: mark for name, mark in known.items() if name in found}
        kept.write(CopyNote(address.shown, path.name, "copy", files, _is_whole(address)))


def _date(path: Path, meta: RemoteFile) -> None:
    """Have the copy look as silent as what is there: by its file's age `liveness` tells whether
    one of another machine is still written, in the rhythm of heartbeats."""
    if meta.modified_s is not None:
        looks_s = meta.modified_s + SILENT_THERE_S - SILENT_S
        os.utime(path / META, (looks_s, looks_s))


def _is_here(path: Path, known: tuple[int, str] | None, found: RemoteFile) -> bool:
    if known is None or known[0] != found.size or not path.exists():
        return False
    # What we have sent ourselves has no mark: only `meta.json` is ever written again.
    return known[1] == found.mark if known[1] else path.name != META


def _belongs(name: str) -> bool:
    return name == META or segment_file(name, 0) is not None or capture_pid(name) is not None


def _note(address: RemoteAddress, files: Mapping[str, RemoteFile]) -> CopyNote:
    marks = {name: (file.size, file.mark) for name, file in files.items()}
    return CopyNote(address.shown, address.name, "copy", marks, _is_whole(address))


def _is_whole(address: RemoteAddress) -> bool:
    return not address.has_secret and address.shown == address.url


def _say_size(address: RemoteAddress, size: int, say: Callable[[str], None]) -> None:
    if size > _SAID_BYTES:
        say(f"copying {format_bytes(size)} from {address.shown}")
