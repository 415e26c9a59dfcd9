"""Arrow IPC streams, written with the standard library alone.

pyarrow takes 40 MiB and 60 ms of CPU to be there at all, and a live segment needs only four types,
no nesting, no dictionaries and no compression: the format (arrow.apache.org/docs/format, "IPC
Streaming Format", metadata version V5) is few bytes then. The metadata are flatbuffers; each is
laid out here front to back: a table's vtable, the table, then what it points to.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.recording.format.columns import ColumnSpec, ColumnType

_CONTINUATION = 0xFFFFFFFF
_V5 = 4
_SCHEMA, _RECORD_BATCH = 1, 3
_INT, _FLOATING_POINT, _UTF8, _BOOL = 2, 3, 5, 6
_DOUBLE = 2
_ALIGN = 8
_BIG_ENDIAN = sys.byteorder == "big"
"""Numbers of the body are as the machine has them, and the schema says so."""


class EncodedBatch(NamedTuple):
    """A record batch as the message that it is in a stream."""

    rows: int
    message: bytes


class _Flat:
    """A flatbuffer that is written from its beginning on; what is pointed to comes later."""

    def __init__(self) -> None:
        self.data = bytearray(4)
        """Begins with the offset of the root table."""

    def pad(self, to: int) -> None:
        self.data += bytes(-len(self.data) % to)

    def point(self, at: int) -> None:
        """Let the offset at `at` point to what is written next."""
        struct.pack_into("<I", self.data, at, len(self.data) - at)

    def table(self, at: int, fields: Sequence[tuple[int, str, int]]) -> dict[int, int]:
        """Write a table that `at` points to; return where its offsets are, by field number.

        Args:
            at: Of the offset to it.
            fields: Number, format ("u" is an offset to be filled in) and value of each.
        """
        count = max((number for number, _, _ in fields), default=-1) + 1
        places: dict[int, int] = {}
        body = bytearray(4)
        for number, form, value in sorted(fields, key=_by_size):
            size = struct.calcsize("<" + form.replace("u", "I"))
            body += bytes(-len(body) % size)
            places[number] = len(body)
            body += struct.pack("<" + form.replace("u", "I"), value)
        vtable = struct.pack("<HH", 4 + 2 * count, len(body))
        vtable += b"".join(struct.pack("<H", places.get(number, 0)) for number in range(count))
        self.data += bytes(-(len(self.data) + len(vtable)) % _ALIGN)
        start = len(self.data) + len(vtable)
        struct.pack_into("<i", body, 0, len(vtable))
        self.data += vtable
        self.point(at)
        self.data += body
        return {number: start + places[number] for number, form, _ in fields if form == "u"}

    def text(self, at: int, value: str) -> None:
        """Write a text that `at` points to."""
        raw = value.encode()
        self.pad(4)
        self.point(at)
        self.data += struct.pack("<I", len(raw)) + raw + b"\0"

    def offsets(self, at: int, count: int) -> list[int]:
        """Write a vector of offsets that `at` points to; return where they are."""
        self.pad(4)
        self.point(at)
        self.data += struct.pack("<I", count)
        first = len(self.data)
        self.data += bytes(4 * count)
        return [first + 4 * index for index in range(count)]

    def pairs(self, at: int, pairs: Sequence[int]) -> None:
        """Write a vector of structs of two int64 that `at` points to."""
        self.data += bytes((4 - len(self.data)) % _ALIGN)
        self.point(at)
        self.data += struct.pack(f"<I{len(pairs)}q", len(pairs) // 2, *pairs)


def _by_size(field: tuple[int, str, int]) -> tuple[int, int]:
    return -struct.calcsize("<" + field[1].replace("u", "I")), field[0]


def _message(kind: int, body_bytes: int) -> tuple[_Flat, int]:
    """Return a message without its header, and where the offset to that is."""
    flat = _Flat()
    places = flat.table(0, [(0, "h", _V5), (1, "B", kind), (2, "u", 0), (3, "q", body_bytes)])
    return flat, places[2]


def _framed(flat: _Flat) -> bytes:
    flat.pad(_ALIGN)
    return struct.pack("<Ii", _CONTINUATION, len(flat.data)) + flat.data


def schema_message(columns: Sequence[ColumnSpec]) -> bytes:
    """Return the message that a stream begins with; units are in the fields' metadata."""
    flat, header = _message(_SCHEMA, 0)
    fields = flat.table(header, [(0, "h", _BIG_ENDIAN), (1, "u", 0)])[1]
    for at, column in zip(flat.offsets(fields, len(columns)), columns, strict=True):
        kind, kind_fields = _TYPES[column.type]
        parts = [(0, "u", 0), (1, "?", 1), (2, "B", kind), (3, "u", 0), (5, "u", 0)]
        if column.unit:
            parts.append((6, "u", 0))
        places = flat.table(at, parts)
        flat.text(places[0], column.name)
        flat.table(places[3], kind_fields)
        flat.offsets(places[5], 0)
        if column.unit:
            (pair,) = flat.offsets(places[6], 1)
            key_and_value = flat.table(pair, [(0, "u", 0), (1, "u", 0)])
            flat.text(key_and_value[0], "unit")
            flat.text(key_and_value[1], column.unit)
    return _framed(flat)


_TYPES: dict[ColumnType, tuple[int, list[tuple[int, str, int]]]] = {
    "i64": (_INT, [(0, "i", 64), (1, "?", 1)]),
    "f64": (_FLOATING_POINT, [(0, "h", _DOUBLE)]),
    "str": (_UTF8, []),
    "bool": (_BOOL, []),
}


def encode(columns: Sequence[ColumnSpec], rows: Sequence[Sequence[Any]]) -> EncodedBatch:
    """Return rows as a record batch.

    Raises:
        TypeError: a value is not of its column's type.
        OverflowError: a number is beyond 64 bits.
        UnicodeEncodeError: a text has lone surrogates.
        ValueError: a row has more or fewer values than there are columns.
    """
    body = bytearray()
    nodes: list[int] = []
    buffers: list[int] = []
    by_column = zip(*rows, strict=True) if rows else ((),) * len(columns)
    for values, column in zip(by_column, columns, strict=True):
        nulls = values.count(None)
        nodes += (len(values), nulls)
        valid = _bits([value is not None for value in values]) if nulls else b""
        for buffer in (valid, *_ENCODE[column.type](values, nulls)):
            buffers += (len(body), len(buffer))
            body += buffer
            body += bytes(-len(body) % _ALIGN)
    flat, header = _message(_RECORD_BATCH, len(body))
    places = flat.table(header, [(0, "q", len(rows)), (1, "u", 0), (2, "u", 0)])
    flat.pairs(places[1], nodes)
    flat.pairs(places[2], buffers)
    return EncodedBatch(len(rows), _framed(flat) + body)


def _bits(values: Sequence[bool]) -> bytes:
    """Pack bits, the first one lowest."""
    number = int("".join(["1" if value else "0" for value in reversed(values)]) or "0", 2)
    return number.to_bytes((len(values) + 7) // 8, "little")


def _integers(values: Sequence[Any], nulls: int) -> tuple[bytes]:
    numbers = [0 if value is None else value for value in values] if nulls else values
    try:
        return (array("q", numbers).tobytes(),)
    except TypeError:
        return (array("q", [_whole(number) for number in numbers]).tobytes(),)


def _whole(number: Any) -> int:
    """Return a float that is a whole number as one; any other number as it is."""
    if isinstance(number, float):
        if not number.is_integer():
            raise TypeError("not a whole number")
        return int(number)
    if isinstance(number, int):
        return number
    raise TypeError("not a number")


def _floats(values: Sequence[Any], nulls: int) -> tuple[bytes]:
    numbers = [0.0 if value is None else value for value in values] if nulls else values
    return (array("d", numbers).tobytes(),)


def _texts(values: Sequence[Any], nulls: int) -> tuple[bytes, bytes]:
    raw = [b"" if value is None else value.encode() for value in values]
    ends = array("i", [0])
    end = 0
    for text in raw:
        end += len(text)
        ends.append(end)
    return ends.tobytes(), b"".join(raw)


def _booleans(values: Sequence[Any], nulls: int) -> tuple[bytes]:
    if not all(value is None or isinstance(value, bool) for value in values):
        raise TypeError("neither true nor false")
    return (_bits([value is True for value in values]),)


_ENCODE: dict[ColumnType, Callable[[Sequence[Any], int], tuple[bytes, ...]]] = {
    "i64": _integers,
    "f64": _floats,
    "str": _texts,
    "bool": _booleans,
}
