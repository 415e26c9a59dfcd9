"""What a table of a recording is: its columns with their types and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ColumnType = Literal["i64", "f64", "str", "bool"]


class ColumnSpec(NamedTuple):
    """One column."""

    name: str
    type: ColumnType
    unit: str = ""
    about: str = ""
    nullable: bool = False
    """Null is "unknown" here; in other columns it is damage."""


class TableSpec(NamedTuple):
    """One table; `time` is the column that its rows are found by."""

    name: str
    about: str
    columns: tuple[ColumnSpec, ...]
    time: str | None = None
    time_end: str | None = None
    """Set if rows last from `time` to here."""
    merged: bool = True
    """Small: the segments of an hour are merged into one file."""
    sort: tuple[str, ...] = ()
    """Order of the rows within a sealed segment, that of arrival if empty."""

    def names(self) -> list[str]:
        """Return the column names in order."""
        return [column.name for column in self.columns]

    def may_be(self, columns: Iterable[str]) -> bool:
        """Tell whether a file with these columns may be one of this table.

        One of an earlier minor version has fewer columns, one of a later has more; one that lacks
        some and has others is of another table.
        """
        have, own = set(columns), set(self.names())
        return have.issuperset(self.required()) and (have >= own or have <= own)

    def required(self) -> list[str]:
        """Return the columns that are never null."""
        return [column.name for column in self.columns if not column.nullable]


def _unit(name: str) -> str:
    for ending, unit in (
        ("_ns", "ns"),
        ("_bytes", "B"),
        ("_per_s", "1/s"),
        ("_s", "s"),
        ("_hz", "Hz"),
        ("_percent", "% of a core"),
        ("_share", "share"),
    ):
        if name.endswith(ending):
            return unit
    return ""


def whole(name: str, about: str = "", nullable: bool = False) -> ColumnSpec:
    """Return a column of int64, with the unit that its name ends in."""
    return ColumnSpec(name, "i64", _unit(name), about, nullable)


def real(name: str, about: str = "", nullable: bool = False) -> ColumnSpec:
    """Return a column of float64, with the unit that its name ends in."""
    return ColumnSpec(name, "f64", _unit(name), about, nullable)


def text(name: str, about: str = "", nullable: bool = False) -> ColumnSpec:
    """Return a column of strings."""
    return ColumnSpec(name, "str", "", about, nullable)


def truth(name: str, about: str = "", nullable: bool = False) -> ColumnSpec:
    """Return a column of booleans."""
    return ColumnSpec(name, "bool", "", about, nullable)


SEQ = whole("seq", "order in which the session took the record")
T_NS = whole("t_ns")
PID = whole("pid")
TID = whole("tid")
