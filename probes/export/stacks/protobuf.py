"""Protocol buffers, written by hand: numbers, and what has a length, are all that profiles need.

The encoding is that of protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def varint(value: int) -> bytes:
    """Return a number in as many bytes as it needs; a negative int64 is ten bytes."""
    value &= (1 << 64) - 1
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def number(field: int, value: int) -> bytes:
    """Return a field that is a number; nothing if it is 0, which is what an absent one means."""
    return varint(field << 3) + varint(value) if value else b""


def fixed64(field: int, value: int) -> bytes:
    """Return a field of eight bytes; nothing if it is 0."""
    return varint(field << 3 | 1) + value.to_bytes(8, "little") if value else b""


def message(field: int, body: bytes) -> bytes:
    """Return a field that has a length: a message, a text, bytes."""
    return varint(field << 3 | 2) + varint(len(body)) + body


def packed(field: int, values: Iterable[int]) -> bytes:
    """Return a field of many numbers."""
    return message(field, b"".join(varint(value) for value in values))
