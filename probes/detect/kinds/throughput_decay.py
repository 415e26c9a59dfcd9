"""throughput_decay: rows per second fall and fall, with the time or with the work done.

Three looks at the rate of the phase: blocks that grow from its start (a power law: time ~
rows^k), the last 24 s and the last 60 s. Rates are by the program's own time: what it waited for
a core is taken out, where the kernel tells it, so that a busy machine neither makes a decay nor
hides one.
"""

from __future__ import annotations

import itertools
from math import exp, log
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.detector import Detector
from perftui.probes.detect.evidence.growth import fit_line
from perftui.probes.text.units import format_count, format_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import EdgeSeverity, TreeReading

BLOCKS = 8
MIN_PHASE_S = 14.0
BARS = (
    (7.0, 10.0, 0.4),
    (8.0, 15.0, 0.34),
    (14.0, 15.0, 0.32),
    (20.0, 10.0, 0.35),
    (26.0, 10.0, 0.32),
)
"""From which length of the phase on a fall is one that has this t and is as large. What slows with
the work done is on a line by blocks that grow from the start: a rate that sways has less than half
of such a t."""
GEOMETRIC_SPAN = 16.0
"""The blocks from the phase's start: their borders run from 1/16 of its length to now."""
MIN_FALL = 0.32
MIN_RECENT_FALL = 0.5
"""Of the last 24 s alone: rates also sway."""
CRITICAL_FALL = 0.6
KEPT = 512
EVERY_S, YOUNG_EVERY_S = 0.5, 0.25
"""Between two points: of the last 70 s; of a phase, while it is young."""
SMOOTH = 0.05
"""Of a new reading in the smoothed CPU and wait for a core."""
CROWDED_PERCENT, LEAST_SHARE = 15.0, 0.02


class _Point(NamedTuple):
    t_s: float
    rows: float
    own_s: float
    """Seconds without the waits for a core."""


class _Look(NamedTuple):
    edges: list[float]
    bars: Sequence[tuple[float, float, float]]
    """As `BARS`; one must be passed."""
    geometric: bool


class ThroughputDecay(Detector):
    """See the module."""

    kind = "throughput_decay"
    needs_s = MIN_PHASE_S

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._points: list[_Point] = []
        """Of this phase, thinned as it gets long."""
        self._recent: list[_Point] = []
        """The last 70 s, not thinned."""
        self._every_s = YOUNG_EVERY_S
        self._start: _Point | None = None
        self._own_s = 0.0
        self._last_s: float | None = None
        self._waited = 0.0
        """Smoothed per cent of the time that threads wait for a core."""
        self._evidence_from_s = float("-inf")
        self._cpu = 0.0
        self._before = 0.0
        """Rows per second when the open alert's decay began."""

    def on_phase(self, t_s: float) -> None:
        """Another phase has another rate."""
        if self.open is not None:
            self.clear(t_s, t_s, "the phase has ended")
        self._restart()

    def _restart(self) -> None:
        self._points, self._recent, self._every_s, self._start = [], [], YOUNG_EVERY_S, None
        self._evidence_from_s = float("-inf")

    def on_sample(self, sample: TreeReading) -> None:
        """Remember the counter now and then, from its first progress on."""
        rows = sample.rows
        if rows is None:
            return
        self._pass_time(sample)
        point = _Point(sample.t_s, rows, self._own_s)
        if self._start is None or rows < self._start.rows:
            self._restart()
            self._start = point
            return
        if not self._points:
            if rows > self._start.rows:
                self._points.append(self._start)
                self._recent.append(self._start)
            else:
                self._start = point
                return
        if sample.t_s - self._recent[-1].t_s >= EVERY_S:
            self._recent.append(point)
            if len(self._recent) > 300:
                cut = sample.t_s - 70.0
                self._recent = [old for old in self._recent if old.t_s >= cut]
        if sample.t_s - self._points[-1].t_s >= self._every_s:
            self._points.append(point)
            if len(self._points) > KEPT:
                self._points = self._points[::2]
                self._every_s *= 2

    def _pass_time(self, sample: TreeReading) -> None:
        """Advance the program's own clock: by the part of what it wanted that it was given."""
        if sample.cpu_percent is not None:
            self._cpu += SMOOTH * (sample.cpu_percent - self._cpu)
        waited = sample.run_queue_percent or 0.0
        self._waited += SMOOTH * (waited - self._waited)
        if self._last_s is not None:
            wanted = self._cpu + self._waited
            crowded = self._waited > CROWDED_PERCENT
            share = max(self._cpu / wanted, LEAST_SHARE) if crowded else 1.0
            self._own_s += share * (sample.t_s - self._last_s)
        self._last_s = sample.t_s

    def on_second(self, now_s: float) -> None:
        """Take the three looks, or watch for the rate's return."""
        if not self._recent or now_s - self._recent[0].t_s < 4.0:
            return
        if self.open is not None:
            self._watch(now_s)
            return
        if self.context.open_alerts.keys() & {"io_wait", "lock_wait"}:
            return  # the fall has a name already
        last_s = self._recent[-1].t_s
        start_s = self._points[0].t_s
        length_s = last_s - start_s
        bars = [bar for bar in BARS if length_s >= bar[0]]
        if bars and self._evidence_from_s < start_s:
            ratio = GEOMETRIC_SPAN ** (1 / BLOCKS)
            edges = [start_s + length_s * ratio ** (k - BLOCKS) for k in range(BLOCKS + 1)]
            if self._look(_Look(edges, bars, geometric=True), self._points, now_s):
                return
        for window_s, min_t, min_fall in ((24.0, 9.0, MIN_RECENT_FALL), (60.0, 5.0, MIN_FALL)):
            if last_s - max(start_s, self._evidence_from_s) >= window_s:
                step = window_s / BLOCKS
                edges = [last_s - window_s + step * k for k in range(BLOCKS + 1)]
                bars = [(window_s, min_t, min_fall)]
                if self._look(_Look(edges, bars, geometric=False), self._recent, now_s):
                    return

    def _look(self, look: _Look, points: list[_Point], now_s: float) -> bool:
        rates = _rates(points, look.edges)
        if rates is None:
            return False
        logs = [log(rate) for rate in rates]
        line = fit_line(logs)
        slope, t = line.slope, line.t(len(logs))
        falls = sum(right < left for left, right in itertools.pairwise(logs))
        fall = 1 - exp(slope * (BLOCKS - 1))
        if slope >= 0 or falls < BLOCKS - 2:
            return False
        if not any(t >= min_t and fall >= min_fall for _, min_t, min_fall in look.bars):
            return False
        if self._has_been_as_slow(look.edges[0], rates):
            return False
        self._before = rates[0]
        severity: EdgeSeverity = "critical" if fall >= CRITICAL_FALL else "warn"
        onset_s = self._points[0].t_s if look.geometric else look.edges[0]
        message = (
            f"rows/s {format_count(rates[0])} -> {format_count(rates[-1])} over "
            f"{format_seconds(now_s - onset_s)}, CPU {self._cpu:.0f} %"
        )
        if look.geometric and (power := _exponent(slope)) >= 1.1:
            message += f": time ~ rows^{power:.1f}"
        evidence = (
            f"{falls}/{BLOCKS - 1} blocks slower than the one before, -{fall:.0%}, t={t:.0f}; "
            f"ruled out: a new phase, a single stall{self._contention()}"
        )
        self.raise_alert(severity, onset_s, now_s, message, evidence)
        return True

    def _contention(self) -> str:
        if self._waited <= CROWDED_PERCENT:
            return ""
        return ", a busy machine (rates are by the time that it had a core)"

    def _has_been_as_slow(self, until_s: float, rates: list[float]) -> bool:
        """In this phase, before the window: then it is a rate that comes and goes."""
        points = self._points
        span_s = (self._recent[-1].t_s - until_s) / BLOCKS
        lowest, at = float("inf"), 0
        start_s = points[0].t_s
        for index, point in enumerate(points):
            if point.t_s > until_s:
                break
            while points[at].t_s < point.t_s - span_s:
                at += 1
            before = points[max(at - 1, 0)]
            if point.t_s - before.t_s >= span_s and index:
                lowest = min(lowest, _rate(before, point))
        if min(rates) > 0.85 * lowest:
            return True
        # A peak that ends is no decay: it must be slow by the phase's mean rate too.
        then = next((point for point in points if point.t_s >= until_s), points[-1])
        if until_s - start_s < MIN_PHASE_S or then.rows <= points[0].rows:
            return False
        return rates[-1] > (1 - MIN_FALL) * _rate(points[0], then)

    def _watch(self, now_s: float) -> None:
        edge, points = self.open, self._recent
        if edge is None:
            return
        last_s = points[-1].t_s
        rates = _rates(points, [last_s - 8.0, last_s - 4.0, last_s])
        if rates is None:
            if now_s - last_s > 1.0 or _idle(points, 10.0):
                self.clear(now_s, now_s, "no more rows are read")
                self._restart()
            return
        if min(rates) >= 0.85 * self._before:
            self.clear(now_s, last_s - 8.0, f"rows/s back to {format_count(rates[-1])}")
            self._evidence_from_s = now_s
        elif edge.severity == "warn" and max(rates) < (1 - CRITICAL_FALL) * self._before:
            message = f"rows/s {format_count(self._before)} -> {format_count(rates[-1])}"
            self.change("critical", now_s, message, edge.evidence)


def _rate(before: _Point, after: _Point) -> float:
    return (after.rows - before.rows) / max(after.own_s - before.own_s, 1e-6)


def _idle(points: list[_Point], span_s: float) -> bool:
    """Tell whether nothing was counted in the last seconds."""
    last = points[-1]
    old = next((point for point in reversed(points) if last.t_s - point.t_s >= span_s), None)
    return old is not None and old.rows == last.rows


def _rates(points: list[_Point], edges: list[float]) -> list[float] | None:
    """Return rows per second between the edges, None where one of them is unknown or nothing."""
    if not points or edges[0] < points[0].t_s - 1e-9:
        return None
    borders = []
    at = 0
    for edge in edges:
        while at + 1 < len(points) and points[at + 1].t_s < edge:
            at += 1
        if at + 1 >= len(points):
            last = points[-1]
            borders.append(_Point(edge, last.rows, last.own_s + edge - last.t_s))
            continue
        left, right = points[at], points[at + 1]
        gap = right.t_s - left.t_s
        share = min(max((edge - left.t_s) / gap, 0.0), 1.0) if gap > 0 else 0.0
        rows = left.rows + share * (right.rows - left.rows)
        borders.append(_Point(edge, rows, left.own_s + share * (right.own_s - left.own_s)))
    rates = [_rate(before, after) for before, after in itertools.pairwise(borders)]
    return rates if min(rates) > 0 else None


def _exponent(slope: float) -> float:
    """Return k of time ~ rows^k from the slope in geometric blocks: rate ~ t^(1/k - 1)."""
    return 1 / max(1 + slope / (log(GEOMETRIC_SPAN) / BLOCKS), 0.05)
