"""The live segment: one Arrow IPC stream per table, a batch a second, readable at any moment.

A kill at any byte leaves all complete batches readable. Every batch leaves with one `write`, so
that a full disk can be undone to the last whole batch.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.limits import MIB, STRING_BYTES
from perftui.probes.recording.format.schema import arrow_schema
from perftui.probes.recording.format.tables import RECORDED

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


def batch_of(table: str, rows: Sequence[Row]) -> tuple[Any, int]:
    """Return (record batch, rows that could not be written).

    What a target says may not fit: lone surrogates in a name are replaced, a text longer than
    readers accept is cut, a row with a number beyond 64 bits is left out.
    """
    pa = arrow()
    schema = arrow_schema(table)
    try:
        batch = _batch(pa, schema, rows)
        if not _has_long_text(pa, batch):
            return batch, 0
        return _batch(pa, schema, [tuple(_clean(value) for value in row) for row in rows]), 0
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        good = []
        for row in rows:
            clean = tuple(_clean(value) for value in row)
            try:
                _batch(pa, schema, [clean])
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
                continue
            good.append(clean)
        return _batch(pa, schema, good), len(rows) - len(good)


def _batch(pa: Any, schema: Any, rows: Sequence[Row]) -> Any:
    if not rows:
        return pa.RecordBatch.from_pylist([], schema=schema)
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _has_long_text(pa: Any, batch: Any) -> bool:
    if batch.nbytes <= STRING_BYTES:
        return False  # all of it together is not too long
    pc = compute()
    return any(
        (pc.max(pc.binary_length(column)).as_py() or 0) > STRING_BYTES
        for column in batch.columns
        if pa.types.is_string(column.type)
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


class _Pending(io.RawIOBase):
    """Gathers what the stream writer says until it leaves in one write."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += data
        return len(data)


class _Stream:
    """The file of one table."""

    def __init__(self, path: Path, schema: Any) -> None:
        pa = arrow()
        # Never a file that is there, nor one that a link points to: it would not be ours.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._good_bytes = 0
        self._pending = _Pending()
        options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
        self._writer = pa.ipc.new_stream(self._pending, schema, options=options)

    def append(self, batch: Any) -> int:
        """Write a batch; returns its bytes.

        Raises:
            OSError: it did not fit; the file ends with the batch before.
        """
        self._writer.write_batch(batch)
        data = bytes(self._pending.data)
        self._pending.data.clear()
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self._good_bytes)
            raise
        self._good_bytes += len(data)
        return len(data)

    @property
    def is_empty(self) -> bool:
        """Whether no batch has fitted so far."""
        return not self._good_bytes

    def close(self) -> None:
        """Close the file. The end mark is not written: `meta.json` says what was closed."""
        os.close(self._fd)


class LiveSegment:
    """The segment that is being written. Its batches stay in memory until it is sealed."""

    def __init__(self, directory: Path, number: int) -> None:
        self.directory = directory
        self.number = number
        self.batches: dict[str, list[Any]] = {}
        self.file_bytes = 0
        self.rows = 0
        self.memory_bytes = 0
        """Of its batches, decoded."""
        self._streams: dict[str, _Stream] = {}

    def append(self, table: str, rows: Sequence[Row]) -> int:
        """Write rows; returns how many could not be written.

        Raises:
            OSError: the disk did not take them.
        """
        batch, lost = batch_of(table, rows)
        if batch.num_rows:
            self._append(table, batch)
        return lost

    def _append(self, table: str, batch: Any) -> None:
        if batch.nbytes > WRITE_BYTES and batch.num_rows > 1:
            half = batch.num_rows // 2
            self._append(table, batch.slice(0, half))
            self._append(table, batch.slice(half))
            return
        stream = self._streams.get(table)
        path = self.directory / file_name(table, self.number, "arrows")
        if stream is None:
            stream = self._streams[table] = _Stream(path, arrow_schema(table))
        try:
            self.file_bytes += stream.append(batch)
        except OSError:
            if stream.is_empty:  # a reader would take what is left of it for damage
                self._streams.pop(table).close()
                path.unlink(missing_ok=True)
            raise
        self.batches.setdefault(table, []).append(batch)
        self.rows += batch.num_rows
        self.memory_bytes += batch.nbytes

    def tables(self) -> dict[str, Any]:
        """Return what was written, as `pyarrow.Table` by name."""
        pa = arrow()
        return {
            name: pa.Table.from_batches(self.batches[name])
            for name in RECORDED
            if name in self.batches
        }

    def close(self) -> None:
        """Close the files."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
