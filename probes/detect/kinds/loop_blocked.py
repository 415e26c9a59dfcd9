"""loop_blocked: an event loop of asyncio does not come back from one callback; all else waits.

Told by the agent, which looks at the loop ten times a second from a thread of its own: what
lasts longer than that is seen, and where it stood. A loop that is blocked again and again has one
alert, which says how often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector, worse
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import (
        EdgeSeverity,
        LoopBlocked,
        TreeReading,
    )

CRITICAL_S = 2.0
"""Clients give up, and what is to be done every second is not done."""
CROWDED_S, OWN_S = 0.5, 0.1
"""While the program is kept from the cores, a shorter one may be the machine's doing; so may be
one of which a shorter part is the program's own."""
HOLD_S = 5.0
"""So long without another one, and the loop turns freely again."""
SILENT_S = 15.0
"""One that lasts is told once a second: without news for so long its process has gone."""
AGAIN = 1.5
"""A block so many times as long as the longest that was told is told anew."""


class LoopIsBlocked(Detector):
    """See the module."""

    kind = "loop_blocked"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._last: LoopBlocked | None = None
        self._before: dict[int, int] = {}
        """Blocks of each process before the open alert."""
        self._seen: dict[int, int] = {}
        """Blocks of each process so far."""
        self._worst: LoopBlocked | None = None
        """The longest of the open alert."""
        self._told_count = 0

    def on_loop_blocked(self, blocked: LoopBlocked) -> None:
        """Raise it, or say that it is worse than was told."""
        severity = self._severity(blocked)
        edge, last, worst = self.open, self._last, self._worst
        if edge is None or worst is None:
            self._before = dict(self._seen)
            self._before.setdefault(blocked.pid, blocked.n - 1)
        self._seen[blocked.pid] = blocked.n
        self._last = blocked
        if edge is None or worst is None:
            self._worst = blocked
            onset_s = blocked.t_s - blocked.took_s
            self.raise_alert(severity, onset_s, blocked.t_s, *self._words(blocked))
            return
        has_ended = blocked.over and last is not None and not last.over
        is_news = worse(severity, edge) or has_ended
        is_news = is_news or blocked.took_s >= AGAIN * worst.took_s
        is_news = is_news or self._count() >= 2 * self._told_count
        if blocked.took_s >= worst.took_s:
            self._worst = worst = blocked
        if is_news:
            final = severity if worse(severity, edge) else edge.severity
            self.change(final, blocked.t_s, *self._words(worst))

    def on_sample(self, sample: TreeReading) -> None:
        """Has it turned freely for long enough?"""
        last = self._last
        if self.open is None or last is None:
            return
        if sample.t_s - last.t_s > (HOLD_S if last.over else SILENT_S):
            count = self._count()
            most = format_seconds(0.0 if self._worst is None else self._worst.took_s)
            times = f"{count} times, {most} at most" if count > 1 else f"for {most}"
            message = f"it turns again; it was blocked {times}"
            self.clear(sample.t_s, last.t_s, message)

    def _severity(self, blocked: LoopBlocked) -> EdgeSeverity:
        if blocked.took_s >= CRITICAL_S:
            return "critical"
        own_s = self.context.own_s(blocked.took_s, blocked.t_s)
        crowded = blocked.t_s <= self.context.crowded_until_s
        return "info" if crowded and min(own_s / OWN_S, blocked.took_s / CROWDED_S) < 1 else "warn"

    def _count(self) -> int:
        return sum(n - self._before.get(pid, 0) for pid, n in self._seen.items())

    def _words(self, blocked: LoopBlocked) -> tuple[str, str]:
        """Return message and evidence of the longest block of the alert."""
        count = self._told_count = self._count()
        took = format_seconds(blocked.took_s)
        so_far = "" if blocked.over else " so far"
        times = f"{count} times, {took} at most," if count > 1 else f"for {took}{so_far}"
        inside = "" if blocked.where == blocked.callback else f", in {blocked.where}"
        message = f"event loop blocked {times} by {blocked.callback}{inside}"
        ruled_out = "ruled out: a loop that waits for events, many short callbacks"
        if blocked.t_s <= self.context.crowded_until_s:
            ruled_out += "; the program is kept from the cores meanwhile"
        evidence = f"no other task could run; stack: {blocked.stack}; {ruled_out}"
        return message, evidence
