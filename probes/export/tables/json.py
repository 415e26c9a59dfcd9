"""JSON: one array of objects, a line each; null for what is not known."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, BinaryIO

from perftui.probes.export.tables.text import with_text_times

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_table(parts: Iterable[Any], out: BinaryIO) -> None:
    """See `Exporter.write_table`."""
    first = True
    out.write(b"[")
    for part in parts:
        for batch in with_text_times(part).to_batches(max_chunksize=10_000):
            lines = [_line(row) for row in batch.to_pylist()]
            if lines:
                text = ("\n" if first else ",\n") + ",\n".join(lines)
                out.write(text.encode("utf-8", "replace"))
                first = False
    out.write(b"\n]\n")


def _line(row: dict[str, Any]) -> str:
    for name, value in row.items():
        if isinstance(value, float) and not math.isfinite(value):
            row[name] = None
    return json.dumps(row, ensure_ascii=False, allow_nan=False)
