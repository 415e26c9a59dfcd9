"""What travels between the two ends: frames, each one byte of kind, four of length, a payload.

Far to near, after `MAGIC` (whatever comes before that is a login shell's greeting):

    HELLO    JSON: protocol, version of perftui, language ("own" or "arrow"), clock, target
    SORRY    JSON: kind and text; nothing follows
    PACKED   zlib: frames of the kinds below, one deflate stream over the whole connection
    RECORDS  JSON: [[number of the kind in `RECORD_KINDS`, field, ...], ...], times of the far clock
    SAMPLER  bytes of the sampler's stream (`probes/sampler/stream`)
    OUTPUT   one byte of stream (1 or 2), then what the program wrote
    PONG     JSON: the ping's number, and the far clock
    FILE     JSON line with name and offset, then bytes: a piece of a recording ("arrow" alone)
    BYE      JSON: all has been told

Near to far: ORDER, JSON. The end of the near end's stream is an order to end, too.
This file is read by Python 3.9.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

from perftui.probes.spine import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from perftui.probes.spine.records import Record

PROTOCOL = 1
MAGIC = b"\x00perftui\x00"
HELLO, SORRY, PACKED, RECORDS, SAMPLER, OUTPUT, PONG, FILE, BYE = b"HSZRWOPFB"
ORDER = ord("D")
HEAD = struct.Struct("<BI")
MOST_FRAME = 1 << 24
"""A length beyond this is damage: the far end cuts what is longer."""

RECORD_KINDS: tuple[type[Record], ...] = (
    records.ProcessStart,
    records.Metric,
    records.ThreadCpu,
    records.MemoryPart,
    records.Notice,
    records.Gap,
    records.Exit,
    records.Overhead,
)
"""What the probes of the far end say. The order is the protocol's."""
_LARGEST = 1 << 62
_NUMBER = {kind: number for number, kind in enumerate(RECORD_KINDS)}


class DamagedFrames(ValueError):
    """What came is not what a far end of this version says."""


def frame(kind: int, payload: bytes) -> bytes:
    """Return one frame."""
    return HEAD.pack(kind, len(payload)) + payload


def said(kind: int, what: object) -> bytes:
    """Return a frame whose payload is JSON."""
    return frame(kind, json.dumps(what, separators=(",", ":")).encode("utf-8", "replace"))


def told(payload: bytes) -> dict[str, Any]:
    """Return the JSON object of a payload.

    Raises:
        DamagedFrames: it is none.
    """
    try:
        what = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise DamagedFrames("a frame without JSON in it") from error
    if not isinstance(what, dict):
        raise DamagedFrames("a frame without an object in it")
    return what


def pack_records(batch: Sequence[Record]) -> bytes:
    """Return the payload of a RECORDS frame. Records of kinds that do not travel are left out."""
    rows = [(_NUMBER[type(record)], *record) for record in batch if type(record) in _NUMBER]
    return json.dumps(rows, separators=(",", ":")).encode("utf-8", "replace")


def unpack_records(payload: bytes) -> list[Record]:
    """Return the records of a RECORDS frame, times as they are told.

    Raises:
        DamagedFrames: they make no sense.
    """
    try:
        rows = json.loads(payload)
        if not isinstance(rows, list):
            raise TypeError(type(rows))
        return [_record(row) for row in rows]
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise DamagedFrames(f"records that make no sense ({type(error).__name__})") from error


def _record(row: Any) -> Record:
    number, *fields = row
    if type(number) is not int or number < 0:
        raise ValueError(number)
    kind = RECORD_KINDS[number]
    for field in fields:
        if type(field) is int and not -_LARGEST < field < _LARGEST:
            raise ValueError(field)
        if type(field) is float and not -_LARGEST < field < _LARGEST:  # nor is it NaN
            raise ValueError(field)
        if isinstance(field, (dict, list)) and kind is not records.ProcessStart:
            raise TypeError(field)
    for name, field in zip(kind._fields, fields):  # noqa: B905 - Python 3.9
        at_time = name in ("t_ns", "t0_ns", "t1_ns", "pid", "tid")
        if at_time and type(field) is not int:
            raise TypeError(name)
    if kind is records.ProcessStart:
        fields[3] = tuple(str(word) for word in fields[3])
    return kind(*fields)


class FrameReader:
    """Feed it bytes as they come; it gives whole frames.

    Args:
        greeting: Bytes that may come before `MAGIC`; 0 for a stream that begins with a frame.
    """

    def __init__(self, greeting: int = 0) -> None:
        self._rest = b""
        self._greeting = greeting
        self._begun = not greeting
        self.before = b""
        """What came instead of `MAGIC` so far, its last part."""

    @property
    def begun(self) -> bool:
        """Whether `MAGIC` has come."""
        return self._begun

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (kind, payload) of the frames that are complete now.

        Raises:
            DamagedFrames: the bytes make no sense.
        """
        data = self._rest + data if self._rest else data
        if not self._begun:
            at = data.find(MAGIC)
            if at < 0:
                self._greeting -= max(len(data) - len(MAGIC), 0)
                self.before = (self.before + data[: -len(MAGIC)])[-4096:]
                self._rest = data[-len(MAGIC) :]
                if self._greeting <= 0:
                    raise DamagedFrames("something else answers there")
                return
            data = data[at + len(MAGIC) :]
            self._begun = True
        at = 0
        while len(data) - at >= HEAD.size:
            kind, size = HEAD.unpack_from(data, at)
            if size > MOST_FRAME:
                self._rest = b""
                raise DamagedFrames(f"a frame of {size} bytes")
            end = at + HEAD.size + size
            if end > len(data):
                break
            payload = data[at + HEAD.size : end]
            at = end
            self._rest = data[at:]
            yield kind, payload
        self._rest = data[at:]
