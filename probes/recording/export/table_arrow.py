"""Arrow IPC file (Feather 2), not compressed, so that it can be memory-mapped."""

from __future__ import annotations

from typing import Any, BinaryIO


def write_table(table: Any, out: BinaryIO) -> None:
    """See `Exporter.write_table`."""
    import pyarrow as pa

    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
