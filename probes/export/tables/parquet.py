"""Parquet: zstd, with checksums; units in the fields' metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_table(parts: Iterable[Any], out: BinaryIO) -> None:
    """See `Exporter.write_table`."""
    import pyarrow.parquet as pq

    writer = None
    for part in parts:
        if writer is None:
            writer = pq.ParquetWriter(
                out, part.schema, compression="zstd", write_page_checksum=True
            )
        writer.write_table(part)
    if writer is not None:
        writer.close()
