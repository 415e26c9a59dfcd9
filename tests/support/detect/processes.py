"""Made families of processes, as the probes read them: who comes when, with what of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perftui.probes.spine.records import Exit, Metric
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perftui.probes.spine.records import Record

MB = 1_000_000
HZ = 10
ROOT = 100


@dataclass
class Process:
    """One process; times in seconds, memory in MB."""

    born_s: float
    own: Callable[[float], float]
    """Of its age: memory that nobody shares."""
    dies_s: float = float("inf")
    shares: bool = True
    """It was forked: it has the pages of the first one."""


def batches(
    seconds: float, processes: Sequence[Process], shared_mb: float = 0.0
) -> Iterator[list[Record]]:
    """Yield what a session is told, a batch a tick; shares once a second and when somebody comes.

    The first process has `shared_mb` that all who share have in common with it.
    """
    before: set[int] = set()
    for n in range(int(seconds * HZ)):
        t_s = n / HZ
        t_ns = n * NS_PER_S // HZ
        living = {
            ROOT + i: process
            for i, process in enumerate(processes)
            if process.born_s <= t_s < process.dies_s
        }
        ended: list[Record] = [Exit(t_ns, pid, 0, None) for pid in sorted(before - living.keys())]
        shares = n % HZ == 0 or before != living.keys()
        before = set(living)
        n_sharing = sum(process.shares for process in living.values())
        rows: list[Record] = []
        for pid, process in living.items():
            own = process.own(t_s - process.born_s)
            common = shared_mb if process.shares else 0.0
            alone = common > 0 and n_sharing == 1
            rss = round((own + common) * MB)
            metric = Metric(t_ns, pid, t_s, rss, anon_rss_bytes=rss)
            if shares:
                metric = metric._replace(
                    pss_bytes=round((own + common / max(n_sharing, 1)) * MB),
                    uss_bytes=round((own + (common if alone else 0.0)) * MB),
                )
            rows.append(metric)
        yield [*rows, *ended]
