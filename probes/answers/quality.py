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
    backends: dict[str, None] = field(default_factory=dict)
    """Who took stacks, the first one first."""
    used_cpu_ns: int = 0
    """CPU of all processes, sampled or not, as far as samplers tell it."""
    covered_cpu_ns: int = 0
    """Of that, what there are stacks for."""
    begin_ns: int | None = None
    """Of the target's first window."""
    end_ns: int = 0
    covered_ns: float = 0.0
    """Time of the target with good stacks."""
    asked_hz: float = 0.0
    """Sweeps per second that were aimed at for the target, at the most; 0 before its first."""
    lately: deque[tuple[StackWindow, int]] = field(default_factory=lambda: deque(maxlen=LATELY))
    """The target's last windows, each with the threads that were seen in it."""

    @property
    def backend(self) -> str | None:
        """Who takes the stacks, the first one first; None before the first window."""
        return " + ".join(self.backends) or None

    def know_backend(self, backend: str) -> None:
        """Take down who took the stacks of a window; "" is nobody."""
        if backend:
            self.backends[backend] = None

    def rate_hz(self) -> float | None:
        """Return sweeps per second in the last windows, None before the first."""
        # A window without threads is one in which the target waited for orders.
        told = [(w, threads) for w, threads in self.lately if threads or (w.sweeps and w.backend)]
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
        if self.used_cpu_ns:
            return min(1.0, self.covered_cpu_ns / self.used_cpu_ns)
        if self.begin_ns is None or self.end_ns <= self.begin_ns:
            return None
        return min(1.0, self.covered_ns / (self.end_ns - self.begin_ns))

    def torn_share(self) -> float | None:
        """Return the share of samples that made no sense, None before the first."""
        return self.torn / self.samples if self.samples else None
