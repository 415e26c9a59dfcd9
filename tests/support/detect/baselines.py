"""Two detectors that anybody would write first, to be judged on the same traces as ours.

Both share simple rules for what is no trend (limit, calls, imports, low CPU); they differ in how
they see a trend: the slope of the last seconds, or Mann-Kendall with Theil-Sen over 20 s.
"""

from __future__ import annotations

import itertools
from math import sqrt
from statistics import median
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.observations import CallEnded, Edge, ImportEnded, TreeReading

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.detect.corpus import Trace

    Trend = Callable[[list[float]], float]

STEP_S = 0.5


class _Simple:
    """One alert per kind; it clears when the rule no longer holds (trends: never)."""

    def __init__(self, trend: Trend, window: int, limit: float | None) -> None:
        self.edges: list[Edge] = []
        self._open: dict[str, float] = {}
        self._trend, self._window, self._limit = trend, window, limit
        self._rss: list[float] = []
        self._rates: list[float] = []
        self._rows: float | None = None
        self._step = -1
        self._cpu: list[float] = []
        self._calls: list[float] = []

    def say(self, kind: str, onset_s: float, now_s: float) -> None:
        if kind not in self._open:
            self._open[kind] = onset_s
            self.edges.append(Edge(kind, "warn", onset_s, now_s, kind, ""))

    def unsay(self, kind: str, now_s: float) -> None:
        onset_s = self._open.pop(kind, None)
        if onset_s is not None:
            self.edges.append(Edge(kind, "clear", onset_s, now_s, kind, "", first=False))

    def feed(self, seen: object) -> None:
        if isinstance(seen, CallEnded):
            self._call(seen)
        elif isinstance(seen, ImportEnded) and seen.dur_s > 0.5:
            self.say("slow_import", seen.t_s - seen.dur_s, seen.t_s)
            self.unsay("slow_import", seen.t_s)
        elif isinstance(seen, TreeReading):
            step = int(seen.t_s / STEP_S)
            self._cpu.append(seen.cpu_percent or 0.0)
            if step > self._step:
                self._step = step
                self._half_second(seen)

    def _call(self, call: CallEnded) -> None:
        calls = self._calls
        calls.append(call.dur_s)
        if len(calls) == 4 and calls[0] > 0.1 and calls[0] > 10 * median(calls[1:]):
            self.say("cold_start", call.t_s - sum(calls), call.t_s)
        if len(calls) >= 24 and self._trend(calls[-self._window :]) > 0.3:
            self.say("no_steady_state", call.t_s, call.t_s)

    def _half_second(self, sample: TreeReading) -> None:
        now_s, rss = sample.t_s, sample.rss_bytes or 0.0
        self._rss.append(rss)
        if sample.rows is not None:
            if self._rows is not None:
                self._rates.append(sample.rows - self._rows)
            self._rows = sample.rows
        if self._limit and rss > 0.9 * self._limit:
            self.say("oom_risk", now_s, now_s)
        if (sample.phase or "").startswith("import:"):
            self.say("slow_import", now_s, now_s)
        if len(self._cpu) > 10 and median(self._cpu) < 20:
            self.say("io_wait", now_s - 2, now_s)
        elif len(self._cpu) > 10:
            self.unsay("io_wait", now_s)
        if len(self._cpu) > 40:
            del self._cpu[:20]
        window = self._rss[-self._window :]
        if len(window) == self._window:
            span_s = self._window * STEP_S
            grown = self._trend(window) * (sum(window) / len(window))
            if grown > 1.5e6 and grown / span_s > 0.06e6:
                rises = self._rates and self._rates[-1] > 0
                kind = "streaming_violation" if rises else "mem_growth"
                if "mem_growth" not in self._open and "streaming_violation" not in self._open:
                    self.say(kind, now_s - span_s, now_s)
        rates = self._rates[-2 * self._window :]
        if len(rates) == 2 * self._window and min(rates) > 0 and self._trend(rates) < -0.3:
            self.say("throughput_decay", now_s - len(rates) * STEP_S, now_s)


def _slope(values: list[float]) -> float:
    """Least squares: relative change over the window."""
    n = len(values)
    middle = (n - 1) / 2
    mean = sum(values) / n
    sxx = n * (n * n - 1) / 12
    slope = sum((i - middle) * value for i, value in enumerate(values)) / sxx
    return slope * n / mean if mean else 0.0


def _theil_sen(values: list[float]) -> float:
    """Relative change over the window if Mann-Kendall calls it a trend (z > 4), else 0.

    The variance is inflated by the lag-1 autocorrelation of the residuals.
    """
    n = len(values)
    pairs = [
        (values[j] - values[i], (values[j] - values[i]) / (j - i))
        for i in range(n)
        for j in range(i + 1, n)
    ]
    score = sum((gap > 0) - (gap < 0) for gap, _ in pairs)
    slope = median(rate for _, rate in pairs)
    mean = sum(values) / n
    rest = [value - slope * i for i, value in enumerate(values)]
    centre = sum(rest) / n
    power = sum((value - centre) ** 2 for value in rest)
    lag = sum((left - centre) * (right - centre) for left, right in itertools.pairwise(rest))
    rho = min(max(lag / power, 0.0), 0.9) if power else 0.0
    variance = n * (n - 1) * (2 * n + 5) / 18 * (1 + rho) / (1 - rho)
    if abs(score) / sqrt(variance) < 4 or mean == 0:
        return 0.0
    return slope * n / mean


def _run(trace: Trace, trend: Trend, window: int) -> list[Edge]:
    simple = _Simple(trend, window, trace.limit_bytes)
    for seen in trace.observations:
        simple.feed(seen)
    return simple.edges


def naive_slope(trace: Trace) -> list[Edge]:
    """The slope of the last 5 s."""
    return _run(trace, _slope, 10)


def mann_kendall(trace: Trace) -> list[Edge]:
    """Mann-Kendall and Theil-Sen over the last 20 s."""
    return _run(trace, _theil_sen, 40)
