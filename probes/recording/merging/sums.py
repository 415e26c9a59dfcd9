"""What is told of the whole tree of processes, added up over several recordings.

Each recording tells the sum over its own processes, at moments of its own. Here the sum of all
stands at the moments of the first that has any then: with what each other one told last. What
counts up goes on to count when its processes have ended; what is had is no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.spine.derived import CUMULATIVE, FAMILY_FIELDS
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOLDS_NS = 3 * NS_PER_S // 2
"""What was told longer ago is no more: slow figures come once a second."""
PARTS_HOLD_NS = 30 * NS_PER_S
"""What memory is made of is told as seldom as every 20 s."""
_COUNT_UP = (*CUMULATIVE, *FAMILY_FIELDS)

Row = dict[str, Any]


def family_rows(sources: Sequence[Sequence[Row]]) -> Iterator[Row]:
    """Yield the sums of readings over all recordings.

    Args:
        sources: Rows of `metrics` with pid 0, of each recording, by time.
    """
    lasts: list[Row] = [{} for _ in sources]
    told: list[dict[str, int]] = [{} for _ in sources]
    led_ns = [-HOLDS_NS] * len(sources)
    for t_ns, source, row in _in_order(sources):
        for name, value in row.items():
            if value is not None:
                lasts[source][name] = value
                told[source][name] = t_ns
        led_ns[source] = t_ns
        if any(t_ns - led_ns[before] < HOLDS_NS for before in range(source)):
            continue
        whole: Row = {"t_ns": t_ns, "pid": 0}
        for name in row:
            if name in ("t_ns", "pid"):
                continue
            # Slow figures stand where the leading recording told one.
            if row[name] is None:
                whole[name] = None
                continue
            known = [
                last[name]
                for last, at in zip(lasts, told, strict=True)
                if name in last and (name in _COUNT_UP or t_ns - at[name] < HOLDS_NS)
            ]
            whole[name] = sum(known)
        whole["high_water_rss_bytes"] = whole["group_peak_bytes"] = None
        yield whole


def part_rows(sources: Sequence[Sequence[Row]]) -> Iterator[Row]:
    """Yield what the memory of all is made of.

    Args:
        sources: Rows of `memory_parts` with pid 0, of each recording, by time.
    """
    lasts: list[dict[str, int]] = [{} for _ in sources]
    at_ns = [-PARTS_HOLD_NS] * len(sources)
    pending: tuple[int, int] | None = None

    def flush() -> Iterator[Row]:
        if pending is None:
            return
        whole: dict[str, int] = {}
        for last, at in zip(lasts, at_ns, strict=True):
            if pending[0] - at < PARTS_HOLD_NS:
                for name, size in last.items():
                    whole[name] = whole.get(name, 0) + size
        for name, size in whole.items():
            yield {"t_ns": pending[0], "pid": 0, "name": name, "bytes": size}

    for t_ns, source, row in _in_order(sources):
        if pending != (t_ns, source):
            yield from flush()
            pending = (t_ns, source)
            lasts[source] = {}
            at_ns[source] = t_ns
        lasts[source][row["name"]] = row["bytes"]
    yield from flush()


def count_rows(sources: Sequence[Sequence[Row]]) -> Iterator[Row]:
    """Yield counters whose sum over the tree is over all recordings."""
    totals: dict[str, list[float]] = {}
    rates: dict[str, list[tuple[int, float] | None]] = {}
    for t_ns, source, row in _in_order(sources):
        total = totals.setdefault(row["name"], [0.0] * len(sources))
        total[source] = row["tree_total"] or 0.0
        known = rates.setdefault(row["name"], [None] * len(sources))
        if row["rate_per_s"] is not None:
            known[source] = (t_ns, row["rate_per_s"])
        lately = [rate for rate in known if rate is not None and t_ns - rate[0] < HOLDS_NS]
        rate = sum(value for _, value in lately) if row["rate_per_s"] is not None else None
        yield {**row, "tree_total": sum(total), "rate_per_s": rate}


def pool_rows(sources: Sequence[Sequence[Row]]) -> Iterator[Row]:
    """Yield what allocators have given out, with sums over all recordings."""
    totals: dict[str, list[int]] = {}
    for _, source, row in _in_order(sources):
        total = totals.setdefault(row["name"], [0] * len(sources))
        total[source] = row["tree_bytes"] or 0
        yield {**row, "tree_bytes": sum(total)}


def _in_order(sources: Sequence[Sequence[Row]]) -> list[tuple[int, int, Row]]:
    rows = [(row["t_ns"], n, row) for n, source in enumerate(sources) for row in source]
    rows.sort(key=lambda each: each[:2])
    return rows
