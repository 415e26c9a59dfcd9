"""Quality figures for stacks that were sampled from inside the program.

py-spy's recorders tell how well a window went; the in-process sampler only sends stacks, late
whenever the GIL was held. What is missing in a second counts as lost samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.records import Stack, StackWindow
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Record

BACKEND = "in-process"


class InsideWindows:
    """Makes a `StackWindow` per process and second out of the stacks that came.

    Args:
        rate_hz: The rate that the sampler was asked for.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._open: dict[int, list[Stack]] = {}

    def take(self, batch: Sequence[Record]) -> list[Record]:
        """Return the batch with the windows that it completes behind it."""
        records = list(batch)
        for record in batch:
            if isinstance(record, Stack):
                stacks = self._open.setdefault(record.pid, [])
                stacks.append(record)
                if record.t1_ns - stacks[0].t0_ns >= NS_PER_S:
                    records.append(self._close(record.pid))
        return records

    def finish(self) -> list[Record]:
        """Return the windows that are still open."""
        return [self._close(pid) for pid in list(self._open)]

    def _close(self, pid: int) -> StackWindow:
        stacks = self._open.pop(pid)
        t0_ns = min(stack.t0_ns for stack in stacks)
        t1_ns = max(stack.t1_ns for stack in stacks)
        threads = len({stack.tid for stack in stacks})
        seen_s = sum(stack.t1_ns - stack.t0_ns for stack in stacks) / NS_PER_S
        samples = max(1, round(seen_s * self._rate_hz))
        expected = round((t1_ns - t0_ns) / NS_PER_S * self._rate_hz * threads)
        return StackWindow(
            t0_ns=t0_ns,
            t1_ns=t1_ns,
            pid=pid,
            rate_hz=self._rate_hz,
            samples=samples,
            errors=max(0, expected - samples),
            torn=0,
            sampler_cpu_s=0.0,  # it is the program's own CPU there
            backend=BACKEND,
        )
