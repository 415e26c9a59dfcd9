"""CSV: RFC 4180, UTF-8, times of day in ISO 8601, an empty field for what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from perftui.probes.export.tables.text import with_text_times

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_table(parts: Iterable[Any], out: BinaryIO) -> None:
    """See `Exporter.write_table`."""
    from pyarrow import csv

    writer = None
    for part in parts:
        rows = _without_zeros(with_text_times(part))
        if writer is None:
            options = csv.WriteOptions(quoting_style="needed")
            writer = csv.CSVWriter(out, rows.schema, write_options=options)
        writer.write_table(rows)
    if writer is not None:
        writer.close()


def _without_zeros(table: Any) -> Any:
    """Return the table without the character 0, which no reader of CSV takes, quoted or not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            clean = pc.replace_substring(table.column(at), "\0", "\N{REPLACEMENT CHARACTER}")
            table = table.set_column(at, field, clean)
    return table
