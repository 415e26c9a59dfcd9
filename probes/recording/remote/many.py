"""Many recordings of a store: a listing, each `meta.json`, and files of the tables asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.meta import META, parse_meta
from perftui.probes.recording.format.redacted import is_current
from perftui.probes.recording.read.container import segment_file
from perftui.probes.recording.read.source import merged_first, short_name
from perftui.probes.recording.remote.fetch import SILENT_THERE_S, listing, local_copy, take
from perftui.probes.recording.remote.kept import check_base, kept_of, know_meta, known_meta
from perftui.probes.recording.remote.store import RemoteStore
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from perftui.probes.recording.remote.address import RemoteAddress

_ENDINGS = (".perftui", ".perftui.zip")


class RemoteSource:
    """One of many recordings that lie elsewhere; see `read.source.ManySource`.

    Args:
        store: Of the recordings.
        folder: Of this one, below it.
        address: Of this one.
        data: Its `meta.json`.

    Raises:
        RecordingError: it is none.
    """

    def __init__(
        self, store: RemoteStore, folder: str, address: RemoteAddress, data: bytes
    ) -> None:
        self._store = store
        self._folder = folder
        self._address = address
        self._kept = kept_of(address)
        self._path = self._kept.folder / address.name
        self.meta: dict[str, Any] = parse_meta(data, address.name)

    @property
    def name(self) -> str:
        """See `ManySource.name`."""
        return short_name(self._address.name)

    @property
    def where(self) -> str:
        """See `ManySource.where`."""
        return self._address.shown

    def state(self) -> str:
        """See `ManySource.state`: by the time that `meta.json` itself tells."""
        clock = self.meta.get("clock")
        try:
            mono_ns, wall_ns = clock[-1]  # type: ignore[index]
            heard_ns = wall_ns + self.meta["t_end_ns"] - mono_ns
            silent_s = time.time() - heard_ns / NS_PER_S
        except (TypeError, ValueError, IndexError):
            return "interrupted"
        return "recording" if silent_s <= SILENT_THERE_S else "interrupted"

    def prepare(self, tables: Collection[str]) -> None:
        """See `ManySource.prepare`."""
        with self._store.turn:
            self._prepare(tables)

    def _prepare(self, tables: Collection[str]) -> None:
        note = self._kept.note()
        if note is not None and note.state == "uploading":
            self._kept.use()
            return  # here is all that is there, and more
        found = listing(self._store, self._folder)
        files = [file for name in found if (file := segment_file(name, 0)) is not None]
        if not (is_current(self.meta) and all(file.sealed for file in files)):
            self._path = local_copy(self._address, lambda text: None)
            return
        self._kept.use()
        wanted = [file.name for file in merged_first(files) if file.table in tables]
        take(self._store, self._kept, self._path, found, [META, *wanted], folder=self._folder)
        for file in files:
            # Fetched for an earlier question, and merged since.
            if file.name not in wanted and file.table in tables:
                (self._path / file.name).unlink(missing_ok=True)

    def path(self) -> Path:
        """See `ManySource.path`."""
        return self._path


def remote_sources(address: RemoteAddress, problems: list[str]) -> list[RemoteSource]:
    """Return the recordings that a pattern, or a folder, elsewhere means, by name.

    Args:
        address: The pattern or the folder.
        problems: Gets a line for each that cannot be read.

    Raises:
        RecordingError: it cannot be listed.
    """
    check_base()
    pattern = address if address.is_pattern else address.child("*")
    store, root = RemoteStore.of_pattern(pattern)
    folders = [each for each in store.glob(root) if each.endswith(_ENDINGS)]
    sources = []
    plain = [each for each in folders if not each.endswith(".zip")]
    known = {each: known_meta(store.address.child(each)) for each in plain}
    names = [f"{each}/{META}" for each in plain if known[each] is None]
    packed = (each for each in folders if each.endswith(".zip"))
    problems += [f"{each}: it is packed: query it by its own address" for each in packed]
    read = store.read_all(names)
    for folder in plain:
        data = known[folder] or read[f"{folder}/{META}"]
        try:
            if isinstance(data, RecordingError):
                raise data
            source = RemoteSource(store, folder, store.address.child(folder), data)
            sources.append(source)
            if known[folder] is None and source.meta["state"] == "closed":
                know_meta(store.address.child(folder), data)
        except RecordingError as error:
            problems.append(f"{folder}: {error}")
    return sources
