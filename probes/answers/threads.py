"""What is said of threads, from their readings: who lived, who was busy, who waited for a core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perftui.probes.spine.weighing import share_of
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perftui.probes.spine.records import ThreadKey
    from perftui.probes.spine.weighing import Readings

STALE_NS = 3 * NS_PER_S
"""A thread not read for this long before a range has ended before it."""
BUSY_SHARE = 0.1


@dataclass(slots=True)
class ThreadState:
    """What is known of one thread."""

    kernel_name: str = ""
    python_name: str | None = None
    state: str = "?"
    cpu: Readings | None = None
    """Cumulative CPU seconds."""
    run_wait: Readings | None = None
    """Cumulative seconds that it waited for a core."""
    first_t_ns: int = 0
    last_t_ns: int = 0
    ended: int = 0
    """How many ended threads were joined to this row."""

    @property
    def name(self) -> str:
        """Python's name, else the kernel's."""
        return self.python_name or self.kernel_name


def lived(
    states: Mapping[ThreadKey, ThreadState], t0_ns: int, t1_ns: int, *, born_from_zero: bool
) -> Iterator[tuple[ThreadKey, ThreadState, float, float]]:
    """Yield (thread, state, CPU seconds in the range, share of a core) of those that lived.

    Args:
        states: All threads.
        t0_ns: Begin of the range.
        t1_ns: End of the range.
        born_from_zero: A thread first seen in the range began in it: all its CPU counts.
    """
    for thread, state in states.items():
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


def run_wait_share(state: ThreadState, t0_ns: int, t1_ns: int) -> float:
    """Return the share of a range in which a thread could run and no core was free."""
    return share_of(state.run_wait, max(t0_ns, state.first_t_ns), t1_ns)


def busy_native(states: Mapping[ThreadKey, ThreadState], t0_ns: int, t1_ns: int) -> dict[int, int]:
    """Count, per process, the native threads that burned CPU in the range."""
    busy: dict[int, int] = {}
    for (pid, _), state in states.items():
        if state.python_name is not None or state.cpu is None or state.ended:
            continue
        begin_ns = max(t0_ns, state.first_t_ns)
        if begin_ns < t1_ns and share_of(state.cpu, begin_ns, t1_ns) > BUSY_SHARE:
            busy[pid] = busy.get(pid, 0) + 1
    return busy
