"""Just enough of Thrift's compact protocol to read the headers of a Parquet file.

pyarrow ends the whole process on some damaged footers; so they are read here first.
"""

from __future__ import annotations

from typing import Any

_DEPTH = 12
_LONGEST_LIST = 100_000
_BOOLS = (1, 2)


class ThriftError(ValueError):
    """The bytes are no such header."""


def read_struct(data: bytes, at: int, end: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """Return (fields by number, offset behind the struct).

    Raises:
        ThriftError: it does not end before `end`, or holds what no Parquet header holds.
    """
    if depth > _DEPTH:
        raise ThriftError("a header is nested too deep")
    fields: dict[int, Any] = {}
    number = 0
    while True:
        head, at = _byte(data, at, end)
        if head == 0:
            return fields, at
        kind, delta = head & 0x0F, head >> 4
        if delta:
            number += delta
        else:
            number, at = _zigzag(data, at, end)
        if number in fields:
            raise ThriftError("a header has a field twice")
        if kind in _BOOLS:
            fields[number] = kind == 1
        else:
            fields[number], at = _value(data, at, end, kind, depth)


def _value(data: bytes, at: int, end: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind == 3 or kind in _BOOLS:
        return _byte(data, at, end)
    if kind in (4, 5, 6):
        return _zigzag(data, at, end)
    if kind == 7:
        return None, _inside(at + 8, end)
    if kind == 8:
        length, at = _varint(data, at, end)
        return data[at : at + length], _inside(at + length, end)
    if kind == 9:
        return _list(data, at, end, depth)
    if kind == 12:
        return read_struct(data, at, end, depth + 1)
    raise ThriftError("a header holds what none does")


def _list(data: bytes, at: int, end: int, depth: int) -> tuple[list[Any], int]:
    head, at = _byte(data, at, end)
    count, kind = head >> 4, head & 0x0F
    if count == 15:
        count, at = _varint(data, at, end)
    if count > min(_LONGEST_LIST, end - at):
        raise ThriftError("a header has too long a list")
    items = []
    for _ in range(count):
        item, at = _value(data, at, end, kind, depth + 1)
        items.append(item)
    return items, at


def _byte(data: bytes, at: int, end: int) -> tuple[int, int]:
    if at >= end:
        raise ThriftError("a header is cut off")
    return data[at], at + 1


def _inside(at: int, end: int) -> int:
    if at > end:
        raise ThriftError("a header is cut off")
    return at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = _byte(data, at, end)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ThriftError("a number in a header is too long")


def _zigzag(data: bytes, at: int, end: int) -> tuple[int, int]:
    value, at = _varint(data, at, end)
    return (value >> 1) ^ -(value & 1), at
