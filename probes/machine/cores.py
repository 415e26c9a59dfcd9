"""How many cores a process may use."""

from __future__ import annotations

import os


def usable_cores(pid: int) -> int | None:
    """Return the cores of the affinity of a process, else of the machine; None if unknown."""
    try:
        return len(os.sched_getaffinity(pid))
    except (OSError, AttributeError):  # it is gone, or the system has no affinity
        return os.cpu_count()
