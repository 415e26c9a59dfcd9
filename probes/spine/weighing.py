"""Weighing stack intervals: which of them burned the CPU, and during which the memory grew.

py-spy tells where a thread stood, not whether it ran; the kernel tells CPU per thread and RSS
per process. Joined by time they say "this line used 1.2 s of CPU" and "during this line the
process grew by 420 MB". Both are estimates and are called so. Where the kernel told which thread
touched memory, it is that thread's, whichever of its functions had it.
"""

from __future__ import annotations

import mmap
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from perftui.probes.spine.weighed import WeighedStack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.records import Stack, ThreadKey

_IDLE_SHARE = 0.02
"""Weight of a thread without CPU when growth is shared out: native threads may allocate for it."""


class Readings(Protocol):
    """One figure over time, as far back as weighing looks."""

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        """Return (t, value) of [t0, t1)."""
        ...

    def value_at(self, t_ns: int) -> float | None:
        """Return the newest value at or before `t_ns`."""
        ...


class Weigh(Protocol):
    """Gives the stacks of one process what they weigh."""

    def __call__(
        self,
        stacks: Sequence[Stack],
        cpu_of: Callable[[ThreadKey], Readings | None],
        rss: Readings | None,
    ) -> list[WeighedStack]:
        """Return the intervals with their weights; `cpu_of`: cumulative seconds of a thread."""
        ...


def share_of(seconds: Readings | None, t0_ns: int, t1_ns: int) -> float:
    """Return what share of [t0, t1) a cumulative number of seconds has grown by, 0..1."""
    if seconds is None:
        return 0.0
    rows = seconds.values(t0_ns - 600_000_000, t1_ns + 600_000_000)
    if len(rows) < 2:
        return 0.0
    before = max((row for row in rows if row[0] <= t0_ns), default=rows[0])
    after = min((row for row in rows if row[0] >= t1_ns), default=rows[-1])
    elapsed_ns = after[0] - before[0]
    if elapsed_ns <= 0:
        return 0.0
    return min(1.0, max(0.0, (after[1] - before[1]) * 1e9 / elapsed_ns))


def weigh(
    stacks: Sequence[Stack],
    cpu_of: Callable[[ThreadKey], Readings | None],
    rss: Readings | None,
) -> list[WeighedStack]:
    """Give each interval of one process's window its CPU time and its share of the growth."""
    if not stacks:
        return []
    t0_ns = min(stack.t0_ns for stack in stacks)
    t1_ns = max(stack.t1_ns for stack in stacks)
    threads = {(stack.pid, stack.tid) for stack in stacks}
    share = {thread: share_of(cpu_of(thread), t0_ns, t1_ns) for thread in threads}
    steps = _growth_steps(rss, t0_ns, t1_ns)
    pieces = []
    grown_of = _share_growth(stacks, share, steps) if steps else {}
    for index, stack in enumerate(stacks):
        thread = (stack.pid, stack.tid)
        wall_ns = stack.t1_ns - stack.t0_ns
        touched = (stack.faults or 0) * mmap.PAGESIZE
        pieces.append(
            WeighedStack(
                stack.t0_ns,
                stack.t1_ns,
                thread,
                stack.node,
                round(wall_ns * share[thread]),
                round(grown_of.get(index, 0.0)),
                stack.torn,
                share[thread],
                wall_ns if stack.faults else None,
                touched,
                unsure_bytes=touched,
            )
        )
    return pieces


def _growth_steps(rss: Readings | None, t0_ns: int, t1_ns: int) -> list[tuple[int, int, float]]:
    """Return (from, to, bytes) of the rises in a window, scaled to its net growth.

    Net, because memory that is taken and given back within a window has not grown.
    """
    if rss is None:
        return []
    rows = rss.values(t0_ns, t1_ns + 1)
    before = rss.value_at(t0_ns)
    if before is not None:
        rows.insert(0, (t0_ns, before))
    if len(rows) < 2:
        return []
    net = rows[-1][1] - rows[0][1]
    rises = [
        (previous[0], current[0], current[1] - previous[1])
        for previous, current in pairwise(rows)
        if current[1] > previous[1]
    ]
    total = sum(rise for _, _, rise in rises)
    if net <= 0 or total <= 0:
        return []
    return [(start, end, rise * net / total) for start, end, rise in rises]


def _share_growth(
    stacks: Sequence[Stack],
    share: dict[ThreadKey, float],
    steps: list[tuple[int, int, float]],
) -> dict[int, float]:
    """Share each rise among the intervals that overlap it: by what their threads touched, where
    that is told, else by time on CPU."""
    order = sorted(range(len(stacks)), key=lambda index: stacks[index].t0_ns)
    longest_ns = max(stack.t1_ns - stack.t0_ns for stack in stacks)
    grown: dict[int, float] = {}
    first = 0
    for start, end, rise in steps:
        while first < len(order) and stacks[order[first]].t0_ns < start - longest_ns:
            first += 1
        weights: list[tuple[int, float]] = []
        touched: list[tuple[int, float]] = []
        for index in order[first:]:
            stack = stacks[index]
            if stack.t0_ns >= end:
                break
            overlap_ns = min(stack.t1_ns, end) - max(stack.t0_ns, start)
            if overlap_ns > 0:
                on_cpu = max(share[stack.pid, stack.tid], _IDLE_SHARE)
                weights.append((index, overlap_ns * on_cpu))
                if stack.faults:
                    part = overlap_ns / max(stack.t1_ns - stack.t0_ns, 1)
                    touched.append((index, stack.faults * part))
        weights = touched or weights
        total = sum(weight for _, weight in weights)
        for index, weight in weights:
            grown[index] = grown.get(index, 0.0) + rise * weight / total
    return grown
