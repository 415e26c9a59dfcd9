"""What processes bring that come to a family: the memory of their youth.

A pool that starts its workers one after another, a server that forks one more, a worker that warms
up to a level: the family rises with each of them, and nothing in it grows. So what a process that
came later has of its own while it is young is told apart: `brought` is the sum over those that
live. What it takes when it has grown up is growth like any other's, and what one that ends had
brought is given back by its end.

Only memory of its own counts (USS): what a fork shares with its parent is the family's already.
Between two readings of shares it follows the memory without a file, as the family's figure does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Metric

YOUNG_NS = 10 * NS_PER_S
"""A worker has loaded what it needs by then, as a rule."""
MORE_BYTES, MORE_PART, MOST_MORE_BYTES = 1e6, 0.1, 5e6
"""A worker goes on to copy shared pages and to fill what it has: so much more is no growth yet."""
ITSELF_NS = 3 * NS_PER_S
"""The first process that comes this soon is what a shell or a wrapper was started for: it is as
old as the family."""


class _Newcomer(NamedTuple):
    born_ns: int
    own: int
    """USS at its last reading; 0 if it was never read: a fork has nothing of its own at first."""
    anon: int
    """What it had without a file then."""
    brought: int
    level: int
    """What it had of its own when it was young."""


class Newcomers:
    """Takes the readings of one moment after the other."""

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._settled: set[int] = set()
        """Who is no newcomer."""
        self._came: dict[int, _Newcomer] = {}
        self._itself_came = False
        self.count = 0
        """How many have come so far."""

    def take(self, metrics: Sequence[Metric], *, shares_known: bool) -> int:
        """Return the bytes that those who live have brought.

        Args:
            metrics: One reading of each process of the family, all of one moment.
            shares_known: False if nobody may read what is a process's own: all counts then.
        """
        t_ns = metrics[0].t_ns
        if self._since_ns is None:
            self._since_ns = t_ns
            self._settled = {metric.pid for metric in metrics}
            return 0
        if len(metrics) > 1 or self._came:
            living = {metric.pid for metric in metrics}
            for pid in self._came.keys() - living:
                del self._came[pid]
            self._settled &= living
        brought = 0
        for metric in metrics:
            if metric.pid not in self._settled:
                brought += self._follow(metric, t_ns, shares_known=shares_known)
        return brought

    def _follow(self, metric: Metric, t_ns: int, *, shares_known: bool) -> int:
        pid, rss = metric.pid, metric.rss_bytes
        anon = rss if metric.anon_rss_bytes is None else min(metric.anon_rss_bytes, rss)
        before = self._came.get(pid)
        if before is None:
            if not self._itself_came and t_ns - (self._since_ns or 0) <= ITSELF_NS:
                self._itself_came = True
                self._settled.add(pid)
                return 0
            self.count += 1
            before = _Newcomer(t_ns, 0, anon, 0, 0)
        if not shares_known:
            before = before._replace(own=rss, anon=anon)
        elif metric.uss_bytes is not None:
            own = min(metric.uss_bytes, rss)
            if metric.pss_bytes is None and 2 * own <= rss:
                own = 0  # a fork, as the family counts it
            before = before._replace(own=own, anon=anon)
        own = max(before.own + anon - before.anon, 0)
        level, brought = before.level, min(before.brought, own)
        if t_ns - before.born_ns < YOUNG_NS:
            level = brought = own
        elif own <= level + min(MORE_BYTES + MORE_PART * level, MOST_MORE_BYTES):
            brought = own
        self._came[pid] = before._replace(brought=brought, level=level)
        return brought
