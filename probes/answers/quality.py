"""How good the stacks are: coverage, rate achieved, torn and lost samples, and their price."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.spine.records import StackWindow

LATELY = 8
"""Windows that the rate is told of."""


@dataclass(slots=True)
class StackQuality:
    """Sums over the windows of all processes; coverage and rate are the target's own."""

    samples: int = 0
    torn: int = 0
    sampler_cpu_s: float = 0.0
    backend: str | None = None
    begin_ns: int | None = None
    """Of the target's first window."""
    end_ns: int = 0
    covered_ns: float = 0.0
    """Time of the target with good stacks."""
    lately: deque[tuple[StackWindow, int]] = field(default_factory=lambda: deque(maxlen=LATELY))
    """The target's last windows, each with the threads that were seen in it."""

    def rate_hz(self) -> float | None:
        """Return sweeps per second in the last windows, None before the first."""
        # A window without threads is one in which the target waited for orders.
        told = [(window, threads) for window, threads in self.lately if threads]
        sweeps = sum(window.samples / threads for window, threads in told)
        seconds = sum(window.t1_ns - window.t0_ns for window, _ in told) / NS_PER_S
        return sweeps / seconds if seconds else None

    def coverage(self) -> float | None:
        """Return the share of wall time with good stacks since the first window, 0..1."""
        if self.begin_ns is None or self.end_ns <= self.begin_ns:
            return None
        return min(1.0, self.covered_ns / (self.end_ns - self.begin_ns))

    def torn_share(self) -> float | None:
        """Return the share of samples that made no sense, None before the first."""
        return self.torn / self.samples if self.samples else None
