"""What of a recording is still to be sent, and in which order it is safe to.

Tables first, then what lists them, `meta.json` last: whoever reads there in between finds a
recording up to where it is. What was merged here is removed there when its successor has come.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.recording.format.captures import captures_in
from perftui.probes.recording.format.claim import CLAIM, is_locked
from perftui.probes.recording.format.meta import META, parse_meta
from perftui.probes.recording.format.rollup_tables import MANIFEST
from perftui.probes.recording.read.container import Directory, segment_file
from perftui.probes.recording.remote.kept import CopyNote
from perftui.probes.recording.remote.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from perftui.probes.recording.remote.kept import LocalCopy
    from perftui.probes.recording.remote.store import RemoteStore


class SendPlan(NamedTuple):
    """What is to be done there, in this order."""

    tables: tuple[str, ...]
    manifests: tuple[str, ...]
    gone: tuple[str, ...]
    """Names that were replaced here."""

    @property
    def any(self) -> bool:
        """There is something to send."""
        return bool(self.tables or self.manifests or self.gone)


def plan(directory: Path, sent: Mapping[str, tuple[int, str]], *, last: bool) -> SendPlan:
    """Return what is to be sent of a recording.

    Args:
        directory: The recording.
        sent: Bytes by name of what is there.
        last: Nothing more is written here: live files go too.

    Raises:
        OSError: it cannot be read.
        RecordingError: it is no recording.
    """
    files = {file.name: file for file in Directory(directory).files()}
    wanted = {name: file.size for name, file in files.items() if file.sealed or last}
    if last:
        wanted |= {capture.name: capture.size for capture in captures_in(directory)}
    new = sorted(name for name, size in wanted.items() if sent.get(name, (-1, ""))[0] != size)
    manifests = tuple(name for name in new if name in files and files[name].table == MANIFEST)
    gone = tuple(
        sorted(name for name in sent if segment_file(name, 0) is not None and name not in wanted)
    )
    return SendPlan(tuple(name for name in new if name not in manifests), manifests, gone)


def is_over(directory: Path) -> bool:
    """Tell whether nobody writes a recording any more."""
    return is_locked(directory) is not True


def send(
    store: RemoteStore,
    directory: Path,
    kept: LocalCopy,
    note: CopyNote,
    *,
    last: bool,
    sent: Callable[[str, int], None] = lambda name, size: None,
) -> CopyNote:
    """Send what is to be sent; returns what is known to be there afterwards.

    What was sent is noted after each group of files: one that is killed in between leaves all of
    the recording here, and the next one goes on from there.

    Args:
        store: The folder of the recording there.
        directory: The recording here.
        kept: Where notes are kept.
        note: What is known.
        last: Nothing more is written here.
        sent: Told of each file.

    Raises:
        StoreError: something could not be sent.
        OSError: something cannot be read here.
        RecordingError: it is no recording.
    """
    files = dict(note.files)
    todo = plan(directory, files, last=last)
    failed: Exception | None = None

    def put(name: str) -> None:
        store.put(directory / name, name)

    for group in (todo.tables, todo.manifests):
        for name, error in store.each(put, group):
            if error is None:
                with suppress(FileNotFoundError):  # merged just now
                    files[name] = ((directory / name).stat().st_size, "")
                    sent(name, files[name][0])
            elif not isinstance(error, FileNotFoundError):
                failed = failed or error
        if group:
            note = note._replace(files=files)
            kept.write(note)
        if failed is not None:
            raise failed
    meta = (directory / META).read_bytes()
    store.write(META, meta)
    sent(META, len(meta))
    for name in todo.gone:
        store.remove(name)
        files.pop(name, None)
    files[META] = (len(meta), "")
    note = note._replace(files=files)
    if last:
        store.remove(CLAIM)
        parse_meta(meta, directory.name)
        if not plan(directory, files, last=True).any:
            note = note._replace(state="copy")
    kept.write(note)
    return note


def begin(store: RemoteStore) -> None:
    """Find out whether a recording can be written there, by writing its first small file.

    Raises:
        StoreError: it cannot, or there is one already.
    """
    there = store.files()
    if META in there or CLAIM in there:
        raise StoreError(f"{store.address.shown}: there is a recording already")
    store.write(CLAIM, b"perftui records here\n")


def send_whole(
    store: RemoteStore, recording: Path, scratch: LocalCopy, sent: Callable[[str, int], None]
) -> None:
    """Send a recording of any folder, or a packed one; what is there of it already is not sent
    again.

    Args:
        store: Its address there.
        recording: The recording here; nobody may write it.
        scratch: For notes on the way; deleted by the caller.
        sent: Told of each file.

    Raises:
        StoreError: it cannot be sent, or another recording is there.
        OSError: it cannot be read here.
        RecordingError: it is no recording.
    """
    if recording.is_file():
        if store.look() is not None:
            raise StoreError(f"{store.address.shown}: there is a recording already")
        store.put(recording, "")
        sent(recording.name, recording.stat().st_size)
        return
    mine = parse_meta((recording / META).read_bytes(), recording.name)
    there = store.files()
    if META in there:
        other = parse_meta(store.read(META), store.address.shown)
        if not mine.get("id") or other.get("id") != mine.get("id"):
            raise StoreError(f"{store.address.shown}: there is another recording already")
    sizes = {name: (file.size, "") for name, file in there.items()}
    note = CopyNote(store.address.shown, recording.name, "uploading", sizes)
    send(store, recording, scratch, note, last=True, sent=sent)


def take_back(store: RemoteStore) -> None:
    """Nothing was recorded: leave nothing there."""
    store.remove(CLAIM)
