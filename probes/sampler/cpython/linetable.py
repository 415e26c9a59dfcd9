"""The location table of a code object (`co_linetable`), one format from 3.11 to 3.15."""

from __future__ import annotations

LONG, NO_COLUMNS, NONE = 14, 13, 15


class LineTable:
    """Which line each instruction belongs to.

    `starts[i]` is the first code unit (two bytes each) of a run of instructions, `lines[i]` its
    line, None for instructions that belong to no line; `units` is where the last run ends.

    Raises:
        ValueError: the table is cut off or no table at all.
    """

    __slots__ = ("lines", "starts", "units")

    def __init__(self, table: bytes, first_line: int) -> None:
        self.starts: list[int] = []
        self.lines: list[int | None] = []
        unit, line, at = 0, first_line, 0
        try:
            while at < len(table):
                head = table[at]
                if not head & 128:
                    raise ValueError("no entry begins here")
                kind = head >> 3 & 15
                at += 1
                shown: int | None = None
                if kind in (NO_COLUMNS, LONG):
                    value, at = _varint(table, at)
                    line += -(value >> 1) if value & 1 else value >> 1
                    if kind == LONG:
                        for _ in range(3):
                            _, at = _varint(table, at)
                elif kind < 10:
                    at += 1
                elif kind < NO_COLUMNS:
                    line += kind - 10
                    at += 2
                if kind != NONE:
                    shown = line
                if not self.lines or self.lines[-1] != shown:
                    self.starts.append(unit)
                    self.lines.append(shown)
                unit += (head & 7) + 1
        except IndexError:
            raise ValueError("cut off") from None
        if at != len(table):
            raise ValueError("cut off")
        self.units = unit


def _varint(table: bytes, at: int) -> tuple[int, int]:
    """Return a number of 6 bits a byte, lowest first, and where it ends."""
    byte = table[at]
    at += 1
    value, shift = byte & 63, 0
    while byte & 64:
        byte = table[at]
        at += 1
        shift += 6
        if shift > 60:
            raise ValueError("endless number")
        value |= (byte & 63) << shift
    return value, at
