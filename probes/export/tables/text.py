"""What the text formats of tables have in common."""

from __future__ import annotations

from typing import Any


def with_text_times(table: Any) -> Any:
    """Return the table with its times of day as ISO 8601 text: 2026-03-14T10:15:00.123456Z."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            plain = table.column(at).cast(pa.timestamp("us"))
            text = pc.strftime(plain, format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(at, pa.field(field.name, pa.string()), text)
    return table
