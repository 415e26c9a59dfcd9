"""How the machine is now: a fixed loop, timed beside each run, and how much is waited for a core.

It says nothing of the program. Between a baseline and today it tells a slower machine (another
clock rate) from slower code, as far as plain Python work feels it, and a busier one: where others
want the cores, a program's CPU time changes too, up (they share caches with it) or down (threads
that would spin sleep), by a quarter where we measured it.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter, thread_time

from perftui.probes.compare.facts import Figure

REFERENCE, REFERENCE_CPU = "reference", "reference_cpu"
REFERENCE_WAIT = "reference_wait"
"""Wall time of all turns of the loop against their CPU time: 1 on a machine that is idle."""
PRESSURE = "reference_pressure"
"""Share of a run in which something on this machine waited for a core (PSI)."""
_TURNS = 100_000
_TIMES = 20
"""50 ms in all: what a scheduler gives away in between is in it."""
_PSI = Path("/proc/pressure/cpu")


def reference_figures() -> dict[str, Figure]:
    """Time the loop: the best turn, in wall and CPU time (s), and how much all of them waited."""
    wall, cpu = [], []
    for _ in range(_TIMES):
        began, began_cpu = perf_counter(), thread_time()
        total = 0
        for number in range(_TURNS):
            total += number & 7
        cpu.append(thread_time() - began_cpu)
        wall.append(perf_counter() - began)
    return {
        REFERENCE: Figure("a fixed loop beside it", min(wall), "s", "neither"),
        REFERENCE_CPU: Figure("a fixed loop: CPU", min(cpu), "s", "neither"),
        REFERENCE_WAIT: Figure("a fixed loop: wall / CPU", sum(wall) / sum(cpu), "", "neither"),
    }


class Pressure:
    """How long something waits for a core, from now on; nothing where the kernel does not tell."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._waited_us = _waited_us()

    def figure(self) -> dict[str, Figure]:
        """Return the share of the time since then."""
        now, took_s = _waited_us(), perf_counter() - self._began
        if now is None or self._waited_us is None or took_s <= 0:
            return {}
        share = min((now - self._waited_us) / 1e6 / took_s, 1.0)
        return {PRESSURE: Figure("cores are waited for", share * 100, "%", "neither")}


def _waited_us() -> int | None:
    try:
        first = _PSI.read_text().splitlines()[0]
        return int(first.rpartition("total=")[2])
    except (OSError, ValueError, IndexError):
        return None
