"""How large an export will be, before it is written: a piece of it is written to nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast

from perftui.probes.export.tables.table import tables_of
from perftui.probes.export.write import CountedStream, table_names, write_stream

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.write import Order
    from perftui.probes.recording.read.face import RecordedReader

HUGE_BYTES = 500_000_000
"""What is larger is only written when it is asked for a second time."""
_TRIED_ROWS = 5_000


def estimate(reader: RecordedReader, order: Order) -> int | None:
    """Return about how many bytes a long export will have; None if it is not worth asking.

    A piece from the middle is written to nowhere. Sums do not grow with the range.
    """
    part = order.part
    if not order.exporter.grows:
        return None
    rows = _stack_rows(reader, part)
    if rows < 20 * _TRIED_ROWS:
        return None
    # Names and stacks are told once: what a longer piece has more is what each row costs.
    small, large = (
        _tried(reader, order, rows, wanted) for wanted in (_TRIED_ROWS, 4 * _TRIED_ROWS)
    )
    if large[0] <= small[0]:
        return None
    per_row = (large[1] - small[1]) / (large[0] - small[0])
    return max(round(large[1] + per_row * (rows - large[0])), 0)


def _tried(reader: RecordedReader, order: Order, rows: int, wanted: int) -> tuple[int, int]:
    """Return (rows, bytes) of a piece of about `wanted` rows from the middle."""
    part = order.part
    length = max((part.t1_ns - part.t0_ns) * wanted // rows, 1)
    middle = (part.t0_ns + part.t1_ns) // 2
    piece = part._replace(t0_ns=middle - length // 2, t1_ns=middle + length // 2 + 1)
    nowhere = CountedStream()
    into = cast("BinaryIO", nowhere)
    if order.many:  # a zip of them would be smaller than the files
        with tables_of(reader, piece) as source:
            for name in table_names(piece):
                order.exporter.write_table(source.parts(name), into)
    else:
        write_stream(reader, order._replace(part=piece), into)
    return _stack_rows(reader, piece, exact=True), nowhere.count


def _stack_rows(reader: RecordedReader, part: Slice, *, exact: bool = False) -> int:
    """Return about how many stack intervals a part has, of all threads."""
    if exact:
        found = reader.stack_intervals(part.t0_ns, part.t1_ns)
        return sum(len(intervals) for _, intervals in found)
    rows = 0.0
    for extent in reader.catalog.overlapping("stacks", part.t0_ns, part.t1_ns).values():
        inside = min(extent.t1_ns, part.t1_ns) - max(extent.t0_ns, part.t0_ns)
        rows += extent.rows * max(inside, 0) / max(extent.t1_ns - extent.t0_ns, 1)
    return round(rows)
