"""Who made memory grow, as it was found out from inside: the looks and their answers."""

from __future__ import annotations

from perftui.probes.spine.reader import Blame
from perftui.probes.spine.records import Allocated, GrowthLook, Keeper, Rise
from perftui.probes.store.allocated import AllocationHistory

ROWS_KEPT = 5_000
"""Of each kind; beyond this those in the middle go: the first tell how it began."""


class BlameHistory:
    """Takes looks and answers in the order of time, answers of ranges."""

    def __init__(self) -> None:
        self._looks: list[GrowthLook] = []
        self._keepers: list[Keeper] = []
        self._rises: list[Rise] = []
        self._allocated = AllocationHistory()

    def take(self, record: GrowthLook | Keeper | Rise | Allocated) -> None:
        """Take one."""
        if isinstance(record, Allocated):
            self._allocated.take(record)
            return
        rows: list[GrowthLook] | list[Keeper] | list[Rise]
        if isinstance(record, GrowthLook):
            self._looks.append(record)
            rows = self._looks
        elif isinstance(record, Keeper):
            self._keepers.append(record)
            rows = self._keepers
        else:
            self._rises.append(record)
            rows = self._rises
        if len(rows) > ROWS_KEPT:
            del rows[ROWS_KEPT // 2]

    def between(self, t0_ns: int, t1_ns: int) -> Blame:
        """Return what was told in [t0, t1)."""

        return Blame(
            tuple(row for row in self._looks if t0_ns <= row.t_ns < t1_ns),
            tuple(row for row in self._keepers if t0_ns <= row.t_ns < t1_ns),
            tuple(row for row in self._rises if t0_ns <= row.t_ns < t1_ns),
            self._allocated.between(t0_ns, t1_ns),
        )
