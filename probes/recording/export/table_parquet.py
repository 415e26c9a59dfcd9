"""Parquet: zstd, with checksums; units in the fields' metadata."""

from __future__ import annotations

from typing import Any, BinaryIO


def write_table(table: Any, out: BinaryIO) -> None:
    """See `Exporter.write_table`."""
    import pyarrow.parquet as pq

    pq.write_table(table, out, compression="zstd", write_page_checksum=True)
