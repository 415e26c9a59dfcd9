"""What the session tells its recorder process, and how: length-prefixed marshal messages.

Batches travel enriched, so that nothing is worked out twice; not their raw records, of which the
other parts say all.

marshal, because both ends are the same interpreter and it is the cheapest there is; the pipe is
private to the two. A message is (kind, payload).
"""

from __future__ import annotations

import marshal
import struct
from typing import TYPE_CHECKING, Any

from perftui.probes.spine import records
from perftui.probes.spine.enriched import (
    Batch,
    Counted,
    Covered,
    Parted,
    Pooled,
    Reading,
    Standing,
    Tick,
)
from perftui.probes.spine.weighed import WeighedStack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from perftui.probes.spine.records import Record

START, TARGET, TREE, BATCHES, END = range(5)
_LENGTH = struct.Struct("<I")

KINDS: tuple[type[Record], ...] = (  # of events
    records.ProcessStart,
    records.ThreadCpu,
    records.ThreadName,
    records.PhaseBegin,
    records.PhaseEnd,
    records.ImportBegin,
    records.ImportEnd,
    records.Call,
    records.Mark,
    records.Plan,
    records.TaskSeen,
    records.LoopBlock,
    records.Collected,
    records.GrowthLook,
    records.Keeper,
    records.Rise,
    records.Allocated,
    records.Run,
    records.Installed,
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


def pack_batches(batches: Sequence[Batch]) -> bytes:
    """Return a message with several batches."""
    return pack(BATCHES, [_plain(batch) for batch in batches])


def _plain(batch: Batch) -> tuple[Any, ...]:
    """Return a batch without its classes: marshal knows none."""
    return (
        [(_INDEX[type(record)], tuple(record)) for record in batch.events],
        [
            (t_ns, [(tuple(metric), percent) for metric, percent in readings], dict(sums))
            for t_ns, readings, sums, _ in batch.ticks
        ],
        [(tuple(record), total, rate, since) for record, total, rate, since in batch.counted],
        [(tuple(record), total) for record, total in batch.pools],
        [tuple(piece) for piece in batch.weighed],
        [(tuple(window), threads, covered) for window, threads, covered in batch.windows],
        [(tuple(alert), is_new) for alert, is_new in batch.alerts],
        [tuple(part) for part in batch.parts],
    )


def unpack_batches(batches: Sequence[tuple[Any, ...]]) -> list[Batch]:
    """Return the batches of a message; of a tick without its pools, which no table has."""
    return [_batch(*parts) for parts in batches]


def _batch(
    events: Any,
    ticks: Any,
    counted: Any,
    pools: Any,
    weighed: Any,
    windows: Any,
    alerts: Any,
    parts: Any,
) -> Batch:
    return Batch(
        raw=(),
        events=[KINDS[index](*fields) for index, fields in events],
        ticks=[
            Tick(
                t_ns,
                tuple(Reading(records.Metric(*metric), percent) for metric, percent in readings),
                sums,
                {},
            )
            for t_ns, readings, sums in ticks
        ],
        counted=[Counted(records.Count(*record), *rest) for record, *rest in counted],
        pools=[Pooled(records.Pool(*record), total) for record, total in pools],
        weighed=[WeighedStack(*fields) for fields in weighed],
        windows=[Covered(records.StackWindow(*window), *rest) for window, *rest in windows],
        alerts=[Standing(records.Alert(*alert), is_new) for alert, is_new in alerts],
        parts=[Parted(*part) for part in parts],
    )


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
