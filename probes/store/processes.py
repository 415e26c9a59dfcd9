"""The processes of the family: starts and ends joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.reader import Process

if TYPE_CHECKING:
    from perftui.probes.spine.records import Exit, ProcessStart

PROCESSES_KEPT = 512
"""Of a target that starts many, the oldest ended ones are forgotten."""


class ProcessTable:
    """Takes starts and ends in their order.

    Args:
        target_pid: The root of the family; its end is the session's.
    """

    def __init__(self, target_pid: int) -> None:
        self._target_pid = target_pid
        self._known: dict[int, Process] = {}
        self.exit: Exit | None = None
        """How the target ended, None while it runs."""

    def __len__(self) -> int:
        """Return how many are known."""
        return len(self._known)

    def all(self) -> tuple[Process, ...]:
        """Return those that are known, oldest first."""
        return tuple(self._known.values())

    def take_start(self, record: ProcessStart) -> None:
        """Take the start of a process, or another command line of it."""
        self._known[record.pid] = Process(
            record.pid, record.ppid, record.argv, record.python, record.t_ns, None
        )

    def take_exit(self, record: Exit) -> None:
        """Take the end of a process."""
        process = self._known.get(record.pid)
        if process is not None:
            self._known[record.pid] = process._replace(t_end_ns=record.t_ns)
        if record.pid == self._target_pid:
            self.exit = record

    def fold(self) -> list[Process]:
        """Forget the oldest ended ones if there are too many; returns those that are gone."""
        if len(self._known) <= PROCESSES_KEPT:
            return []
        ended = [
            process
            for process in self._known.values()
            if process.t_end_ns is not None and process.pid != self._target_pid
        ]
        gone = ended[: PROCESSES_KEPT // 4]
        for process in gone:
            del self._known[process.pid]
        return gone
