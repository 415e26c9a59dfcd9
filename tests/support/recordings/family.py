"""The synthetic session with a child whose stacks come late, and whose number is used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.records import (
    Alert,
    Count,
    Exit,
    MemoryPart,
    Metric,
    Pool,
    ProcessStart,
    Stack,
    StackWindow,
    ThreadCpu,
)
from support.recordings.synthetic import CHILD, PID, T0, S, nodes, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.records import Record

LATE_S = 4
"""The child's windows come so much later than the target's."""


def family(tree: CallTree, seconds: int = 40, *, end: bool = True) -> Iterator[list[Record]]:
    """Yield the batches of the session; see the module."""
    leaves = nodes(tree)
    for batch in session(tree, seconds, end=end):
        yield batch
        for record in batch:
            if isinstance(record, StackWindow):
                yield from _of_child(record.t0_ns, leaves)


def _of_child(base: int, leaves: list[int]) -> Iterator[list[Record]]:
    """Yield what the child says at the end of a second; times of one metric do not go back."""
    second = (base - T0) // S
    now = base + S - S // 100
    if 21 <= second < 30:
        yield [
            ThreadCpu(now, CHILD, CHILD, "python", second * 0.3, "R"),
            Count(now, CHILD, "rows", (second - 20) * 700.0),
            Pool(now, CHILD, "arrow", second * 1_000),
            MemoryPart(now, CHILD, "Arrow", second * 1_000, second * 900),
            MemoryPart(now, CHILD, "stacks", 5_000, 5_000),
        ]
    if 21 <= second - LATE_S < 30:
        begin = base - LATE_S * S
        stacks = [
            Stack(begin + n * S // 20, begin + (n + 1) * S // 20, CHILD, CHILD, leaves[n % 3])
            for n in range(20)
        ]
        yield [
            *stacks,
            StackWindow(begin, begin + S, CHILD, 20, 20, second % 3, 0, 0.01, "x"),
        ]
    if second == 31:  # the last words of one that has ended
        yield [Count(now, CHILD, "rows", 7_500.0), Pool(now, CHILD, "arrow", 9)]
    if second == 33:
        raised = Alert("io_wait", "warn", now, now, None, "waits", "disk")
        yield [
            ProcessStart(now, CHILD, PID, ("python", "-c", "another"), None),
            Metric(now, CHILD, 0.01, 7_000_000),
            Count(now, CHILD, "rows", 50.0),
            raised,
            raised._replace(severity="critical"),
        ]
    if second == 35:
        yield [Exit(now, CHILD, 0, None)]
