"""What memray recorded, as it is kept to answer from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.spine.records import Allocated

ROWS_KEPT = 100_000
"""A reading has 20,000 for a process; the largest come first."""


class AllocationHistory:
    """Takes rows, answers of ranges; the last range is remembered, for screens ask again."""

    def __init__(self) -> None:
        self._rows: list[Allocated] = []
        self._asked: tuple[int, int, int] | None = None
        self._answer: tuple[Allocated, ...] = ()

    def take(self, record: Allocated) -> None:
        """Take one."""
        if len(self._rows) < ROWS_KEPT:
            self._rows.append(record)

    def between(self, t0_ns: int, t1_ns: int) -> tuple[Allocated, ...]:
        """Return the rows whose middle is in [t0, t1)."""
        if not self._rows:
            return ()
        asked = t0_ns, t1_ns, len(self._rows)
        if asked != self._asked:
            self._asked = asked
            self._answer = tuple(
                row for row in self._rows if 2 * t0_ns <= row.t_ns + row.t1_ns < 2 * t1_ns
            )
        return self._answer
