"""Sealing: a finished segment becomes Parquet with checksums, an hour of small ones one file.

Each file is written under another name, synced and renamed; the manifest comes last. Whatever
moment a kill chooses, every row is in a live segment or in a sealed one, or in both.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow, parquet
from perftui.probes.recording.format.arrow_file import read_stream, table_of
from perftui.probes.recording.format.rollup import add_stack_sums, rollups
from perftui.probes.recording.format.rollup_tables import MANIFEST
from perftui.probes.recording.format.tables import RECORDED, STACK_AMOUNTS, TABLES
from perftui.probes.recording.write.live import file_name

if TYPE_CHECKING:
    from pathlib import Path

_ROW_GROUP = 262_144
_LEVEL = 5
_DICTIONARY = frozenset(
    [
        *("pid", "tid", "name", "state", "torn", "cpu_share", "edge", "stream", "segment"),
        *("table", "frame", "file", "module", "kind", "backend", "rate_hz", "parent_id"),
        *("held", "gil_held", "unsteady", "task", *STACK_AMOUNTS, "sweeps"),
        *("threads", "fds", "grown_bytes", "severity", "low", "high", "last", "ok", "function"),
    ]
)


def write_table(table: Any, path: Path) -> int:
    """Write one Parquet file safely; returns its bytes.

    Raises:
        OSError: it could not be written; nothing is left behind.
    """
    pq = parquet()
    about = TABLES[path.name.rpartition(".")[0].partition("-")[0]]
    if about.sort:
        table = table.sort_by([(name, "ascending") for name in about.sort])
    names = table.column_names
    dictionary = [name for name in names if name in _DICTIONARY]
    whole = {column.name for column in about.columns if column.type == "i64"}
    delta = {
        name: "DELTA_BINARY_PACKED" for name in names if name in whole and name not in dictionary
    }
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.unlink(missing_ok=True)  # never through a link that somebody has put there
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(temporary, flags, 0o600)
        with os.fdopen(fd, "wb") as file:
            pq.write_table(
                table,
                file,
                compression="zstd",
                compression_level=_LEVEL,
                use_dictionary=dictionary,
                column_encoding=delta,
                write_page_checksum=True,
                row_group_size=_ROW_GROUP,
            )
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return size


def seal(directory: Path, number: int, tables: dict[str, Any]) -> dict[str, int]:
    """Write a segment's tables and their sums as Parquet; returns the bytes by file name.

    The live files are the caller's to remove, afterwards.
    """
    sizes: dict[str, int] = {}
    whole = {**tables, **rollups(number, tables)}
    manifest = whole.pop(MANIFEST, None)
    for name, table in whole.items():
        path = directory / file_name(name, number, "parquet")
        sizes[path.name] = write_table(table, path)
    if manifest is not None:
        path = directory / file_name(MANIFEST, number, "parquet")
        sizes[path.name] = write_table(manifest, path)
    _sync_directory(directory)
    return sizes


def seal_live(directory: Path, number: int) -> dict[str, int]:
    """Seal a finished segment from its live files, which stay; returns the bytes by file name.

    Raises:
        OSError: they cannot be read to their end, or the sealed ones not be written.
    """
    tables = {}
    present = set(os.listdir(directory))  # noqa: PTH208
    for name in RECORDED:
        path = directory / file_name(name, number, "arrows")
        if path.name not in present:
            continue
        tail = read_stream(name, path.read_bytes())
        if tail.torn is not None:
            raise OSError(errno.EIO, f"{path.name} is not as it was written")
        table = table_of(name, tail.batches)
        if table.num_rows:
            tables[name] = table
    return seal(directory, number, tables)


def merge(directory: Path, first: int, last: int) -> dict[str, int]:
    """Merge the small tables of segments `first`..`last`; returns bytes by name, 0 = removed."""
    pa = arrow()
    pq = parquet()
    sizes: dict[str, int] = {}
    names = [name for name in (*RECORDED, *TABLES) if TABLES[name].merged and name != MANIFEST]
    for name in (*dict.fromkeys(names), MANIFEST):
        singles = [
            path
            for number in range(first, last + 1)
            if (path := directory / file_name(name, number, "parquet")).exists()
        ]
        if not singles:
            continue
        table = pa.concat_tables(
            [pq.read_table(path, partitioning=None, use_threads=False) for path in singles]
        )
        if name == "stack_sums":
            table = add_stack_sums(table)
        path = directory / file_name(name, first, "parquet", last)
        sizes[path.name] = write_table(table, path)
        for single in singles:
            single.unlink()
            sizes[single.name] = 0
    _sync_directory(directory)
    return sizes


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
