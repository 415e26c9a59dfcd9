"""Rows of a query as a table, CSV, JSON, Parquet or Arrow."""

from __future__ import annotations

import csv
import io
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from perftui.probes.text.columns import aligned, widths_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.export.tables.spreadsheet import Guard
    from perftui.probes.recording.sql.query import Result
    from perftui.probes.recording.sql.readable import Form

FORMATS = ("table", "csv", "json", "parquet", "arrow")
BINARY = ("parquet", "arrow")
_WIDEST = 80
"""Of a column of the table; the other formats cut nothing."""
_NUMBERS = (int, float, Decimal)


def form_of(kind: str) -> Form:
    """Return the form in which a format of `FORMATS` takes its rows."""
    forms: dict[str, Form] = {"json": "json", "parquet": "parquet", "arrow": "arrow"}
    return forms.get(kind, "text")


def write(
    result: Result, kind: str, file: BinaryIO, limit: int | None, guard: Guard | None = None
) -> int:
    """Write the rows of a result, at most `limit`; returns how many there were.

    Args:
        result: The rows.
        kind: One of `FORMATS`.
        file: Where to.
        limit: How many; None: all.
        guard: Of csv: takes the formulas out of cells, for spreadsheets.

    Raises:
        OSError: the file does not take them.
    """
    if kind in BINARY:
        return _write_arrow(result, kind, file, limit)
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
    try:
        if kind == "csv":
            return _write_csv(result, text, limit, guard)
        if kind == "json":
            return _write_json(result, text, limit)
        return _write_table(result, text, limit)
    finally:
        text.flush()
        text.detach()


def _write_csv(
    result: Result, file: io.TextIOWrapper, limit: int | None, guard: Guard | None
) -> int:
    writer = csv.writer(_Lines(file))
    names: Iterable[Any] = result.columns
    writer.writerow(names if guard is None else map(guard.cell, names))
    count = 0
    for row in result.rows(limit):
        writer.writerow(row if guard is None else map(guard.cell, row))
        count += 1
    return count


class _Lines:
    """Takes rows as csv ends them, CR LF, and ends them with LF.

    With a plain LF as its terminator, csv would leave a cell with a CR unquoted (before Python
    3.13), and every reader takes that for the end of the row.
    """

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file

    def write(self, row: str) -> int:
        """Write one row."""
        return self._file.write(row.removesuffix("\r\n") + "\n")


def _write_json(result: Result, file: io.TextIOWrapper, limit: int | None) -> int:
    count = 0
    file.write("[")
    for row in result.rows(limit):
        named = {name: _plain(value) for name, value in zip(result.columns, row, strict=True)}
        file.write(",\n " if count else "\n ")
        file.write(json.dumps(named, ensure_ascii=False, allow_nan=False))
        count += 1
    file.write("\n]\n")
    return count


def _plain(value: Any) -> Any:
    """Return what JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _number(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)


def _number(value: Decimal) -> int | float | str:
    """Return a decimal as a number if all of its digits survive that, else as text."""
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else str(value)


def _write_arrow(result: Result, kind: str, file: BinaryIO, limit: int | None) -> int:
    table = result.arrow(limit)
    _check_decimals(table)
    sink: Any = file
    if kind == "parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(table, sink, compression="zstd")
    else:
        import pyarrow

        with pyarrow.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return int(table.num_rows)


def _check_decimals(table: Any) -> None:
    """Refuse integers of more than 38 digits, which Arrow's decimals would hold wrongly.

    Raises:
        RecordingError: there are some.
    """
    import pyarrow as pa

    from perftui.probes.recording.format.limits import RecordingError

    for name, column in zip(table.column_names, table.columns, strict=True):
        if "decimal128(38, 0)" in str(column.type):  # also inside of lists and structs
            try:
                column.validate(full=True)
            except pa.ArrowInvalid:
                raise RecordingError(
                    f"{name} has integers of more than 38 digits: select {name}::VARCHAR instead"
                ) from None


def _write_table(result: Result, file: io.TextIOWrapper, limit: int | None) -> int:
    rows = list(result.rows(limit))
    if result.columns == ["explain_key", "explain_value"]:
        for row in rows:
            file.write(f"{row[1]}\n")
        return len(rows)
    cells = [[_cell(value) for value in row] for row in rows]
    names = [_clean(name) for name in result.columns]
    right = {
        at
        for at in range(len(names))
        if all(row[at] is None or isinstance(row[at], _NUMBERS) for row in rows)
    }
    rules = ["─" * width for width in widths_of([names, *cells])]
    for line in aligned([names, rules, *cells], right=right):
        file.write(f"{line}\n")
    return len(rows)


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.3f}".rstrip("0").rstrip(".")
    text = _clean(str(value))
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _clean(text: str) -> str:
    """Take out what a terminal would act upon: names come from any program."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
