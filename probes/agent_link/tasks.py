"""Lists of asyncio's tasks come over the agent's pipe in a line each; here they are whole again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perftui.probes.spine.records import TaskSeen

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TASKS = 1_000
"""Of one list; an agent tells no more."""
MOST_FRAMES = 100
FRAMES_BYTES = 16_000


class TaskLists:
    """Gathers the lines of a process's newest list; one that never becomes whole is told short."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[int, int, int, list[TaskSeen]]] = {}
        """By pid: number of the list, tasks that follow, tasks there are, tasks that came."""

    def head(self, pid: int, number: int, t_ns: int, total: int, told: int) -> list[TaskSeen]:
        """A list begins; returns what was left of the one before."""
        left = self.rest(pid)
        if told == 0:
            return [*left, TaskSeen(t_ns, pid, 0, 0, "", None, "[]")]
        self._open[pid] = number, min(told, MOST_TASKS), total, []
        return left

    def task(
        self,
        pid: int,
        number: int,
        t_ns: int,
        name: str,
        awaits: str | None,
        frames: Sequence[tuple[str, str, int]],
    ) -> list[TaskSeen]:
        """Take a task; returns the whole list with its last one."""
        number_open, told, total, tasks = self._open.get(pid, (-1, 0, 0, []))
        if number_open != number or len(tasks) >= told:
            return []
        text = json.dumps(frames[:MOST_FRAMES], separators=(",", ":"))
        if len(text) > FRAMES_BYTES:
            text = "[]"
        tasks.append(TaskSeen(t_ns, pid, len(tasks) + 1, total, name, awaits, text))
        return self.rest(pid) if len(tasks) == told else []

    def rest(self, pid: int) -> list[TaskSeen]:
        """Return what has come of a list."""
        return self._open.pop(pid, (0, 0, 0, []))[3]
