"""The tables of a recording as pyarrow knows them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import arrow
from perftui.probes.recording.format.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable


@lru_cache(maxsize=64)
def arrow_schema(name: str) -> Any:
    """Return the `pyarrow.Schema` of a table; units are in the fields' metadata."""
    pa = arrow()
    types = {"i64": pa.int64(), "f64": pa.float64(), "str": pa.string(), "bool": pa.bool_()}
    return pa.schema(
        [
            pa.field(
                column.name,
                types[column.type],
                metadata={"unit": column.unit} if column.unit else None,
            )
            for column in TABLES[name].columns
        ]
    )


def empty(name: str, columns: Iterable[str] | None = None) -> Any:
    """Return an empty `pyarrow.Table` of a table's schema."""
    table = arrow_schema(name).empty_table()
    return table if columns is None else table.select(list(columns))
