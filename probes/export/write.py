"""Writes an export: beside where it belongs, then renamed.

A format of tables without the name of one becomes a folder with a file per table; to a stream,
or to a name that ends in .zip, a zip of the same files.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from perftui.probes.export.material.error import ExportError
from perftui.probes.export.tables.table import check_table, choices, tables_of
from perftui.probes.own.whole_file import is_device, whole_file
from perftui.probes.text.units import format_bytes

if TYPE_CHECKING:
    from perftui.probes.export.material.exporter import Exporter
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.tables.spreadsheet import Guard
    from perftui.probes.export.tables.table import TableSource
    from perftui.probes.recording.read.face import RecordedReader


class Order(NamedTuple):
    """What to export."""

    exporter: Exporter
    part: Slice
    table: str | None = None
    """Of a format of tables: only this one."""
    guard: Guard | None = None
    """Of csv: takes the formulas out of cells, for spreadsheets."""

    def check(self) -> None:
        """Check that the table fits the format.

        Raises:
            ExportError: it does not.
        """
        if self.table is None:
            return
        if self.exporter.kind != "tables":
            raise ExportError(f"--table is for csv, json, parquet and arrow, not {self.name}")
        check_table(self.table)

    @property
    def name(self) -> str:
        """The format's name."""
        return self.exporter.name

    def write_table(self, source: TableSource, table: str, out: BinaryIO) -> None:
        """Write one table.

        Raises:
            RecordingError: it cannot be read.
            OSError: `out` does not take it.
        """
        parts = source.parts(table)
        if self.guard is not None:
            parts = self.guard.parts(parts)
        self.exporter.write_table(parts, out)

    @property
    def many(self) -> bool:
        """True if it is a file per table."""
        return self.exporter.kind == "tables" and self.table is None


class Written(NamedTuple):
    """What was written."""

    path: Path
    file_bytes: int
    files: int

    def line(self) -> str:
        """Say it in one line."""
        size = format_bytes(self.file_bytes)
        return (
            f"{self.path} ({self.files} files, {size})"
            if self.files > 1
            else f"{self.path} ({size})"
        )


def default_path(reader: RecordedReader, order: Order, folder: Path) -> Path:
    """Return where an export goes if nobody says: NAME.suffix, of many tables NAME-csv/."""
    name = reader.path.name.removesuffix(".zip").removesuffix(".perftui")
    if order.many:
        return folder / f"{name}-{order.name}"
    table = f"-{order.table}" if order.table is not None else ""
    return folder / f"{name}{table}{order.exporter.suffix}"


class CountedStream:
    """A stream, or one to nowhere, that knows how much it was given and cannot seek."""

    closed = False

    def __init__(self) -> None:
        self.count = 0
        self.into: BinaryIO | None = None

    def write(self, data: bytes) -> int:
        """Count; pass it on if there is where to."""
        view = memoryview(data).cast("B")
        self.count += len(view)
        rest = view
        while self.into is not None and rest:
            rest = rest[self.into.write(rest) or 0 :]
        return len(view)

    def tell(self) -> int:
        """Return how much it was given."""
        return self.count

    def writable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return False."""
        return False

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def write_stream(reader: RecordedReader, order: Order, out: BinaryIO) -> None:
    """Write an export to a stream; many tables as a zip.

    Raises:
        RecordingError: it cannot be read.
        OSError: `out` does not take it.
    """
    exporter, part = order.exporter, order.part
    if exporter.kind != "tables":
        exporter.write(reader, part, out)
        return
    with tables_of(reader, part) as source:
        if order.table is not None:
            order.write_table(source, order.table, out)
            return
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in table_names(part):
                with archive.open(name + exporter.suffix, "w", force_zip64=True) as file:
                    order.write_table(source, name, cast("BinaryIO", file))


def table_names(part: Slice) -> list[str]:
    """Return the tables of a whole export; what is of all threads is no part of some."""
    some = part.pid is not None or part.threads is not None
    return [c.name for c in choices() if not (some and c.name.startswith("top_"))]


def write_file(reader: RecordedReader, order: Order, path: Path, *, force: bool = False) -> Written:
    """Write an export to a file or a folder, which is there as a whole or not at all.

    Args:
        reader: The recording.
        order: What of it, in which format.
        path: Where to.
        force: Replace what is there.

    Raises:
        ExportError: something is there already, or it cannot be written.
        RecordingError: the recording cannot be read.
    """
    device = is_device(path)
    if not force and not device and path.exists():
        raise ExportError(f"{path} is there already: --force replaces it")
    try:
        if device:
            files, size = 1, _write_through(reader, order, path)
        elif order.many and path.suffix != ".zip":
            files, size = _write_folder(reader, order, path)
        elif path.is_dir():
            raise ExportError(f"{path} is a folder: name a file with -o")
        else:
            with whole_file(path, replace=force) as file:
                write_stream(reader, order, file)
                files, size = 1, file.tell()
        return Written(path, size, files)
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from error


def _write_through(reader: RecordedReader, order: Order, device: Path) -> int:
    counted = CountedStream()
    with whole_file(device) as file:
        counted.into = file
        write_stream(reader, order, cast("BinaryIO", counted))
    return counted.count


def _write_folder(reader: RecordedReader, order: Order, path: Path) -> tuple[int, int]:
    if path.is_dir() and not _is_ours(path, order):
        raise ExportError(f"{path} holds other files: nothing was replaced; name another with -o")
    if path.exists() and not path.is_dir():
        raise ExportError(
            f"{path} is a file, and this export is a folder of tables: name it -o DIR"
        )
    files = size = 0
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:100]}."))
    try:
        temporary.chmod(0o755)
        with tables_of(reader, order.part) as source:
            for name in table_names(order.part):
                with (temporary / (name + order.exporter.suffix)).open("wb") as file:
                    order.write_table(source, name, file)
                    size += file.tell()
                files += 1
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return files, size


def _is_ours(folder: Path, order: Order) -> bool:
    """Tell whether a folder holds nothing but an export like this one."""
    names = {choice.name + order.exporter.suffix for choice in choices()}
    return all(item.name in names and item.is_file() for item in folder.iterdir())
