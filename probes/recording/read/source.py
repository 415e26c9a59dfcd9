"""One of many recordings, as a query over all of them needs it: nothing is opened that is not asked
for.

Of most, `meta.json` and the names of the files say all: which sealed files a table has. One that
was never sealed whole, is packed, or was written under older rules about secrets, is opened.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.liveness import state_of
from perftui.probes.recording.format.meta import META, parse_meta
from perftui.probes.recording.format.redacted import is_current
from perftui.probes.recording.read.container import open_container

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from perftui.probes.recording.read.container import SegmentFile

_AT_ONCE = 12


class ManySource(Protocol):
    """A recording among many."""

    @property
    def name(self) -> str:
        """What it is called; two may have the same."""
        ...

    @property
    def where(self) -> str:
        """Its path or address, as it may be shown."""
        ...

    @property
    def meta(self) -> dict[str, Any]:
        """Its `meta.json`."""
        ...

    def state(self) -> str:
        """Return the state of one that was not closed."""
        ...

    def prepare(self, tables: Collection[str]) -> None:
        """Have here what a query of these tables needs.

        Raises:
            RecordingError: it cannot be had.
            OSError: it cannot be read.
        """
        ...

    def path(self) -> Path:
        """Return where it is, after `prepare`."""
        ...


class HereSource:
    """A recording of this machine.

    Args:
        path: Its folder or its one file.

    Raises:
        RecordingError: it is none.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self.meta = parse_meta(open_container(path).read(META), path.name)
        except FileNotFoundError:
            raise RecordingError(f"it is not a recording: it has no {META}") from None

    @property
    def name(self) -> str:
        """See `ManySource.name`."""
        return short_name(self._path.name)

    @property
    def where(self) -> str:
        """See `ManySource.where`."""
        return str(self._path)

    def state(self) -> str:
        """See `ManySource.state`."""
        return state_of(self._path, self.meta)

    def prepare(self, tables: Collection[str]) -> None:
        """See `ManySource.prepare`."""

    def path(self) -> Path:
        """See `ManySource.path`."""
        return self._path


def short_name(name: str) -> str:
    """Return the name of a recording without its ending."""
    return name.removesuffix(".zip").removesuffix(".perftui")


def prepare_all(
    sources: Sequence[ManySource], tables: Collection[str], problems: list[str]
) -> list[ManySource]:
    """Have all of them prepared, several at a time; returns those that are.

    Args:
        sources: The recordings.
        tables: What the query names.
        problems: Gets a line for each of the others.
    """

    def tried(source: ManySource) -> str | None:
        try:
            source.prepare(tables)
        except (RecordingError, OSError) as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        said = list(threads.map(tried, sources))
    problems += [f"{s.name}: {why}" for s, why in zip(sources, said, strict=True) if why]
    return [source for source, why in zip(sources, said, strict=True) if why is None]


def sealed_files(source: ManySource) -> list[SegmentFile] | None:
    """Return the sealed files that count, None if the recording has to be opened to know.

    Raises:
        RecordingError: it cannot be listed.
        OSError: the same.
    """
    path = source.path()
    if not is_current(source.meta) or not path.is_dir():
        return None
    files = open_container(path).files()
    if not all(file.sealed for file in files):
        return None
    return merged_first(files)


def merged_first(files: Iterable[SegmentFile]) -> list[SegmentFile]:
    """Return sealed files without those that a merged one replaces."""
    last: dict[str, int] = {}
    found = []
    for file in sorted(files, key=lambda file: (file.first, -file.last)):
        if file.first > last.get(file.table, -1):
            last[file.table] = file.last
            found.append(file)
    return found
