"""oom_risk: at this pace the memory limit is reached within seconds.

Judged on the last second, since a crash leaves no time for more. Once raised it stays until the
program has given back far more than the alert needed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Detector
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import TreeReading

SLOPE_S = 1.0
MIN_SPAN_S = 0.4
CLEAR_SHARE = 0.6
CLEAR_HOLD_S = 5.0
RISE_BUCKETS = 60
START_UP_BUCKETS = 6
FOOT_SHARE = 0.05


class OomRisk(Detector):
    """See the module."""

    kind = "oom_risk"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._recent: deque[tuple[float, float]] = deque()
        self._low_since: float | None = None
        self._marked = False

    def on_sample(self, sample: TreeReading) -> None:
        """Follow the share of the limit and how fast it rises."""
        limit, rss = self.context.limit_bytes, self.history.rss_bytes
        if not limit or rss is None:
            return
        now_s = sample.t_s
        recent = self._recent
        if recent and now_s - recent[-1][0] > 2 * SLOPE_S:
            recent.clear()
        recent.append((now_s, rss))
        while now_s - recent[0][0] > SLOPE_S and len(recent) > 2:
            recent.popleft()
        share = rss / limit
        edge = self.open
        if edge is not None and edge.severity != "info":
            self._maybe_clear(now_s, share)
            return
        if share < 0.7:
            if edge is not None and share < CLEAR_SHARE:
                self.clear(now_s, now_s, f"back to {share:.0%} of the limit")
            return
        span_s = now_s - recent[0][0]
        if span_s >= MIN_SPAN_S and share > 0.75:
            rate = (rss - recent[0][1]) / span_s
            left_s = (limit - rss) / rate if rate > 0 else float("inf")
            if left_s < 8.0 or (share > 0.85 and rate / limit >= 0.005 and left_s < 30.0):
                self._raise(now_s, rss, limit, rate, max(left_s, 0.0))
                return
        if edge is None:
            message = f"{share:.0%} of {format_bytes(limit)} limit used"
            evidence = "not rising fast enough to be a risk"
            self.raise_alert("info", self._onset(rss), now_s, message, evidence)

    def _raise(self, now_s: float, rss: float, limit: float, rate: float, left_s: float) -> None:
        message = (
            f"{rss / limit:.0%} of {format_bytes(limit)} limit, full in "
            f"{format_seconds(left_s)} at +{format_bytes(rate)}/s"
        )
        evidence = (
            f"RSS {format_bytes(self._recent[0][1])} -> {format_bytes(rss)} in "
            f"{format_seconds(now_s - self._recent[0][0])}; ruled out: a single wrong reading "
            "(median of three)"
        )
        self._low_since = None
        if self.open is not None:
            self.change("critical", now_s, message, evidence)
        else:
            self.raise_alert("critical", self._onset(rss), now_s, message, evidence)

    def _onset(self, rss: float) -> float:
        """Return when the rise left its foot, as far as half a minute back."""
        history = self.history.whole
        start = history.known_from + START_UP_BUCKETS
        first = min(max(history.end - RISE_BUCKETS, start), history.end)
        foot = min(history.floor(first, history.end), rss)
        bar = foot + FOOT_SHARE * (rss - foot)
        at = next(
            (i for i in range(history.end, first, -1) if history.floor(i - 1, i) <= bar), first
        )
        return min(history.time_of(max(at - 1, 0)), self._recent[0][0])

    def _maybe_clear(self, now_s: float, share: float) -> None:
        if share >= CLEAR_SHARE:
            self._low_since = None
        elif self._low_since is None:
            self._low_since = now_s
        elif now_s - self._low_since >= CLEAR_HOLD_S:
            self.clear(now_s, self._low_since, f"back to {share:.0%} of the limit")
