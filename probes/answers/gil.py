"""Who holds the GIL, and who waits for it, from the sums of a thread's stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.spine.reader import Weights


def gil_shares(nodes: Mapping[int, Weights]) -> dict[str, float]:
    """Return the fields of `Thread` about the GIL, in per cent of the thread's time."""
    wall_ns = sum(cell.wall_ns for cell in nodes.values())
    if not wall_ns:
        return {}
    held_ns = sum(cell.with_gil_ns for cell in nodes.values())
    wait_ns = sum(cell.gil_ns for cell in nodes.values())
    return {
        "gil_held_percent": min(100.0 * held_ns / wall_ns, 100.0),
        "gil_wait_percent": min(100.0 * wait_ns / wall_ns, 100.0),
    }
