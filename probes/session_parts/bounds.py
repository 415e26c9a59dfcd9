"""What a target may use: the memory and the cores that its group or its starter allows it."""

from __future__ import annotations

from typing import NamedTuple

from perftui.probes.machine.cores import usable_cores
from perftui.probes.machine.memory import memory_limit


class Bounds(NamedTuple):
    """None where there is no limit, or nobody can say."""

    limit_bytes: int | None
    cores: int | None


def bounds_here(pid: int, asked_bytes: int | None) -> Bounds:
    """Return what a process of this machine may use.

    Args:
        pid: Which.
        asked_bytes: The limit that it was started with, None if with none.
    """
    group = memory_limit(pid)
    return Bounds(asked_bytes or (group.limit_bytes if group else None), usable_cores(pid))
