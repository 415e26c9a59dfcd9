"""Where the files of a recording are: a directory, or one zip with stored entries.

Nothing but regular files with the names that a recording has is ever opened; a zip with
anything else in it is refused.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple, Protocol

from perftui.probes.recording.format.captures import capture_pid
from perftui.probes.recording.format.limits import (
    ENTRIES,
    FILE_BYTES,
    META_BYTES,
    ZIP_RATIO,
    RecordingError,
)
from perftui.probes.recording.format.meta import META
from perftui.probes.recording.format.tables import TABLES

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterable
    from pathlib import Path

_MEANWHILE_BYTES = 1 << 20
"""As much more than there was is read of a file that is being written."""
_NAME = re.compile(r"([a-z_0-9]+)-(\d{6})(?:-(\d{6}))?\.(arrows|parquet)", re.ASCII)


class SegmentFile(NamedTuple):
    """One file of a table: of one segment, or merged of several."""

    name: str
    table: str
    first: int
    last: int
    sealed: bool
    size: int


class Container(Protocol):
    """The files of a recording."""

    @property
    def path(self) -> Path:
        """The directory or the zip."""
        ...

    def files(self) -> list[SegmentFile]:
        """List the segment files that are there now."""
        ...

    def read(self, name: str, offset: int = 0) -> bytes:
        """Return a file from `offset` on.

        Raises:
            OSError: it is not there (any more) or cannot be read.
            RecordingError: it is larger than it may be.
        """
        ...

    def local_path(self, name: str) -> Path | None:
        """Return where the file lies by itself, None within a zip."""
        ...


def open_container(path: Path) -> Container:
    """Open a directory or a packed recording.

    Raises:
        RecordingError: it is neither.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Directory(path)
        if stat.S_ISREG(mode):
            return Packed(path)
    except FileNotFoundError:
        raise RecordingError(f"there is no recording at {path}") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be opened: {error.strerror}") from error
    raise RecordingError(f"{path} is not a recording")


def segment_file(name: str, size: int) -> SegmentFile | None:
    """Return what a file name says, None if no recording has such a file."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in TABLES:
        return None
    first = int(match[2])
    last = first if match[3] is None else int(match[3])
    sealed = match[4] == "parquet"
    if last < first or (match[3] is not None and not sealed):
        return None
    return SegmentFile(name, match[1], first, last, sealed, size)


class Directory:
    """A recording as it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """See `Container.path`."""
        return self._path

    def files(self) -> list[SegmentFile]:
        """See `Container.files`."""
        found = []
        with os.scandir(self._path) as entries:
            for entry in entries:
                known = segment_file(entry.name, 0)
                if known is None or not entry.is_file(follow_symlinks=False):
                    continue
                try:
                    size = entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue  # sealed just now
                found.append(known._replace(size=size))
                if len(found) > ENTRIES:
                    raise RecordingError(f"{self._path} has more than {ENTRIES} files")
        return found

    def read(self, name: str, offset: int = 0) -> bytes:
        """See `Container.read`."""
        limit = META_BYTES if name == META else FILE_BYTES
        fd = os.open(self._path / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode):
                raise RecordingError(f"{name} is not a regular file")
            if info.st_size > limit:
                raise RecordingError(f"{name} is larger than {limit >> 20} MiB")
            file.seek(offset)
            # Not more than there can be: what is asked for is reserved first.
            return file.read(max(info.st_size - offset, 0) + _MEANWHILE_BYTES)

    def local_path(self, name: str) -> Path | None:
        """See `Container.local_path`."""
        return self._path / name


class Packed:
    """A recording in one zip.

    Raises:
        RecordingError: it is no zip, or there is something in it that no recording has.
    """

    def __init__(self, path: Path) -> None:
        import zipfile

        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
            raise RecordingError(
                f"{path} is not a recording (neither a directory nor a zip)"
            ) from error
        self._entries = {info.filename: info for info in checked(self._zip.infolist(), path)}

    @property
    def path(self) -> Path:
        """See `Container.path`."""
        return self._path

    def files(self) -> list[SegmentFile]:
        """See `Container.files`."""
        known = (segment_file(name, info.file_size) for name, info in self._entries.items())
        return [file for file in known if file is not None]

    def read(self, name: str, offset: int = 0) -> bytes:
        """See `Container.read`."""
        info = self._entries.get(name)
        if info is None:
            raise FileNotFoundError(f"{name} is not in {self._path}")
        if info.file_size > (META_BYTES if name == META else FILE_BYTES):
            raise RecordingError(f"{name} is too large")
        import zipfile
        import zlib

        damaged = (zipfile.BadZipFile, zlib.error, EOFError, ValueError)
        unknown = (NotImplementedError, RuntimeError)  # a compression, a password
        try:
            with self._zip.open(info) as file:
                data = file.read(info.file_size + 1)
        except (*damaged, *unknown) as why:
            raise OSError(f"{name}: {why}") from why
        return data[offset:]

    def local_path(self, name: str) -> Path | None:
        """See `Container.local_path`."""
        return None


def checked(entries: Iterable[zipfile.ZipInfo], path: Path) -> list[zipfile.ZipInfo]:
    """Return a zip's entries.

    Raises:
        RecordingError: one of them has no place in a recording.
    """
    found: list[zipfile.ZipInfo] = []
    names: set[str] = set()
    for info in entries:
        name = info.filename
        if len(found) >= ENTRIES:
            raise RecordingError(f"{path} holds more than {ENTRIES} entries")
        if name != META and segment_file(name, 0) is None and capture_pid(name) is None:
            raise RecordingError(f"{path} holds {name[:80]!r}, which no recording has")
        if name in names:
            raise RecordingError(f"{path} holds {name!r} twice")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or info.is_dir():
            raise RecordingError(f"{path}: {name!r} is not a plain file")
        if info.flag_bits & 1:
            raise RecordingError(f"{path}: {name!r} is encrypted")
        if info.file_size > FILE_BYTES or info.file_size > ZIP_RATIO * max(info.compress_size, 1):
            raise RecordingError(f"{path}: {name!r} is larger than a recording's files may be")
        names.add(name)
        found.append(info)
    if META not in names:
        raise RecordingError(f"{path} is not a recording: it has no {META}")
    return found
