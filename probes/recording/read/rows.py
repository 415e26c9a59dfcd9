"""Rows of an Arrow table as tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows_of(table: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of some columns, row by row."""
    return zip(*(table[name].to_pylist() for name in names), strict=True)
