"""What memray or tracemalloc recorded: who allocated how much in a range, and kept to its end.

A step of the recording belongs to the range that its middle is in, so that ranges that lie side by
side add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.profile.memory.blame import PlaceInCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Allocated

_TOLD = 200
"""Rows of the summary."""


class AllocatedSum(NamedTuple):
    """What one place in code allocated on one thread."""

    pid: int
    thread: str
    code: PlaceInCode
    """The innermost function of Python."""
    own: PlaceInCode | None
    """The innermost one of the program's own, None if there is none."""
    bytes: int
    """Allocated in the range; without what was freed within the same tenth of a second."""
    allocations: int
    kept_bytes: int
    """Part of it that was not freed before the end of the range."""
    kept_allocations: int
    by: str
    """memray, or tracemalloc: then what was freed before the end of its window is in no figure."""


def allocated_sums(rows: Sequence[Allocated], t1_ns: int) -> list[AllocatedSum]:
    """Return the sums by place and thread, what kept most first.

    Args:
        rows: Those of the range (`Blame.allocated`).
        t1_ns: Its end.
    """
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        own = row.own_function, row.own_file, row.own_line
        cell = sums.setdefault(
            (row.pid, row.thread, (row.function, row.file, row.line), own, row.by), [0, 0, 0, 0]
        )
        cell[0] += row.bytes
        cell[1] += row.allocations
        if row.freed_ns is None or row.freed_ns > t1_ns:
            cell[2] += row.bytes
            cell[3] += row.allocations
    found = [
        AllocatedSum(
            pid,
            thread,
            PlaceInCode(*code),
            None if own[0] is None else PlaceInCode(own[0], own[1] or "", own[2] or 0),
            cell[0],
            cell[1],
            cell[2],
            cell[3],
            by,
        )
        for (pid, thread, code, own, by), cell in sums.items()
    ]
    found.sort(key=lambda row: (-row.kept_bytes, -row.bytes))
    return found


def allocations_json(rows: Sequence[Allocated], t1_ns: int) -> list[dict[str, Any]]:
    """Return what the summary tells, nothing without memray."""
    return [
        {
            "function": row.code.function,
            "file": row.code.file,
            "line": row.code.line,
            "own": None if row.own is None else str(row.own),
            "own_function": None if row.own is None else row.own.function,
            "own_file": None if row.own is None else row.own.file,
            "thread": row.thread,
            "pid": row.pid,
            "bytes": row.bytes,
            "allocations": row.allocations,
            "kept_bytes": row.kept_bytes,
            "kept_allocations": row.kept_allocations,
            "by": row.by,
        }
        for row in allocated_sums(rows, t1_ns)[:_TOLD]
    ]
