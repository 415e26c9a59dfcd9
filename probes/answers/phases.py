"""Phases with both ends joined, and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perftui.probes.spine.reader import Phase
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.answers.metric_series import MetricSeries
    from perftui.probes.spine.records import PhaseBegin, PhaseEnd


@dataclass(slots=True)
class PhaseSpan:
    """A phase with its two ends joined."""

    begin: PhaseBegin
    depth: int
    end: PhaseEnd | None = None
    ended_ns: int | None = None
    """Also set when the process ended inside the phase."""
    row: Phase | None = None
    """What is told of it, once that does not change any more."""

    def overlaps(self, t0_ns: int, t1_ns: int) -> bool:
        """Tell whether it was open in a range."""
        return self.begin.t_ns < t1_ns and (self.ended_ns is None or self.ended_ns >= t0_ns)

    def told(self, rss: MetricSeries | None, now_ns: int) -> Phase:
        """Return what is told of it.

        Args:
            rss: Of its process.
            now_ns: The session's time.
        """
        if self.row is not None:
            return self.row
        begin, end = self.begin, self.end
        cpu_s = None
        if end is not None and end.cpu_s is not None and begin.cpu_s is not None:
            cpu_s = end.cpu_s - begin.cpu_s
        peaks = [begin.rss_bytes, end.rss_bytes if end else None]
        if rss is not None:
            until_ns = self.ended_ns if self.ended_ns is not None else now_ns
            seen = rss.highest_in(begin.t_ns, until_ns)
            peaks.append(None if seen is None else int(seen))
        row = Phase(
            pid=begin.pid,
            id=begin.id,
            parent_id=begin.parent_id,
            name=begin.name,
            depth=self.depth,
            t0_ns=begin.t_ns,
            t1_ns=self.ended_ns,
            cpu_s=cpu_s,
            rss_start_bytes=begin.rss_bytes,
            rss_end_bytes=end.rss_bytes if end else None,
            peak_rss_bytes=max((p for p in peaks if p is not None), default=None),
            tid=begin.tid,
        )
        ended_ns = self.ended_ns
        if ended_ns is not None and rss is not None and rss.last_t_ns > ended_ns + NS_PER_S:
            self.row = row  # no reading of its time comes any more
        return row
