"""What watching may cost: the rate of stacks follows from it."""

from __future__ import annotations

LEAST_HZ = 1.0
_COMFORT = 0.75
"""Of the share; below it the rate may rise again, by a little."""
_STEP_UP, _STEP_DOWN = 1.2, 0.4


class Thrift:
    """Says at what rate stacks are taken, by what all of our processes used lately.

    Args:
        share: Of one core, for all of it together.
        wanted_hz: The rate that is asked for; it is never higher.
    """

    def __init__(self, share: float, wanted_hz: float) -> None:
        self.share = share
        self.rate_hz = self._wanted_hz = wanted_hz
        self._before: tuple[float, float] | None = None

    def second(self, t_s: float, cpu_s: float) -> float:
        """Return the rate from now on.

        Args:
            t_s: Now.
            cpu_s: CPU seconds of all our processes so far.
        """
        before, self._before = self._before, (t_s, cpu_s)
        if before is None or t_s <= before[0]:
            return self.rate_hz
        used = (cpu_s - before[1]) / (t_s - before[0])
        if used > self.share:
            self.rate_hz = max(self.rate_hz * max(self.share / used, _STEP_DOWN), LEAST_HZ)
        elif used < _COMFORT * self.share:
            self.rate_hz = min(self.rate_hz * _STEP_UP, self._wanted_hz)
        return self.rate_hz
