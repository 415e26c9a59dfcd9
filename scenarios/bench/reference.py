"""How fast the machine is now: a fixed loop, timed beside each run.

It says nothing of the program. Between a baseline and today it tells a slower machine (busy
neighbours, another clock rate) from slower code, as far as plain Python work feels it; memory
bandwidth and disks may change without it.
"""

from __future__ import annotations

from time import perf_counter, thread_time

from perftui.probes.compare.facts import Figure

REFERENCE, REFERENCE_CPU = "reference", "reference_cpu"
_TURNS = 100_000
_TIMES = 3


def reference_figures() -> dict[str, Figure]:
    """Time the loop: the best of three, in wall and CPU time (s)."""
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
    }
