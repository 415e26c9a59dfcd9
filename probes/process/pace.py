"""How often something may be done whose cost nobody knows beforehand: by what it has cost.

An allowance of CPU flows in at a fixed share of a core. What is done takes its cost out, also
more than there is: then it is not done again until that has flowed in.
"""

from __future__ import annotations

from perftui.probes.text.units import NS_PER_S


class CostPace:
    """Keeps the CPU of one thing below a share of a core.

    Args:
        share: Of one core.
        room_s: So many seconds of the share may be saved up.
    """

    def __init__(self, share: float, room_s: float = 1.0) -> None:
        self._share = share
        self._most_ns = share * room_s * NS_PER_S
        self._left_ns = self._most_ns
        self._at_ns: int | None = None

    def may(self, now_ns: int) -> bool:
        """Tell whether it may be done at this moment."""
        if self._at_ns is not None:
            flown_ns = max(now_ns - self._at_ns, 0) * self._share
            self._left_ns = min(self._left_ns + flown_ns, self._most_ns)
        self._at_ns = now_ns
        return self._left_ns > 0

    def took(self, cpu_ns: int) -> None:
        """Take out what it has cost."""
        self._left_ns -= cpu_ns
