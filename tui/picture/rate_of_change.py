"""How fast a figure changes now: over the last seconds, from the newest readings."""

from __future__ import annotations

from collections import deque

from perftui.probes.text.units import NS_PER_S


class RateOfChange:
    """A short memory of readings."""

    def __init__(self, window_s: float = 3.0) -> None:
        self._window_ns = round(window_s * NS_PER_S)
        self._readings: deque[tuple[int, float]] = deque()

    def add(self, t_ns: int, value: float) -> None:
        """Remember a reading; the clock starting anew forgets all."""
        readings = self._readings
        if readings and t_ns <= readings[-1][0]:
            if t_ns == readings[-1][0]:
                return
            readings.clear()
        readings.append((t_ns, value))
        while len(readings) > 2 and readings[1][0] <= t_ns - self._window_ns:
            readings.popleft()

    @property
    def per_s(self) -> float | None:
        """Change per second, None before there is half a second to judge by."""
        if len(self._readings) < 2:
            return None
        (t0, first), (t1, last) = self._readings[0], self._readings[-1]
        if t1 - t0 < NS_PER_S // 2:
            return None
        return (last - first) * NS_PER_S / (t1 - t0)
