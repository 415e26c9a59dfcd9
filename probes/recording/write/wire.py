"""What the session tells its recorder process, and how: length-prefixed marshal messages.

marshal, because both ends are the same interpreter and it is the cheapest there is; the pipe is
private to the two. A message is (kind, payload).
"""

from __future__ import annotations

import marshal
import struct
from typing import TYPE_CHECKING, Any

from perftui.probes.spine import records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from perftui.probes.spine.records import Record

START, TARGET, TREE, RECORDS, END = range(5)
_LENGTH = struct.Struct("<I")

KINDS: tuple[type[Record], ...] = (
    records.ProcessStart,
    records.Metric,
    records.ThreadCpu,
    records.ThreadName,
    records.Stack,
    records.StackWindow,
    records.PhaseBegin,
    records.PhaseEnd,
    records.ImportBegin,
    records.ImportEnd,
    records.Call,
    records.Count,
    records.Mark,
    records.Plan,
    records.TaskSeen,
    records.Run,
    records.Pool,
    records.LogLine,
    records.Notice,
    records.Gap,
    records.Exit,
    records.Alert,
    records.Overhead,
)
_INDEX = {kind: index for index, kind in enumerate(KINDS)}


def pack(kind: int, payload: Any) -> bytes:
    """Return one message."""
    body = marshal.dumps((kind, payload))
    return _LENGTH.pack(len(body)) + body


def pack_records(batches: Sequence[Sequence[Record]]) -> bytes:
    """Return a message with several batches, each still one: a batch of metrics is one tick."""
    rows = [[(_INDEX[type(record)], tuple(record)) for record in batch] for batch in batches]
    return pack(RECORDS, rows)


def unpack_records(
    batches: Sequence[Sequence[tuple[int, tuple[Any, ...]]]],
) -> list[list[Record]]:
    """Return the batches of a message."""
    return [[KINDS[index](*fields) for index, fields in batch] for batch in batches]


def read(stream: BinaryIO) -> tuple[int, Any] | None:
    """Read one message; None when the other end is gone, also in the middle of one."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    if len(body) < length:
        return None
    kind, payload = marshal.loads(body)
    return kind, payload
