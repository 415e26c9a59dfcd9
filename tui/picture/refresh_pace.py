"""How soon the next picture is taken: seldom where nothing moves, later where drawing is dear.

A screen that shows what a machine has left must not take it. Drawing gets a share of one core,
whatever it costs here (a wide terminal, a slow or a busy machine), and a picture that was late
because others had the core makes the next one come later. A key does not wait for any of it.
"""

from __future__ import annotations

from collections import deque

CALM_HZ = 2
"""Of pictures, where nothing needs more: figures are read at this rate, not faster."""
BEHIND_S = 0.02
"""A calm picture is taken so long after a multiple of its period: what it shows is handed on
there (`spine.wakes`), and who comes right behind others finds the processor's caches warm."""
LIVELY_PICTURES = 12
"""The first ones of a screen come as quickly as is wanted: what is measured begins to be known."""
CORE_SHARE = 0.02
"""Of one core, for the thread that draws."""
CALM_SHARE = 0.0065
"""The same for calm pictures: where one costs more than 5 ms, on a slow or a full machine, there is
one a second."""
STILL_S = 0.5
"""Between two looks where nothing moves: the target has ended, waits, or is as it was."""
LEAST_HZ = 1.0
"""However starved: figures that are older than this would be taken for the present ones."""
_STARVED = 3.0
"""So many times its CPU a picture took by the clock: others had the core meanwhile."""
_WAITED_S = 0.1
_RECENT = 5
"""The middle cost of so many pictures counts: opening a tab is dear once."""


class RefreshPace:
    """Told of each picture, says how long to rest after it."""

    def __init__(self) -> None:
        self._pictures = 0
        self._costs_s = deque([0.0] * _RECENT, _RECENT)
        self._slowed = 1.0

    def calm_hz(self, hz: float) -> float:
        """Return how many pictures a second are needed, of `hz` that may be drawn."""
        return hz if self._pictures < LIVELY_PICTURES else min(hz, CALM_HZ)

    def rest_s(self, hz: float, *, took_s: float, cpu_s: float, drew: bool) -> float:
        """Return how long to rest.

        Args:
            hz: Pictures a second that are wanted.
            took_s: Of taking and drawing the last one, by the clock.
            cpu_s: Of the drawing thread, since the picture before.
            drew: There was something new to draw.
        """
        if not drew:
            return max(1 / hz, STILL_S) - min(took_s, STILL_S / 2)
        self._pictures += 1
        self._costs_s.append(cpu_s)
        cost_s = sorted(self._costs_s)[_RECENT // 2]
        starved = took_s > _WAITED_S and took_s > _STARVED * cpu_s
        self._slowed = min(self._slowed * 1.5, 4.0) if starved else max(self._slowed / 1.2, 1.0)
        share = CALM_SHARE if hz <= CALM_HZ else CORE_SHARE
        period_s = max(1 / hz, cost_s / share) * self._slowed
        return max(min(period_s, max(1 / LEAST_HZ, 1 / hz)) - took_s, 0.01)
