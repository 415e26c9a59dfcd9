"""Timed calls of a recorded session: their sums, and the rows of the range that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import compute
from perftui.probes.recording.read.rows import rows_of
from perftui.probes.spine.median import median
from perftui.probes.spine.reader import CallStats
from perftui.probes.spine.records import Call
from perftui.probes.store.calls import CALLS_KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.recording.read.catalog import Catalog


@dataclass(slots=True)
class _Sum:
    first: Call
    n: int = 0
    failed: int = 0
    last_t_ns: int = 0


class DiskCalls:
    """See the module."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._sums: dict[str, _Sum] = {}
        names = ("name", "calls", "failed", "t_ns", "pid", "tid", "n", "duration_ns", "ok")
        table = catalog.whole("call_sums").sort_by("segment")
        for name, calls, failed, *first, last in rows_of(table, (*names, "last_t_ns")):
            t_ns, pid, tid, n, duration, ok = first
            known = self._sums.get(name)
            if known is None:
                known = self._sums[name] = _Sum(Call(t_ns, pid, tid, name, n, duration, ok))
            known.n += calls
            known.failed += failed
            known.last_t_ns = last

    def firsts(self) -> Sequence[Call]:
        """Return the first call of each name."""
        return [known.first for known in self._sums.values()]

    def stats(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        """Return statistics per name; "first" is the first call of the session."""
        pc = compute()
        inside: dict[str, list[tuple[Any, ...]]] = {}
        counted: dict[str, list[int]] = {}
        for segment in reversed(self._catalog.overlapping("calls", t0_ns, t1_ns)):
            table = self._catalog.load("calls", segment)
            within = pc.and_(pc.greater_equal(table["t_ns"], t0_ns), pc.less(table["t_ns"], t1_ns))
            table = table.filter(within)
            for name in table["name"].unique().to_pylist():
                mine = table.filter(pc.equal(table["name"], name))
                kept = inside.setdefault(name, [])
                number = counted.setdefault(name, [0, 0])
                number[0] += mine.num_rows
                number[1] += mine.num_rows - (pc.sum(mine["ok"]).as_py() or 0)
                room = CALLS_KEPT - len(kept)
                if room > 0:
                    newest = mine.slice(max(mine.num_rows - room, 0))
                    kept[:0] = rows_of(newest, ("n", "duration_ns", "ok"))
        found = []
        for name, calls in self._sums.items():
            rows = inside.get(name, [])
            if not rows:
                continue
            whole = calls.first.t_ns >= t0_ns and calls.last_t_ns < t1_ns
            warm = [duration for n, duration, _ in rows if n > 1]
            middle = round(median(warm)) if warm else None
            first_ns = calls.first.duration_ns
            found.append(
                CallStats(
                    name=name,
                    n=calls.n if whole else counted[name][0],
                    first_ns=first_ns,
                    warm_median_ns=middle,
                    last_ns=rows[-1][1],
                    ratio=first_ns / middle if middle else None,
                    failed=calls.failed if whole else counted[name][1],
                )
            )
        return tuple(found)
