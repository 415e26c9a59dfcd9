"""When to sweep next: at the wanted rate, never in step with the program, within the budget."""

from __future__ import annotations

import time

JITTER = 0.75
"""An interval is the period ± this share of it. A program whose cycle is as long as the period
would otherwise be met at the same place for many sweeps."""
BUDGET = 0.06
"""Share of one core that sampling may take."""
LEAST_HZ = 5.0
_COMFORT = 0.55
"""Of the budget; below it the rate may rise again."""
_DEAR_SECONDS, _CHEAP_SECONDS = 2, 5
_MODULUS, _FACTOR = (1 << 31) - 1, 48_271
_MIXED = 10


class Jitter:
    """Uniform numbers of (0, 1), by Lehmer's method; `random` would take a fifth of our start."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed % (_MODULUS - 1) + 1
        for _ in range(_MIXED):  # seeds that lie close together begin apart
            self.next()

    def next(self) -> float:
        """Return the next number."""
        self._state = self._state * _FACTOR % _MODULUS
        return self._state / _MODULUS


class Pace:
    """The clock of the sweeps."""

    def __init__(self, rate_hz: float, budget: float = BUDGET, seed: int | None = None) -> None:
        self._wanted_hz = rate_hz
        self._divisor = 1.0
        self._budget = budget
        self._jitter = Jitter(time.monotonic_ns() if seed is None else seed)
        self._due_ns = time.monotonic_ns()
        self._dear = self._cheap = 0
        self._know_intervals()
        self.late = 0
        """Sweeps that began after their time since it was last taken."""

    @property
    def rate_hz(self) -> float:
        """Sweeps a second that are aimed at now."""
        return max(self._wanted_hz / self._divisor, min(LEAST_HZ, self._wanted_hz))

    def _know_intervals(self) -> None:
        """Learn the shortest interval at the rate of now, and by how much the longest is longer."""
        period_ns = 1e9 / self.rate_hz
        self._least_ns = (1 - JITTER) * period_ns
        self._spread_ns = 2 * JITTER * period_ns

    def set_wanted(self, rate_hz: float) -> None:
        """Change the rate that is aimed at without a need to save."""
        self._wanted_hz = rate_hz
        self._know_intervals()

    def wait_ns(self, now_ns: int) -> int:
        """Return how long to sleep before the next sweep; 0 if it is late already."""
        self._due_ns += int(self._least_ns + self._spread_ns * self._jitter.next())
        left = self._due_ns - now_ns
        if left > 0:
            return left
        self.late += 1
        self._due_ns = now_ns
        return 0

    def second(self, share: float) -> str:
        """Learn what the last second took of a core; return why the rate was changed, or ""."""
        self._dear = self._dear + 1 if share > self._budget else 0
        self._cheap = self._cheap + 1 if share < _COMFORT * self._budget else 0
        if self._dear >= _DEAR_SECONDS and self.rate_hz > LEAST_HZ:
            self._dear = 0
            self._divisor *= min(max(share / self._budget, 1.25), 4.0)
            self._know_intervals()
            return "budget"
        if self._cheap >= _CHEAP_SECONDS and self._divisor > 1:
            self._cheap = 0
            self._divisor = max(self._divisor / 1.5, 1.0)
            self._know_intervals()
            return "cheap again"
        return ""
