"""A process that becomes another program by exec goes on under its pid, but begins to count anew.

Its ids and totals in the log must not: what says hello again gets other ids, and its counters
go on where the program before it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine import records

if TYPE_CHECKING:
    from collections.abc import Iterable

IDS_PER_IMAGE = 1 << 40


class ExecImages:
    """Follows the programs of every process, one record after the other."""

    def __init__(self) -> None:
        self._images: dict[int, int] = {}
        """By pid: how many programs said hello."""
        self._open: dict[int, list[int]] = {}
        """By pid: phases that have not ended."""
        self._totals: dict[tuple[int, str], float] = {}
        self._base: dict[tuple[int, str], float] = {}

    def hello(self, t_ns: int, pid: int) -> list[records.Record]:
        """A program begins; returns the ends of what the one before it left open."""
        image = self._images[pid] = self._images.get(pid, 0) + 1
        if image == 1:
            return []
        self._base.update({key: n for key, n in self._totals.items() if key[0] == pid})
        return [records.PhaseEnd(t_ns, pid, id_, None, None) for id_ in self._open.pop(pid, [])]

    def settle(self, found: Iterable[records.Record]) -> list[records.Record]:
        """Return records with the ids and totals that are the log's."""
        return [self._settled(record) for record in found]

    def _settled(self, record: records.Record) -> records.Record:
        if isinstance(record, records.PhaseBegin):
            more = self._more(record.pid)
            parent = None if record.parent_id is None else record.parent_id + more
            record = record._replace(id=record.id + more, parent_id=parent)
            self._open.setdefault(record.pid, []).append(record.id)
        elif isinstance(record, records.PhaseEnd):
            record = record._replace(id=record.id + self._more(record.pid))
            opened = self._open.get(record.pid, [])
            if record.id in opened:
                opened.remove(record.id)
        elif isinstance(record, records.ImportBegin):
            more = self._more(record.pid)
            if more:
                parent = None if record.parent_id is None else record.parent_id + more
                record = record._replace(id=record.id + more, parent_id=parent)
        elif isinstance(record, records.ImportEnd):
            more = self._more(record.pid)
            record = record._replace(id=record.id + more) if more else record
        elif isinstance(record, records.Count):
            key = record.pid, record.name
            record = record._replace(total=record.total + self._base.get(key, 0.0))
            self._totals[key] = record.total
        return record

    def _more(self, pid: int) -> int:
        return max(self._images.get(pid, 1) - 1, 0) * IDS_PER_IMAGE
