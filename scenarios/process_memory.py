"""What a scenario says about its own memory and the machine's."""

from __future__ import annotations

import os
from pathlib import Path

from perftui.probes.machine_memory import machine_memory, memory_limit


def rss_bytes() -> int:
    """RSS of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def available_bytes() -> int | None:
    """What can still be allocated: the machine's MemAvailable or the cgroup's rest, the smaller.

    None if neither is known.
    """
    machine = machine_memory()
    limit = memory_limit()
    known = []
    if machine is not None:
        known.append(machine.available_bytes)
    if limit is not None:
        known.append(limit.limit_bytes - limit.used_bytes)
    return min(known, default=None)
