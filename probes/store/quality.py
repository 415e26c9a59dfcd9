"""How good the stacks are: coverage, rate achieved, torn and lost samples, and their price."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.spine.records import StackWindow


class StackQuality:
    """Adds up the windows of all processes; coverage and rate are the target's own.

    Args:
        pid: The target.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._lately: deque[tuple[StackWindow, int]] = deque(maxlen=8)
        self._covered_ns = 0.0
        self._begin_ns: int | None = None
        self._end_ns = 0
        self.samples = 0
        self.torn = 0
        self.sampler_cpu_s = 0.0
        self._backends: dict[str, None] = {}
        self._used_cpu_ns = 0
        self._covered_cpu_ns = 0

    @property
    def backend(self) -> str | None:
        """Who takes the stacks, the first one first; None before the first window."""
        return " + ".join(self._backends) or None

    def add(self, window: StackWindow, threads: int) -> None:
        """Take one window and the number of threads that were seen in it."""
        if window.backend:
            self._backends[window.backend] = None
        self._used_cpu_ns += window.cpu_ns or 0
        self._covered_cpu_ns += window.covered_cpu_ns or 0
        self.samples += window.samples
        self.torn += window.torn
        self.sampler_cpu_s += window.sampler_cpu_s
        if window.pid != self._pid:
            return
        self._lately.append((window, threads))
        if self._begin_ns is None:
            self._begin_ns = window.t0_ns
        fresh_ns = window.t1_ns - max(window.t0_ns, self._end_ns)
        read = window.samples + window.errors
        if fresh_ns > 0 and read:
            self._covered_ns += fresh_ns * window.samples / read
        self._end_ns = max(self._end_ns, window.t1_ns)

    def rate_hz(self) -> float | None:
        """Return sweeps per second in the last windows, None before the first."""
        # A window without threads is one in which the target waited for orders.
        told = [(w, threads) for w, threads in self._lately if threads or (w.sweeps and w.backend)]
        sweeps = sum(
            window.samples / threads if window.sweeps is None else window.sweeps
            for window, threads in told
        )
        seconds = sum(window.t1_ns - window.t0_ns for window, _ in told) / NS_PER_S
        return sweeps / seconds if seconds else None

    def coverage(self) -> float | None:
        """Return the share of the tree's CPU for which there are stacks, 0..1; None if unknown.

        From the start of the session, processes that nobody sampled included. Where a sampler
        does not tell the CPU it is the share of the target's time since the first window.
        """
        if self._used_cpu_ns:
            return min(1.0, self._covered_cpu_ns / self._used_cpu_ns)
        if self._begin_ns is None or self._end_ns <= self._begin_ns:
            return None
        return min(1.0, self._covered_ns / (self._end_ns - self._begin_ns))

    def torn_share(self) -> float | None:
        """Return the share of samples that made no sense, None before the first."""
        return self.torn / self.samples if self.samples else None
