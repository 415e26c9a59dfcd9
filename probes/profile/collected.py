"""What collections of cycles took: per generation, as a share of the time, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Collected


class Generation(NamedTuple):
    """Collections of one generation."""

    generation: int
    n: int
    pause_ns: int
    longest_ns: int
    """Of those that were timed."""
    timed: int
    collected: int


def by_generation(rows: Sequence[Collected]) -> tuple[Generation, ...]:
    """Return the sums of each generation, the youngest first."""
    found: dict[int, list[Collected]] = {}
    for row in rows:
        found.setdefault(row.generation, []).append(row)
    return tuple(
        Generation(
            generation,
            sum(row.n for row in mine),
            sum(row.pause_ns for row in mine),
            max(row.longest_ns for row in mine),
            sum(row.timed for row in mine),
            sum(row.collected for row in mine),
        )
        for generation, mine in sorted(found.items())
    )


def shares(rows: Sequence[Collected], t0_ns: int, t1_ns: int, n: int) -> list[float]:
    """Return which share of each of `n` equal parts of a range went into collections, 0..1.

    Of several processes it is that of the one with most.
    """
    columns = shares_by_process(rows, t0_ns, t1_ns, n).values()
    return [max(column) for column in zip(*columns, strict=True)] or [0.0] * n


def shares_by_process(
    rows: Sequence[Collected], t0_ns: int, t1_ns: int, n: int
) -> dict[int, list[float]]:
    """Return the same for each process."""
    step = max((t1_ns - t0_ns) / n, 1.0)
    by_pid: dict[int, list[float]] = {}
    for row in rows:
        columns = by_pid.setdefault(row.pid, [0.0] * n)
        span = max(row.t_ns - row.t0_ns, 1)
        first = max(int((row.t0_ns - t0_ns) // step), 0)
        last = min(int((row.t_ns - 1 - t0_ns) // step), n - 1)
        for column in range(first, last + 1):
            low = max(row.t0_ns, t0_ns + column * step)
            high = min(row.t_ns, t0_ns + (column + 1) * step)
            columns[column] += row.pause_ns * max(high - low, 0.0) / span / step
    return {pid: [min(share, 1.0) for share in row] for pid, row in by_pid.items()}


def collections_json(rows: Sequence[Collected], duration_ns: int) -> dict[str, Any]:
    """Return the part of a summary that tells of collections; of all processes together."""
    mine = by_generation(rows)
    timed = any(each.timed for each in mine)
    pause = sum(each.pause_ns for each in mine)
    return {
        "pause_s": pause / NS_PER_S if timed else None,
        "share": min(max(_by_process(rows)) / duration_ns, 1.0) if timed and duration_ns else None,
        "generations": [
            {
                "generation": each.generation,
                "collections": each.n,
                "timed": each.timed,
                "pause_s": each.pause_ns / NS_PER_S if each.timed else None,
                "longest_s": each.longest_ns / NS_PER_S if each.timed else None,
                "objects": each.collected,
            }
            for each in mine
        ],
    }


def _by_process(rows: Sequence[Collected]) -> list[int]:
    sums: dict[int, int] = {}
    for row in rows:
        sums[row.pid] = sums.get(row.pid, 0) + row.pause_ns
    return list(sums.values())
