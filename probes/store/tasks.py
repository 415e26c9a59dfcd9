"""Lists of asyncio's tasks over time, the newest ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perftui.probes.spine.reader import Task

if TYPE_CHECKING:
    from perftui.probes.spine.records import TaskSeen

ROWS_KEPT = 20_000
"""Twenty lists of the longest there are; beyond this the oldest lists go."""


class TaskHistory:
    """Takes the tasks of all processes, answers how they stood at a moment."""

    def __init__(self) -> None:
        self._lists: list[list[TaskSeen]] = []
        self._growing: dict[int, list[TaskSeen]] = {}
        self._rows = 0
        self._asked: dict[int, list[TaskSeen]] = {}
        self._answer: tuple[Task, ...] | None = None
        """To what was asked last: a screen asks several times a second."""

    def take(self, record: TaskSeen) -> None:
        """Take one task of a list; those of a list come one after the other."""
        known = self._growing.get(record.pid)
        if known is None or known[0].t_ns != record.t_ns:
            known = self._growing[record.pid] = []
            self._lists.append(known)
        known.append(record)
        self._rows += 1
        while self._rows > ROWS_KEPT and len(self._lists) > 1:
            gone = self._lists.pop(0)
            self._rows -= len(gone)
            if self._growing.get(gone[0].pid) is gone:
                del self._growing[gone[0].pid]

    def at(self, t1_ns: int) -> tuple[Task, ...]:
        """Return the newest list of each process from before a moment."""
        newest: dict[int, list[TaskSeen]] = {}
        for rows in self._lists:
            if rows[0].t_ns < t1_ns:
                newest[rows[0].pid] = rows
        if newest != self._asked:
            self._asked, self._answer = {pid: rows[:] for pid, rows in newest.items()}, None
        if self._answer is not None:
            return self._answer
        self._answer = tuple(
            Task(row.pid, row.name, _frames(row.frames), row.awaits, row.t_ns)
            for rows in newest.values()
            for row in rows
            if row.n
        )
        return self._answer


def _frames(text: str) -> tuple[tuple[str, str, int], ...]:
    """Return the frames; a recording may hold anything."""
    try:
        rows: Any = json.loads(text)
        return tuple((str(function), str(file), int(line)) for function, file, line in rows)
    except (ValueError, TypeError, RecursionError):
        return ()
