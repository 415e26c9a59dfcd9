"""OS threads of the tree: their names, their CPU, and which native ones are busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perftui.probes.spine.weighing import share_of
from perftui.probes.store.series import THREAD_TIERS_NS, Series
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.records import ThreadCpu, ThreadKey, ThreadName

STALE_NS = 3 * NS_PER_S
"""A thread not read for this long before a range has ended before it."""
BUSY_SHARE = 0.1
THREADS_KEPT = 256
"""Beyond this the threads that ended first become one row of their process."""
ENDED_TID = 0
"""Stands for the joined threads of a process; no thread has it."""
ENDED_NS = 30 * NS_PER_S
"""A thread that was not read for so long has ended."""


@dataclass(slots=True)
class ThreadState:
    """What is known of one thread."""

    kernel_name: str = ""
    python_name: str | None = None
    state: str = "?"
    cpu: Series | None = None
    """Cumulative CPU seconds."""
    run_wait: Series | None = None
    """Cumulative seconds that it waited for a core."""
    first_t_ns: int = 0
    last_t_ns: int = 0
    named_ns: int = 0
    ended: int = 0
    """How many ended threads were joined to this row."""

    @property
    def name(self) -> str:
        """Python's name, else the kernel's."""
        return self.python_name or self.kernel_name


class ThreadTable:
    """Every thread seen so far, by (pid, tid)."""

    def __init__(self) -> None:
        self._states: dict[ThreadKey, ThreadState] = {}
        self._newest_ns = 0

    def __len__(self) -> int:
        """Number of threads that are kept."""
        return len(self._states)

    def fold(self) -> list[ThreadKey]:
        """Join the threads that ended first to one per process; returns those that are gone.

        Their CPU stays in sums of ranges, as of the moment in which each was last read.
        """
        over_ns = self._newest_ns - ENDED_NS
        ended = [
            (max(state.last_t_ns, state.named_ns), key)
            for key, state in self._states.items()
            if key[1] != ENDED_TID and max(state.last_t_ns, state.named_ns) < over_ns
        ]
        gone = [key for _, key in sorted(ended)[: THREADS_KEPT // 2]]
        for key in gone:
            self._fold(key, self._states.pop(key))
        return gone

    def _fold(self, key: ThreadKey, state: ThreadState) -> None:
        if state.cpu is None:
            return
        into = self._states.setdefault((key[0], ENDED_TID), ThreadState(state="X"))
        into.ended += 1
        into.kernel_name = f"{into.ended:,} ended threads"
        if into.cpu is None:
            into.cpu = Series(None, THREAD_TIERS_NS)
            into.first_t_ns = state.first_t_ns
            into.cpu.add(state.first_t_ns, 0.0)
        into.first_t_ns = min(into.first_t_ns, state.first_t_ns)
        into.last_t_ns = max(into.last_t_ns, state.last_t_ns)
        into.cpu.add(into.last_t_ns, (into.cpu.last_value or 0.0) + (state.cpu.last_value or 0.0))

    def take_cpu(self, record: ThreadCpu) -> None:
        """Take a reading."""
        state = self._states.setdefault((record.pid, record.tid), ThreadState())
        if state.cpu is None:
            state.cpu = Series(None, THREAD_TIERS_NS)
            state.first_t_ns = record.t_ns
        state.kernel_name = record.name
        state.state = record.state
        state.last_t_ns = record.t_ns
        self._newest_ns = max(self._newest_ns, record.t_ns)
        state.cpu.add(record.t_ns, record.cpu_s)
        if record.run_wait_s is not None:
            if state.run_wait is None:
                state.run_wait = Series(None, THREAD_TIERS_NS)
            state.run_wait.add(record.t_ns, record.run_wait_s)

    def take_name(self, record: ThreadName) -> None:
        """Take Python's name for a thread."""
        state = self._states.setdefault((record.pid, record.tid), ThreadState())
        state.python_name = record.name
        state.named_ns = record.t_ns

    def get(self, thread: ThreadKey) -> ThreadState:
        """Return what is known of a thread."""
        return self._states.get(thread) or ThreadState()

    def cpu_of(self, thread: ThreadKey) -> Series | None:
        """Return a thread's cumulative CPU, None if it was never read."""
        return self.get(thread).cpu

    def in_range(
        self, t0_ns: int, t1_ns: int, born_from_zero: bool
    ) -> Iterator[tuple[ThreadKey, ThreadState, float, float]]:
        """Yield (thread, state, CPU seconds in the range, share of a core) of those that lived.

        Args:
            t0_ns: Begin of the range.
            t1_ns: End of the range.
            born_from_zero: A thread first seen in the range began in it: all its CPU counts.
        """
        for thread, state in self._states.items():
            if state.cpu is None or state.first_t_ns >= t1_ns:
                continue
            if state.last_t_ns < t0_ns - STALE_NS:
                continue
            begin_ns = max(t0_ns, state.first_t_ns)
            end_ns = max(min(t1_ns, state.last_t_ns), begin_ns)
            before_s = state.cpu.value_at(begin_ns) or 0.0
            if state.first_t_ns >= t0_ns and born_from_zero:
                before_s, begin_ns = 0.0, t0_ns
            cpu_s = max(0.0, (state.cpu.value_at(t1_ns) or 0.0) - before_s)
            share = cpu_s * NS_PER_S / (end_ns - begin_ns) if end_ns > begin_ns else 0.0
            yield thread, state, cpu_s, share

    def run_wait_share(self, thread: ThreadKey, t0_ns: int, t1_ns: int) -> float:
        """Return the share of a range in which a thread could run and no core was free."""
        state = self.get(thread)
        return share_of(state.run_wait, max(t0_ns, state.first_t_ns), t1_ns)

    def busy_native(self, t0_ns: int, t1_ns: int) -> dict[int, int]:
        """Count, per process, the native threads that burned CPU in the range."""
        busy: dict[int, int] = {}
        for (pid, _), state in self._states.items():
            if state.python_name is not None or state.cpu is None or state.ended:
                continue
            begin_ns = max(t0_ns, state.first_t_ns)
            if begin_ns < t1_ns and share_of(state.cpu, begin_ns, t1_ns) > BUSY_SHARE:
                busy[pid] = busy.get(pid, 0) + 1
        return busy
