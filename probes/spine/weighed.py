"""Stacks with what they weigh: what sums are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perftui.probes.spine.records import ThreadKey


class WeighedStack(NamedTuple):
    """One stack interval with what it weighs."""

    t0_ns: int
    t1_ns: int
    thread: ThreadKey
    node: int
    cpu_ns: int
    grown_bytes: int
    torn: bool
    cpu_share: float
    """Share of the interval on a CPU, 0..1: what `cpu_ns` comes from."""
    wall_ns: int | None = None
    """What it counts as wall time: CPU and waiting. None: as long as it lasts."""
    touched_bytes: int = 0
    """Memory touched for the first time."""
    queue_ns: int = 0
    """Runnable, and no CPU was free. This and the following are kinds of waiting."""
    gil_ns: int = 0
    lock_ns: int = 0
    io_ns: int = 0
    sleep_ns: int = 0
    child_ns: int = 0
    with_gil_ns: int = 0
    """In which the thread held the GIL, by the readings that met it so."""
    unsure_bytes: int = 0
    """Part of `touched_bytes` that no readings met: given by what was met beside it, or to the
    caller of all that was."""
    brief_ns: int = 0
    """Part of `cpu_ns`, used in bursts under 0.5 ms that no reading met."""
    catches: int = 0
    """Readings that caught the running thread while it touched memory here."""
    held: bool = True
    """The thread was in this stack from t0 to t1. False: amounts that came to light in that time
    and belong to this stack, beside the intervals of the thread."""
    state: str | None = None
    """Of the thread (R, S, ...), at the reading; None if not `held`, or not told. So are these."""
    gil_held: bool | None = None
    unsteady: bool | None = None
    task: str | None = None
    """Of asyncio."""

    @property
    def wall(self) -> int:
        """Wall time in ns."""
        return self.t1_ns - self.t0_ns if self.wall_ns is None else self.wall_ns
