"""no_steady_state: calls that were fast have become slow and stay so.

The last 8 or 16 calls are compared with the best block of as many before, against the noise of
this very call (differences of neighbours, so that a level that moves does not count as noise).
Calls of a time in which the program is kept from the cores are passed over.
"""

from __future__ import annotations

import itertools
from bisect import insort
from collections import deque
from math import exp, log, log2, sqrt
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import QUEUE_READ_EVERY_S, Detector
from perftui.probes.spine.median import median
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import CallEnded, EdgeSeverity

SIZES = (8, 16)
MIN_CALLS = 24
KEPT = 200
MIN_SLOWER_S = 0.003
NOISES = 7.0
"""How many standard errors of a median (1.25 sigma / sqrt n) the levels must be apart."""
LOOKS_FREE, NOISES_A_DOUBLING = 64, 0.4
"""Of many blocks the best and the slowest are ever further apart by chance: so many standard
errors more for each doubling of the calls beyond these."""
CRITICAL_RATIO = 3.0
NAMES_KEPT = 200
JUDGE_EVERY_S = 0.2
"""A program may make a million calls a second; it is judged a few times a second."""
_TINY_S = 1e-7


class _Name:
    """What is remembered of the calls of one name."""

    __slots__ = ("best", "blocks", "judged_s", "logs", "n", "onset_s", "suspected_s", "times")

    def __init__(self) -> None:
        self.n = 0
        self.logs: deque[float] = deque(maxlen=KEPT)
        self.times: deque[float] = deque(maxlen=KEPT)
        """When each call began."""
        self.best: dict[int, float] = {}
        """By size: the lowest median of a whole block so far, the newest block excluded."""
        self.blocks: dict[int, deque[float]] = {size: deque(maxlen=2) for size in SIZES}
        self.judged_s = float("-inf")
        self.onset_s = 0.0
        self.suspected_s: float | None = None
        """Since when it looks slow, while it is waited for what the run queue says."""


class NoSteadyState(Detector):
    """See the module. One alert at a time: the first name that lost its pace."""

    kind = "no_steady_state"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._names: dict[str, _Name] = {}
        self._slow: str | None = None
        self._size = SIZES[0]

    def on_call(self, call: CallEnded) -> None:
        """Remember the call; compare the newest block with the best one."""
        name = self._names.get(call.name)
        if call.t_s < self.context.crowded_until_s:
            if name is not None:
                name.suspected_s = None
            return
        if name is None:
            if len(self._names) >= NAMES_KEPT:
                return
            name = self._names[call.name] = _Name()
        name.n += 1
        name.logs.append(log(max(call.dur_s, _TINY_S)))
        name.times.append(call.t_s - call.dur_s)
        for size in SIZES:
            if name.n % (size // 2) == 0 and name.n >= size:
                self._keep_block(name, size)
        if name.n < MIN_CALLS or call.t_s - name.judged_s < JUDGE_EVERY_S:
            return
        name.judged_s = call.t_s
        if self._slow == call.name:
            self._watch(call, name)
        elif self.open is None:
            self._judge(call, name)

    @staticmethod
    def _keep_block(name: _Name, size: int) -> None:
        """Blocks overlap by half; the best is taken of those that ended a block ago."""
        recent = name.blocks[size]
        if len(recent) == recent.maxlen:
            name.best[size] = min(name.best.get(size, float("inf")), recent[0])
        recent.append(median(_last(name.logs, size)))

    def _judge(self, call: CallEnded, name: _Name) -> None:
        sigma = _sigma(name.logs)
        for size in SIZES:
            best = name.best.get(size)
            if best is None or name.n < 2 * size + size // 2:
                continue
            now = median(_last(name.logs, size))
            bar = max(0.3, _noises(name.n) * 1.25 * sigma / sqrt(size))
            if (
                now - best > bar
                and exp(now) - exp(best) >= MIN_SLOWER_S
                and _nearly_all_slow(name.logs, size, (best + now) / 2)
            ):
                if not self._machine_may_be_slow(name, call.t_s):
                    self._found(call, name, size, best, now)
                return
        name.suspected_s = None

    def _machine_may_be_slow(self, name: _Name, now_s: float) -> bool:
        """Wait for the next reading of the run queue, where there is one: it may tell why."""
        if not self.context.queue_known:
            return False
        if name.suspected_s is None:
            name.suspected_s = now_s
        return now_s - name.suspected_s < QUEUE_READ_EVERY_S

    def _found(self, call: CallEnded, name: _Name, size: int, best: float, now: float) -> None:
        ratio = exp(now - best)
        severity: EdgeSeverity = "critical" if ratio >= CRITICAL_RATIO else "warn"
        self._slow, self._size = call.name, size
        threshold = (best + now) / 2
        logs, times = list(name.logs), list(name.times)
        onset_s = times[-1]
        slow_seen = 0
        for index in range(len(logs) - 1, -1, -1):
            slow_seen = 0 if logs[index] > threshold else slow_seen + 1
            if slow_seen >= 3:
                break
            if slow_seen == 0:
                onset_s = times[index]
        message = (
            f"last {size} calls of {call.name} {ratio:.1f}x the best {size} "
            f"({format_seconds(exp(best))} -> {format_seconds(exp(now))})"
        )
        evidence = (
            f"{name.n} calls, noise of one call {exp(_sigma(name.logs)) - 1:.0%}; ruled out: "
            f"warm-up (it was faster before), single slow calls (medians){self._machine()}"
        )
        self.raise_alert(severity, onset_s, call.t_s, message, evidence)

    def _machine(self) -> str:
        return ", no free core" if self.context.queue_known else ""

    def _watch(self, call: CallEnded, name: _Name) -> None:
        best = name.best.get(self._size)
        edge = self.open
        if best is None or edge is None:
            return
        now = median(_last(name.logs, self._size))
        if now - best < 0.15:
            began_s = list(name.times)[-self._size]
            self._slow = None
            self.clear(call.t_s, began_s, f"{call.name} back to {format_seconds(exp(now))}")


def _noises(n_calls: int) -> float:
    return NOISES + NOISES_A_DOUBLING * log2(max(n_calls / LOOKS_FREE, 1.0))


def _nearly_all_slow(logs: deque[float], size: int, middle: float) -> bool:
    """Tell a new level from a chance run of single slow calls."""
    return sum(logs[index] > middle for index in range(-size, 0)) >= 0.85 * size


def _last(values: deque[float], n: int) -> list[float]:
    ordered: list[float] = []
    for index in range(-n, 0):
        insort(ordered, values[index])
    return ordered


def _sigma(logs: deque[float]) -> float:
    """Noise of one call, as a standard deviation of its log: from the MAD of differences."""
    values = list(logs)
    jumps = [abs(right - left) for left, right in itertools.pairwise(values)]
    return 1.4826 * median(jumps) / sqrt(2)
