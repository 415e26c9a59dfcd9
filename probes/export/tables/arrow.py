"""Arrow IPC file (Feather 2), not compressed, so that it can be memory-mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_table(parts: Iterable[Any], out: BinaryIO) -> None:
    """See `Exporter.write_table`."""
    import pyarrow as pa

    writer = None
    for part in parts:
        if writer is None:
            writer = pa.ipc.new_file(out, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()
