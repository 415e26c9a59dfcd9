"""How long a session worked: the time in which it waited for a person's order is none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.spine.reader import Reader


def idle_ns(reader: Reader) -> int:
    """Return how long a target that keeps its process waited for orders: between its runs, and
    after the last one. 0 for all others."""
    status = reader.status()
    runs = reader.runs(status.t_start_ns, status.t_end_ns + 1)
    idle, until = 0, None
    for cost in runs:
        run = cost.run
        if until is not None:
            idle += max(run.t_ns - run.waited_ns - until, 0)
        until = run.t_ns
    if until is None or any(
        phase.t0_ns > until for phase in reader.phases(until + 1, status.t_end_ns + 1)
    ):
        return idle  # the last run has not answered
    return idle + max(status.t_end_ns - until, 0)


def worked_ns(reader: Reader) -> int:
    """Return how long a session was at work, from its start to its end."""
    status = reader.status()
    return max(status.t_end_ns - status.t_start_ns - idle_ns(reader), 0)
