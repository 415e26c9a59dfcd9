"""How many cores a target may use."""

from __future__ import annotations

import os


def usable_cores(pid: int = 0) -> int | None:
    """Return how many cores a process may use, None if nobody can say.

    Args:
        pid: The process; 0: ourselves, and so whatever we launch.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count()
    try:
        return len(os.sched_getaffinity(pid)) if pid >= 0 else None
    except OSError:
        return os.cpu_count()
