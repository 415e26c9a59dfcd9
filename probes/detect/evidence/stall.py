"""Has a program that was at work come to a stand? What io_wait and lock_wait have in common.

Low CPU alone says nothing: a phase that is marked and not idle must run, the CPU must have been
busy in it, and the rows (where they are counted) must slow down too. On a busy machine it is what
the program wants that counts: CPU and, where the kernel tells it, the time it waited for a core.
"""

from __future__ import annotations

from collections import deque
from math import exp
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.history import GAP_S

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.observations import TreeReading, Waiting

WINDOW_S = 2.5
LOW_PERCENT, BUSY_PERCENT, IDLE_PERCENT = 32.0, 50.0, 20.0
LOW_SHARE = 0.85
MIN_STALL_SHARE = 0.84
MAX_ROWS_RATIO = 0.6
AGAIN_ROWS_RATIO = 0.8
REFERENCE_TAU_S = 5.0
MIN_REFERENCE_S = 2.0
MIN_READINGS = 5
"""At one reading a second the window is as long as it takes to have so many."""
MAX_QUEUE_SHARE = 0.3
STARVED = 1.3
WAITING_HOLD_S = 3.0
FROZEN_S = 8.0
"""Not a tick of CPU, not a byte of change: for this long it may as well be suspended."""


class _Reading(NamedTuple):
    t_s: float
    cpu: float
    wanted: float
    """CPU and the wait for a core, in per cent of a core."""
    rows: float | None


class Stall:
    """Follows one phase; fed with every reading."""

    def __init__(self) -> None:
        self.waiting: Waiting | None = None
        self.expects_waiting = False
        """True where stacks are known: then their word is waited for."""
        self.queue_share: float | None = None
        self._queue_known = False
        self._rows: float | None = None
        """Newest count that is known: a reading without one is no change."""
        self._still: tuple[float | None, float | None] = (None, None)
        self._still_since_s = 0.0
        self._still_run = (0.0, 0.0)
        """Begin and end of the newest run without any sign of life that was longer than half
        a window."""
        self._window: deque[_Reading] = deque()
        self._low = self._idle = self._busy = 0
        self._old: deque[_Reading] = deque()
        """One reading a second of the 12 s before the window."""
        self.cpu_before = 0.0
        self.wanted_before = self._reference_s = 0.0
        self._last_old_s: float | None = None
        self.frozen = False
        """True while an alert is open: its own time is no reference."""

    def restart(self) -> None:
        """Another phase: nothing before it is a reference."""
        self._window.clear()
        self._old.clear()
        self._low = self._idle = self._busy = 0
        self.cpu_before = self.wanted_before = self._reference_s = 0.0
        self._last_old_s = None
        self.frozen = False

    def add(self, sample: TreeReading, rss_bytes: float | None) -> None:
        """Take a reading and the RSS without its glitches."""
        cpu = sample.cpu_percent
        if cpu is None:
            return
        self.queue_share = sample.run_queue_share
        self._queue_known = sample.run_queue_percent is not None
        wanted = cpu + (sample.run_queue_percent or 0.0)
        if sample.rows is not None:
            self._rows = sample.rows
        still = (rss_bytes, self._rows)
        if cpu > 0 or still != self._still:
            self._still, self._still_since_s = still, sample.t_s
        elif sample.t_s - self._still_since_s > WINDOW_S / 2:
            self._still_run = (self._still_since_s, sample.t_s)
        window = self._window
        if window and sample.t_s - window[-1].t_s > GAP_S:
            self.restart()
        window.append(_Reading(sample.t_s, cpu, wanted, self._rows))
        self._low += wanted < LOW_PERCENT
        self._idle += wanted < IDLE_PERCENT
        self._busy += wanted > BUSY_PERCENT
        while sample.t_s - window[0].t_s > WINDOW_S and len(window) > MIN_READINGS:
            old = window.popleft()
            self._low -= old.wanted < LOW_PERCENT
            self._idle -= old.wanted < IDLE_PERCENT
            self._busy -= old.wanted > BUSY_PERCENT
            if not self.frozen:
                self._refer(old)

    def _refer(self, old: _Reading) -> None:
        if self._last_old_s is None:
            self._last_old_s = old.t_s
            self.cpu_before, self.wanted_before = old.cpu, old.wanted
        passed_s = old.t_s - self._last_old_s
        self._last_old_s = old.t_s
        self._reference_s += passed_s
        part = 1 - exp(-passed_s / REFERENCE_TAU_S)
        self.cpu_before += part * (old.cpu - self.cpu_before)
        self.wanted_before += part * (old.wanted - self.wanted_before)
        if not self._old or old.t_s - self._old[-1].t_s >= 1.0:
            self._old.append(old)
            if len(self._old) > 12:
                self._old.popleft()

    def stands(self) -> bool:
        """Tell whether it was busy and stands now."""
        n = len(self._window)
        if (
            n < MIN_READINGS
            or self._low < LOW_SHARE * n
            or self.wanted_before <= BUSY_PERCENT
            or self._reference_s < MIN_REFERENCE_S
            or self._window[-1].t_s - self._window[0].t_s < 0.9 * WINDOW_S
            or (not self._queue_known and (self.queue_share or 0.0) > MAX_QUEUE_SHARE)
            or self._may_be_suspended()
        ):
            return False
        if self._window[-1].t_s - self.onset_s() < MIN_STALL_SHARE * WINDOW_S:
            return False  # several dips, with work between them
        ratio = self.rows_ratio()
        return self._idle > n / 2 if ratio is None else ratio < MAX_ROWS_RATIO

    def _may_be_suspended(self) -> bool:
        """A stopped process looks like this, and is not at fault; stacks would tell."""
        if self.expects_waiting:
            return False
        begin_s, end_s = self._still_run
        inside_s = end_s - max(begin_s, self._window[0].t_s)
        return end_s - begin_s < FROZEN_S and inside_s > 0.4 * WINDOW_S

    def runs_again(self) -> bool:
        """Tell whether it is busy most of the time again, or as fast as before."""
        if self._busy > len(self._window) / 2:
            return True
        ratio = self.rows_ratio()
        return ratio is not None and ratio > AGAIN_ROWS_RATIO and self._not_all_low()

    def _not_all_low(self) -> bool:
        """Tell whether not all of the window is low."""
        return self._low < LOW_SHARE * len(self._window)

    def rows_ratio(self) -> float | None:
        """Return rows per second of the window by those of before, None without a counter."""
        if len(self._old) < 2:
            return None
        first, last = self._old[0], self._old[-1]
        newest, oldest = self._window[-1], self._window[0]
        if first.rows is None or last.rows is None or newest.rows is None or oldest.rows is None:
            return None
        before = (last.rows - first.rows) / max(last.t_s - first.t_s, 1e-3)
        if before <= 0:
            return None
        # The window's first part may be from before the stall: its last 60 % count.
        middle = next(
            reading for reading in self._window if newest.t_s - reading.t_s <= 0.6 * WINDOW_S
        )
        if middle.rows is None or newest.t_s <= middle.t_s:
            return None
        return (newest.rows - middle.rows) / (newest.t_s - middle.t_s) / before

    def onset_s(self) -> float:
        """Return when the CPU went down: behind the last two busy readings in a row."""
        onset, busy = self._window[-1].t_s, 0
        for reading in reversed(self._window):
            busy = 0 if reading.wanted < LOW_PERCENT else busy + 1
            if busy >= 2:
                break
            if busy == 0:
                onset = reading.t_s
        return onset

    def was_starved(self) -> bool:
        """Tell whether it had far less CPU than it wanted before it came to a stand."""
        return self.wanted_before > STARVED * max(self.cpu_before, 1.0)

    def cpu_now(self) -> float:
        """Return the median CPU of the window."""
        return sorted(reading.cpu for reading in self._window)[len(self._window) // 2]

    def cause(self, now_s: float) -> Waiting | None:
        """Return what threads waited for lately, None if it is not known."""
        waiting = self.waiting
        if waiting is None or now_s - waiting.t_s > WAITING_HOLD_S:
            return None
        return waiting
