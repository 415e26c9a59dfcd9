"""OS threads of the family in memory: their names, their states and their CPU."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.answers.threads import ThreadState
from perftui.probes.store.series import BRIEF_TIERS_NS, THREAD_TIERS_NS, Series
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.spine.records import ThreadCpu, ThreadKey, ThreadName

THREADS_KEPT = 256
"""Beyond this the threads that ended first become one row of their process."""
ENDED_TID = 0
"""Stands for the joined threads of a process; no thread has it."""
ENDED_NS = 30 * NS_PER_S
"""A thread that was not read for so long has ended."""


@dataclass(slots=True)
class _Known:
    """One thread: what is told of it, and the series behind that."""

    state: ThreadState = field(default_factory=ThreadState)
    cpu: Series | None = None
    run_wait: Series | None = None
    named_ns: int = 0

    @property
    def newest_ns(self) -> int:
        """When it was last seen."""
        return max(self.state.last_t_ns, self.named_ns)


class ThreadTable:
    """Every thread seen so far, by (pid, tid).

    Args:
        brief: Keep the last minutes of its CPU alone.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self._tiers = BRIEF_TIERS_NS if brief else THREAD_TIERS_NS
        self._known: dict[ThreadKey, _Known] = {}
        self._states: dict[ThreadKey, ThreadState] = {}
        self._newest_ns = 0

    def __len__(self) -> int:
        """Number of threads that are kept."""
        return len(self._known)

    def states(self) -> Mapping[ThreadKey, ThreadState]:
        """Return what is known of each."""
        return self._states

    def get(self, thread: ThreadKey) -> ThreadState:
        """Return what is known of one, an empty state if nothing is."""
        return self._states.get(thread) or ThreadState()

    def fold(self) -> list[ThreadKey]:
        """Join the threads that ended first to one per process; returns those that are gone.

        Their CPU stays in sums of ranges, as of the moment in which each was last read.
        """
        over_ns = self._newest_ns - ENDED_NS
        ended = [
            (known.newest_ns, key)
            for key, known in self._known.items()
            if key[1] != ENDED_TID and known.newest_ns < over_ns
        ]
        gone = [key for _, key in sorted(ended)[: THREADS_KEPT // 2]]
        for key in gone:
            del self._states[key]
            self._fold(key, self._known.pop(key))
        return gone

    def _fold(self, key: ThreadKey, known: _Known) -> None:
        if known.cpu is None:
            return
        gone = known.state
        joined = self._of((key[0], ENDED_TID))
        into = joined.state
        into.state = "X"
        into.ended += 1
        into.kernel_name = f"{into.ended:,} ended threads"
        if joined.cpu is None:
            joined.cpu = into.cpu = Series(None, self._tiers)
            into.first_t_ns = gone.first_t_ns
            joined.cpu.add(gone.first_t_ns, 0.0)
        into.first_t_ns = min(into.first_t_ns, gone.first_t_ns)
        into.last_t_ns = max(into.last_t_ns, gone.last_t_ns)
        spent_s = (joined.cpu.last_value or 0.0) + (known.cpu.last_value or 0.0)
        joined.cpu.add(into.last_t_ns, spent_s)

    def _of(self, thread: ThreadKey) -> _Known:
        known = self._known.get(thread)
        if known is None:
            known = self._known[thread] = _Known()
            self._states[thread] = known.state
        return known

    def take_cpu(self, record: ThreadCpu) -> None:
        """Take a reading."""
        known = self._of((record.pid, record.tid))
        state = known.state
        if known.cpu is None:
            known.cpu = state.cpu = Series(None, self._tiers)
            state.first_t_ns = record.t_ns
        state.kernel_name = record.name
        state.state = record.state
        state.last_t_ns = record.t_ns
        self._newest_ns = max(self._newest_ns, record.t_ns)
        known.cpu.add(record.t_ns, record.cpu_s)
        if record.run_wait_s is not None:
            if known.run_wait is None:
                known.run_wait = state.run_wait = Series(None, self._tiers)
            known.run_wait.add(record.t_ns, record.run_wait_s)

    def take_name(self, record: ThreadName) -> None:
        """Take Python's name for a thread."""
        known = self._of((record.pid, record.tid))
        known.state.python_name = record.name
        known.named_ns = record.t_ns
