"""One clock of two: the far machine's CLOCK_MONOTONIC in ours.

A ping and its answer give four times (as in NTP): the difference of the clocks is known to half
of the time on the way, so the quickest of many tells it best. Two quartzes drift apart by some
10 µs a second; what is told moves so slowly that no two moments change places.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

_KEPT = 12
_SLEW = 2e-4
"""Of the time that has gone by: twenty times what a quartz drifts."""


class PingAnswer(NamedTuple):
    """What one ping has told."""

    offset_ns: int
    """To be added to a time of the far clock."""
    error_ns: int
    """It may be off by so much either way."""


class FarClock:
    """Takes pings, gives our time. Not safe for several threads at once."""

    def __init__(self) -> None:
        self._answers: deque[PingAnswer] = deque(maxlen=_KEPT)
        self._offset_ns: int | None = None
        self._moved_ns = 0

    @property
    def known(self) -> bool:
        """Whether a ping has been answered."""
        return self._offset_ns is not None

    @property
    def offset_ns(self) -> int:
        """What is added now; 0 before the first answer."""
        return self._offset_ns or 0

    @property
    def error_ns(self) -> int | None:
        """How far off it may be; None before the first answer."""
        return min((answer.error_ns for answer in self._answers), default=None)

    def take(self, asked_ns: int, far_got_ns: int, far_sent_ns: int, came_ns: int) -> None:
        """Take an answer.

        Args:
            asked_ns, came_ns: Our clock, at the question and at the answer.
            far_got_ns, far_sent_ns: Theirs, between these.
        """
        on_the_way_ns = max((came_ns - asked_ns) - (far_sent_ns - far_got_ns), 0)
        offset_ns = (asked_ns - far_got_ns + came_ns - far_sent_ns) // 2
        self._answers.append(PingAnswer(offset_ns, on_the_way_ns // 2))
        best = min(self._answers, key=lambda answer: answer.error_ns)
        if self._offset_ns is None or len(self._answers) == 1:
            self._offset_ns, self._moved_ns = best.offset_ns, came_ns
            return
        most_ns = round(max(came_ns - self._moved_ns, 0) * _SLEW)
        wanted_ns = best.offset_ns - self._offset_ns
        if abs(wanted_ns) > best.error_ns // 4:
            self._offset_ns += max(-most_ns, min(wanted_ns, most_ns))
        self._moved_ns = came_ns

    def settle(self) -> None:
        """Take the best answer as it is: nothing has been told by this clock yet."""
        if self._answers:
            best = min(self._answers, key=lambda answer: answer.error_ns)
            self._offset_ns = best.offset_ns

    def near_ns(self, far_ns: int) -> int:
        """Return our time of a moment there."""
        return far_ns + self.offset_ns
