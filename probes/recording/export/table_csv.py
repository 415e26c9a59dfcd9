"""CSV: RFC 4180, UTF-8, times of day in ISO 8601, an empty field for what is not known."""

from __future__ import annotations

from typing import Any, BinaryIO

from perftui.probes.recording.export.table_text import with_text_times


def write_table(table: Any, out: BinaryIO) -> None:
    """See `Exporter.write_table`."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    table = with_text_times(table)
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            # No reader of CSV takes the character 0, quoted or not.
            clean = pc.replace_substring(table.column(at), "\0", "\N{REPLACEMENT CHARACTER}")
            table = table.set_column(at, field, clean)
    csv.write_csv(table, out, csv.WriteOptions(quoting_style="needed"))
