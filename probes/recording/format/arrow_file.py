"""Reads live segments: Arrow IPC streams that may be torn, damaged or hostile.

The messages are walked here, one by one, so that what follows a torn one is not needed, and so
that the sizes which a compressed buffer claims are seen before anything is unpacked.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.limits import BATCH_BYTES, BATCH_ROWS, MIB, STRING_BYTES
from perftui.probes.recording.format.schema import arrow_schema
from perftui.probes.recording.format.tables import TABLES

_CONTINUATION = 0xFFFFFFFF
_SCHEMA, _RECORD_BATCH = 1, 3
_METADATA_BYTES = 1 * MIB


class Torn(Exception):
    """The stream does not go on; the text says why."""


class ArrowTail(NamedTuple):
    """What could be read of a live segment."""

    batches: list[Any]
    end: int
    """Offset behind the last whole batch."""
    torn: str | None
    """Why reading ended there, None at a clean end."""


def read_stream(name: str, data: bytes, schema_seen: bool = False) -> ArrowTail:
    """Read as many whole batches of table `name` as there are.

    Args:
        name: The table.
        data: The file's bytes, from its beginning or from the `end` of an earlier call on.
        schema_seen: True if `data` begins behind the schema.
    """
    pa = arrow()
    batches: list[Any] = []
    offset = 0
    schema = arrow_schema(name) if schema_seen else None
    try:
        while True:
            message = _message(data, offset)
            if message is None:
                return ArrowTail(batches, offset, None)
            kind, header, body_at, end = message
            buffer = pa.py_buffer(memoryview(data)[offset:end])
            if schema is None:
                if kind != _SCHEMA:
                    raise Torn("it does not begin with a schema")
                schema = _our_schema(name, pa.ipc.read_schema(buffer))
            elif kind != _RECORD_BATCH:
                raise Torn("there is something in it that no recording has")
            else:
                _check_sizes(data, header, body_at, end)
                batch = pa.ipc.read_record_batch(buffer, schema)
                batch.validate(full=True)
                _check_texts(batch)
                batches.append(batch)
            offset = end
    except Torn as error:
        return ArrowTail(batches, offset, str(error))
    except (pa.ArrowException, OSError, ValueError, struct.error, MemoryError, TypeError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        return ArrowTail(batches, offset, reason)


def _our_schema(name: str, schema: Any) -> Any:
    """Return the schema of the file, if it is one that a table of this name may have."""
    if len(schema) > 256:
        raise Torn("it has too many columns")
    types = {field.name: field.type for field in arrow_schema(name)}
    for field in schema:
        known = types.get(field.name)
        plain = known if known is not None else _plain(field.type)
        if plain is None or field.type != plain:
            raise Torn(f"its column {field.name[:40]!r} has the wrong type")
    if len({field.name for field in schema}) != len(schema):
        raise Torn("it has a column twice")
    if not TABLES[name].may_be(schema.names):
        raise Torn(f"it is no file of the table {name}")
    return schema


def _plain(kind: Any) -> Any:
    """Return the type itself if a later minor version may have added such a column."""
    pa = arrow()
    plain = (pa.int64(), pa.float64(), pa.string(), pa.bool_())
    return kind if kind in plain else None


def conform(name: str, table: Any) -> Any:
    """Return a table with exactly our columns: missing ones are null, later ones left out."""
    pa = arrow()
    schema = arrow_schema(name)
    if table.schema.names == schema.names:
        return table.cast(schema)
    have = set(table.schema.names)
    columns = [
        table[field.name] if field.name in have else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def without_damage(name: str, table: Any) -> Any:
    """Return the rows that have all that a row of this table must have; infinity is unknown."""
    pa, pc = arrow(), compute()
    have = set(table.column_names)
    for at, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            infinite = pc.is_inf(table.column(at))
            if pc.any(infinite).as_py():
                nothing = pa.scalar(None, field.type)
                known = pc.if_else(infinite, nothing, table.column(at))
                table = table.set_column(at, field, known)
    for column in TABLES[name].required():
        if column in have and table[column].null_count:
            table = table.filter(pc.is_valid(table[column]))
    return table


def table_of(name: str, batches: list[Any]) -> Any:
    """Return batches as one `pyarrow.Table` with our columns."""
    pa = arrow()
    if not batches:
        return arrow_schema(name).empty_table()
    return without_damage(name, conform(name, pa.Table.from_batches(batches)))


def _message(data: bytes, offset: int) -> tuple[int, _Header, int, int] | None:
    """Return (kind, header, start of the body, end) of a message, None at a clean end."""
    rest = len(data) - offset
    if rest == 0:
        return None
    if rest < 8:
        raise Torn("torn")
    mark, length = struct.unpack_from("<Ii", data, offset)
    if length == 0:
        # The end mark, or zeros that a lost power supply left.
        return None
    if mark != _CONTINUATION or not 0 < length <= _METADATA_BYTES:
        raise Torn("damaged")
    body_at = offset + 8 + length
    if body_at > len(data):
        raise Torn("torn")
    message = _Flat(data, offset + 8, body_at).root()
    kind = message.number(1, "B", 0)
    body_bytes = message.number(3, "<q", 0)
    if not 0 <= body_bytes <= BATCH_BYTES:
        raise Torn("damaged")
    if body_at + body_bytes > len(data):
        raise Torn("torn")
    header = message.table(2)
    if header is None:
        raise Torn("damaged")
    return kind, header, body_at, body_at + body_bytes


def _check_sizes(data: bytes, header: _Header, body_at: int, end: int) -> None:
    """See that a record batch claims no more rows and bytes than one may have."""
    if not 0 <= header.number(0, "<q", 0) <= BATCH_ROWS:
        raise Torn("a batch claims too many rows")
    compressed = header.table(3) is not None
    claimed = 0
    for start, length in header.pairs(2):
        if start < 0 or length < 0 or body_at + start + length > end:
            raise Torn("a batch has buffers outside of itself")
        if compressed and length >= 8:
            size = struct.unpack_from("<q", data, body_at + start)[0]
            claimed += max(size, 0)
        claimed += length
    if claimed > BATCH_BYTES:
        raise Torn("a batch claims to be larger than one may be")


def _check_texts(batch: Any) -> None:
    pa = arrow()
    pc = compute()
    for column in batch.columns:
        if column.type == pa.string():
            longest = pc.max(pc.binary_length(column)).as_py()
            if longest is not None and longest > STRING_BYTES:
                raise Torn("a batch has a text longer than one may be")


class _Flat:
    """The bytes of one flatbuffer, with every access inside of it."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.start = start
        self.end = end

    def read(self, form: str, at: int) -> int:
        if at < self.start or at + struct.calcsize(form) > self.end:
            raise Torn("its metadata is damaged")
        value: int = struct.unpack_from(form, self.data, at)[0]
        return value

    def root(self) -> _Header:
        return _Header(self, self.start + self.read("<I", self.start))


class _Header:
    """A table of a flatbuffer: fields by number."""

    def __init__(self, flat: _Flat, at: int) -> None:
        self._flat = flat
        self._at = at
        self._vtable = at - flat.read("<i", at)
        self._fields = (flat.read("<H", self._vtable) - 4) // 2

    def _where(self, number: int) -> int | None:
        if number >= self._fields:
            return None
        offset = self._flat.read("<H", self._vtable + 4 + 2 * number)
        return self._at + offset if offset else None

    def number(self, field: int, form: str, default: int) -> int:
        at = self._where(field)
        return default if at is None else self._flat.read(form, at)

    def table(self, field: int) -> _Header | None:
        at = self._where(field)
        return None if at is None else _Header(self._flat, at + self._flat.read("<I", at))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """Return a vector of structs of two int64."""
        at = self._where(field)
        if at is None:
            return []
        at += self._flat.read("<I", at)
        count = self._flat.read("<I", at)
        if count > 4 * len(TABLES) * 64:
            raise Torn("its metadata is damaged")
        first = at + 4
        read = self._flat.read
        return [
            (read("<q", first + 16 * index), read("<q", first + 16 * index + 8))
            for index in range(count)
        ]
