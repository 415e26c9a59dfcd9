"""What a scenario says about its own memory and the machine's."""

from __future__ import annotations

import os
from pathlib import Path

from perftui.probes.machine.memory import machine_memory, memory_limit
from perftui.probes.text.units import format_bytes
from perftui.scenarios.define.parameters import ScenarioError

_SHARE = 0.8
"""Of the available memory that a scenario may plan to take."""


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


def check_memory(need_bytes: int, doing: str, remedy: str) -> None:
    """See that memory for something is there, before the data for it are generated.

    Args:
        need_bytes: An estimate.
        doing: What needs it: "collecting".
        remedy: What to do if it is not there: "choose a smaller size".

    Raises:
        ScenarioError: It is not there.
    """
    free = available_bytes()
    if free is not None and need_bytes > _SHARE * free:
        raise ScenarioError(
            f"{doing} would take about {format_bytes(need_bytes)} of memory and "
            f"{format_bytes(free)} are available: {remedy}"
        )
