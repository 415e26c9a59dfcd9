"""How full the machine's CPUs were for a while."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import NamedTuple

_PRESSURE = Path("/proc/pressure/cpu")


class CpuMark(NamedTuple):
    """A moment, to measure from."""

    t_s: float
    waited_us: int | None
    """For how long, since the machine began, somebody who wanted a CPU had none; None where the
    kernel does not say (it needs CONFIG_PSI)."""


def cpu_mark() -> CpuMark:
    """Return this moment."""
    waited = None
    try:
        found = re.match(r"some .*\btotal=(\d+)", _PRESSURE.read_text())
        waited = int(found[1]) if found else None
    except OSError:
        pass
    return CpuMark(time.monotonic(), waited)


def cpu_waiting_since(mark: CpuMark) -> float:
    """Return the share of the time since `mark` in which somebody waited for a CPU, 0 to 1.

    Where the kernel does not count it: 1 if more want to run, on average over a minute, than
    twice as many as there are CPUs, else 0.
    """
    now = cpu_mark()
    if mark.waited_us is None or now.waited_us is None:
        return float(os.getloadavg()[0] > 2 * len(os.sched_getaffinity(0)))
    passed_us = (now.t_s - mark.t_s) * 1e6
    return min((now.waited_us - mark.waited_us) / passed_us, 1.0) if passed_us > 0 else 0.0
