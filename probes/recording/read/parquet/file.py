"""Reads sealed segments: Parquet that may be damaged or hostile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow, compute, parquet
from perftui.probes.recording.format.arrow_file import conform, without_damage
from perftui.probes.recording.format.limits import DECODED_BYTES, STRING_BYTES, RecordingError
from perftui.probes.recording.format.schema import arrow_schema
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.read.parquet.layout import check_layout

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_parquet(name: str, data: bytes, columns: Sequence[str] | None = None) -> Any:
    """Return a sealed file of table `name` as `pyarrow.Table`.

    Args:
        name: The table.
        data: The file's bytes.
        columns: Only these; all if not given.

    Raises:
        RecordingError: it is damaged, or not what a recording holds.
    """
    check_layout(name, data)
    pa = arrow()
    try:
        metadata = parquet().read_metadata(pa.BufferReader(data))
        # Decoded, a long text that many rows share would be as many long texts. A file of an
        # older version has not all of them.
        texts = {column.name for column in TABLES[name].columns if column.type == "str"}
        file = parquet().ParquetFile(
            pa.BufferReader(data),
            metadata=metadata,
            page_checksum_verification=True,
            read_dictionary=sorted(texts & set(metadata.schema.names)),
        )
        wanted = _wanted(name, file.schema_arrow, columns)
        table = file.read(columns=wanted, use_threads=False)
        table.validate(full=True)
        table = _with_texts(table)
    except RecordingError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError, TypeError, KeyError) as error:
        text = str(error).strip()
        reason = text.splitlines()[0][:120] if text else type(error).__name__
        raise RecordingError(f"damaged: {reason}") from error
    if columns is None:
        return without_damage(name, conform(name, table))
    for column in columns:
        if column not in wanted:
            kind = arrow_schema(name).field(column)
            table = table.append_column(kind, pa.nulls(table.num_rows, kind.type))
    return without_damage(name, table.select(list(columns)))


def _wanted(name: str, schema: Any, columns: Sequence[str] | None) -> list[str]:
    """Return the columns to read: those of ours that the file has."""
    pa = arrow()
    types = {field.name: field.type for field in arrow_schema(name)}
    have = []
    for field in schema:
        if field.name in types:
            value = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            if value != types[field.name]:
                raise RecordingError(f"damaged: column {field.name} has the type {field.type}")
            have.append(field.name)
    essential = TABLES[name].time
    if not have or (essential is not None and essential not in have):
        raise RecordingError("damaged: its columns are not those of a recording")
    return have if columns is None else [column for column in columns if column in have]


def _with_texts(table: Any) -> Any:
    """Return the table with its dictionaries unpacked, once it is known that they may be."""
    pa, pc = arrow(), compute()
    unpacked_bytes = 0
    for at, field in enumerate(table.schema):
        if not pa.types.is_dictionary(field.type):
            continue
        for chunk in table.column(at).chunks:
            lengths = pc.binary_length(chunk.dictionary)
            if (pc.max(lengths).as_py() or 0) > STRING_BYTES:
                raise RecordingError(f"damaged: a text in {field.name} is longer than 64 KiB")
            unpacked_bytes += pc.sum(pc.cast(lengths, pa.int64()).take(chunk.indices)).as_py() or 0
        if unpacked_bytes > DECODED_BYTES:
            raise RecordingError("damaged: it claims to be larger than a segment may be")
        plain = pa.field(field.name, pa.string(), metadata=field.metadata)
        table = table.set_column(at, plain, table.column(at).cast(pa.string()))
    return table
