"""Columns that a form of output cannot hold as they are, and the casts that make them fit.

DuckDB's clients do not hand every type over: times with a zone need a package that may not be
there, an interval of months becomes days, a time loses its offset in Arrow, Parquet has no
unions. DuckDB itself can write all of them as text, exactly; so what does not fit is cast
before it is handed over, and nothing else is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Form = Literal["text", "json", "arrow", "parquet"]

_TEXT = "VARCHAR"
_NESTED = ("list", "array", "struct", "map", "union", "tuple")
_PLAIN = frozenset(
    [
        *("boolean", "null", "float", "double", "decimal", "varchar", "char", "enum", "uuid"),
        *("tinyint", "smallint", "integer", "bigint", "hugeint"),
        *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    ]
)
"""What Python's own values hold exactly."""
_NOT_IN_ARROW = frozenset(["bit", "bignum", "varint", "uhugeint", "time with time zone"])
"""Also what would arrive as another value: its largest uhugeint is -1 there."""
_NOT_IN_PARQUET = _NOT_IN_ARROW | {"interval", "union"}


def casts(types: list[Any], form: Form) -> list[str | None]:
    """Return for each column the type to cast it to, None where it fits as it is.

    Args:
        types: The `DuckDBPyType` of each column, None if it is not known to this DuckDB.
        form: Where the columns go.
    """
    return [_cast(kind, form) for kind in types]


def _cast(kind: Any, form: Form) -> str | None:
    if form in ("arrow", "parquet"):
        lacking = _NOT_IN_ARROW if form == "arrow" else _NOT_IN_PARQUET
        return None if kind is None else _inside(kind, lambda leaf: leaf not in lacking, form)
    if kind is None:
        return _TEXT
    if form == "text" and kind.id in _NESTED:
        return _TEXT  # one cell: as DuckDB writes it
    return _inside(kind, _PLAIN.__contains__, form)


def _inside(kind: Any, fits: Callable[[str], bool], form: Form) -> str | None:
    """Return the type with every part that does not fit as text, None if all do."""
    name = kind.id
    if name in ("list", "array"):
        children = dict(kind.children)
        within = _inside(children["child"], fits, form)
        size = children.get("size", "")
        return None if within is None else f"{within}[{size}]"
    if name == "map":
        children = dict(kind.children)
        key, value = (_inside(children[part], fits, form) for part in ("key", "value"))
        if key is None and value is None:
            return None
        return f"MAP({key or children['key']}, {value or children['value']})"
    if name == "struct":
        if not kind.children:
            return _TEXT if form == "parquet" else None
        fields = [(field, part, _inside(part, fits, form)) for field, part in kind.children]
        if all(within is None for _, _, within in fields):
            return None
        inner = ", ".join(f"{quoted(field)} {within or part}" for field, part, within in fields)
        return f"STRUCT({inner})"
    if name in ("union", "tuple"):
        # Their members cannot be cast one by one.
        whole = form != "parquet" or name == "tuple"
        parts = [part for _, part in kind.children]
        if whole and all(_inside(part, fits, form) is None for part in parts):
            return None
        return _TEXT
    return None if fits(name) else _TEXT


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
