"""How fast a recording is played, and how far the cursor has come since the last look."""

from __future__ import annotations

from perftui.probes.text.units import NS_PER_S

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class PlayClock:
    """Plays or stands still. Time is given from outside, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.playing = False
        self.speed = 1.0
        self._last_s = 0.0

    def start(self, now_s: float) -> None:
        """Play from now on."""
        self.playing = True
        self._last_s = now_s

    def stop(self) -> None:
        """Stand still."""
        self.playing = False

    def change_speed(self, step: int) -> float:
        """Go to the next faster or slower speed; returns it."""
        index = SPEEDS.index(self.speed) + step
        self.speed = SPEEDS[min(max(index, 0), len(SPEEDS) - 1)]
        return self.speed

    def advance_ns(self, now_s: float) -> int:
        """Return how much of the recording has gone by since the last call."""
        passed_s, self._last_s = max(now_s - self._last_s, 0.0), now_s
        return round(passed_s * self.speed * NS_PER_S)


def speed_text(speed: float) -> str:
    """Name a speed: 0.25x, 1x, 64x."""
    return f"{speed:g}x"
