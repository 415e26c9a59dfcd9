"""The live segment: one Arrow IPC stream per table, a batch a second, readable at any moment.

A kill at any byte leaves all complete batches readable. Every batch leaves with one `write`, so
that a full disk can be undone to the last whole batch.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.limits import MIB, STRING_BYTES
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.write.ipc import EncodedBatch, encode, schema_message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perftui.probes.recording.write.rows import Row


WRITE_BYTES = 16 * MIB
"""Of one batch, decoded: far below what readers accept."""


def file_name(table: str, segment: int, ending: str, last: int | None = None) -> str:
    """Return the name of a segment's file, or of a merged one that reaches to segment `last`."""
    numbers = f"{segment:06d}" if last is None else f"{segment:06d}-{last:06d}"
    return f"{table}-{numbers}.{ending}"


def batch_of(table: str, rows: Sequence[Row]) -> tuple[EncodedBatch, Sequence[Row]]:
    """Return the record batch, and the rows that are in it.

    What a target says may not fit: lone surrogates in a name are replaced, a text longer than
    readers accept is cut, a row with a number beyond 64 bits is left out.
    """
    columns = TABLES[table].columns
    try:
        batch = encode(columns, rows)
        if len(batch.message) <= STRING_BYTES or not any(map(_has_long_text, rows)):
            return batch, rows
        rows = [tuple(_clean(value) for value in row) for row in rows]
        return encode(columns, rows), rows
    except _NOT_TO_BE_WRITTEN:
        good = []
        for row in rows:
            clean = tuple(_clean(value) for value in row)
            try:
                encode(columns, [clean])
            except _NOT_TO_BE_WRITTEN:
                continue
            good.append(clean)
        return encode(columns, good), good


_NOT_TO_BE_WRITTEN = (TypeError, ValueError, AttributeError, OverflowError)
"""UnicodeEncodeError is a ValueError."""


def _has_long_text(row: Row) -> bool:
    return any(
        isinstance(value, str)
        and len(value) > STRING_BYTES // 4
        and len(value.encode()) > STRING_BYTES
        for value in row
    )


def _clean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    data = value.encode("utf-8", "replace")
    if len(data) > STRING_BYTES:
        # One name that is too long would make readers refuse the whole table.
        mark = "…".encode()
        return data[: STRING_BYTES - len(mark)].decode("utf-8", "ignore") + "…"
    return data.decode("utf-8")


class _Stream:
    """The file of one table."""

    def __init__(self, path: Path, table: str) -> None:
        # Never a file that is there, nor one that a link points to: it would not be ours.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._good_bytes = 0
        self._head = schema_message(TABLES[table].columns)
        """Leaves with the first batch."""

    def append(self, batch: EncodedBatch) -> int:
        """Write a batch; returns its bytes.

        Raises:
            OSError: it did not fit; the file ends with the batch before.
        """
        data = self._head + batch.message
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self._good_bytes)
            raise
        self._head = b""
        self._good_bytes += len(data)
        return len(data)

    @property
    def is_empty(self) -> bool:
        """Whether no batch has fitted so far."""
        return not self._good_bytes

    def sync(self) -> None:
        """Have the disk keep what was written.

        Raises:
            OSError: it does not.
        """
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file. The end mark is not written: `meta.json` says what was closed."""
        os.close(self._fd)


class LiveSegment:
    """The segment that is being written: in its files alone, none of it stays in memory."""

    def __init__(self, directory: Path, number: int) -> None:
        self.directory = directory
        self.number = number
        self.file_bytes = 0
        self.rows = 0
        self._streams: dict[str, _Stream] = {}

    def append(self, table: str, rows: Sequence[Row]) -> int:
        """Write rows; returns how many could not be written.

        Raises:
            OSError: the disk did not take them.
        """
        if not rows:
            return 0
        batch, good = batch_of(table, rows)
        if batch.rows:
            self._append(table, batch, good)
        return len(rows) - batch.rows

    def _append(self, table: str, batch: EncodedBatch, rows: Sequence[Row]) -> None:
        if len(batch.message) > WRITE_BYTES and batch.rows > 1:
            for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                self._append(table, encode(TABLES[table].columns, half), half)
            return
        stream = self._streams.get(table)
        path = self.directory / file_name(table, self.number, "arrows")
        if stream is None:
            stream = self._streams[table] = _Stream(path, table)
        try:
            self.file_bytes += stream.append(batch)
        except OSError:
            if stream.is_empty:  # a reader would take what is left of it for damage
                self._streams.pop(table).close()
                path.unlink(missing_ok=True)
            raise
        self.rows += batch.rows

    def sync(self) -> None:
        """Have the disk keep what was written.

        Raises:
            OSError: it does not.
        """
        for stream in self._streams.values():
            stream.sync()

    def close(self) -> None:
        """Close the files."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
