"""How often and how long to record: early data first, then what costs least, never too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.stacks.recorder import SpyRecording

_FIRST_WINDOWS_S = (0.2, 0.3, 0.5)
"""The first stacks shall be on the screen early; a window costs about 10 ms of CPU to start."""
_MOST_CPU_SHARE = 0.15
_COMFORT_CPU_SHARE = 0.06
_DEAR_WINDOWS = 3
_CHEAP_WINDOWS = 10
_LEAST_HZ = 10
_START_NS = 40_000_000
_LONGEST_START_NS = 300_000_000


class RelayPace:
    """Rate and window of one relay, adapted to what the recorders cost."""

    def __init__(self, rate_hz: float, window_s: float) -> None:
        self._wanted_hz = rate_hz
        self._divisor = 1
        self._window_s = window_s
        self._windows = 0
        self._dear = 0
        self._cheap = 0
        self.start_ns = _START_NS
        """How long a recorder takes from spawn to READY, lately."""

    @property
    def rate_hz(self) -> int:
        """Sweeps per second for the next recorder."""
        return max(
            min(_LEAST_HZ, round(self._wanted_hz)), round(self._wanted_hz / self._divisor), 1
        )

    @property
    def window_ns(self) -> int:
        """How long the current recorder is to sample."""
        early = self._windows < len(_FIRST_WINDOWS_S)
        window_s = self._window_s
        if early:
            window_s = min(window_s, _FIRST_WINDOWS_S[self._windows])
        return round(window_s * NS_PER_S)

    def set_wanted(self, rate_hz: float) -> None:
        """Change the rate that is aimed at."""
        self._wanted_hz = rate_hz

    def started(self, start_ns: int) -> None:
        """A recorder became READY after `start_ns`."""
        self.start_ns += (min(start_ns, _LONGEST_START_NS) - self.start_ns) // 4

    def cost(self, recording: SpyRecording) -> str:
        """Learn from a recording that has ended.

        Returns:
            What changed, as a phrase; "" if nothing did.
        """
        self._windows += 1
        share = recording.cpu_s * NS_PER_S / max(recording.t_end_ns - recording.t_spawn_ns, 1)
        # The first ones are short: starting up is most of what they cost.
        if self._windows <= len(_FIRST_WINDOWS_S) or recording.rate_hz != self.rate_hz:
            return ""
        behind = recording.outcome == "behind"
        self._dear = self._dear + 1 if share > _MOST_CPU_SHARE else 0
        self._cheap = self._cheap + 1 if share < _COMFORT_CPU_SHARE and not behind else 0
        if (self._dear >= _DEAR_WINDOWS or behind) and self.rate_hz > _LEAST_HZ:
            self._divisor *= 2
            self._dear = 0
            why = "the sampler fell behind" if behind else f"sampling took {share:.0%} of a core"
            return f"stack rate lowered to {self.rate_hz} Hz, {why}"
        if self._divisor > 1 and self._cheap >= _CHEAP_WINDOWS:
            self._divisor //= 2
            self._cheap = 0
            return f"stack rate raised to {self.rate_hz} Hz again"
        return ""
