"""Work that is shared out unevenly: one worker of several has most of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.probes.verdict.finding import RankedFinding, percent
from perftui.probes.verdict.spent import burnt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.verdict.case import Case

LEAST_WORKERS = 3
LEAST_S = 1.0
LEAST_SHARE, TIMES = 0.5, 3.0
"""Of the CPU of all workers, and of that of the second."""
SQL = "SELECT pid, max(cpu_s) AS cpu_s FROM metrics WHERE pid > 0 GROUP BY pid ORDER BY cpu_s DESC"


def uneven(case: Case) -> Iterator[RankedFinding]:
    """Yield the child process that worked on while its siblings had nothing to do."""
    processes = {p.pid: p for p in case.reader.processes()}
    used = {u.pid: u.cpu_s for u in case.reader.process_use(case.t0_ns, case.t1_ns)}
    families: dict[tuple[int, str], list[int]] = {}
    for process in processes.values():
        if process.ppid in processes:
            families.setdefault((process.ppid, _command(process.argv)), []).append(process.pid)
    for workers in families.values():
        workers.sort(key=lambda pid: -used.get(pid, 0.0))
        if len(workers) < LEAST_WORKERS or not _at_once(case, workers):
            continue
        most, second = (used.get(pid, 0.0) for pid in workers[:2])
        whole = sum(used.get(pid, 0.0) for pid in workers)
        if most < LEAST_S or most < LEAST_SHARE * whole or most < TIMES * second:
            continue
        pid = workers[0]
        mine = [thread for thread in case.threads if thread.pid == pid]
        own = burnt(case.spots, mine).by_node
        node = max(own, key=lambda each: own[each], default=None)
        yield RankedFinding(
            "straggler",
            f"1 of {len(workers)} workers has {percent(most / whole)} of the work: "
            f"{format_seconds(most)} of CPU, the next {format_seconds(second)}",
            "info",
            min((most + _queued_s(case, pid)) / case.span_s, 1.0) * 0.9,
            processes[pid].t_start_ns,
            processes[pid].t_end_ns or case.t1_ns,
            "Threads",
            SQL,
            f"process {pid}; children of one process, with one command",
            "" if node is None else case.spots.place(node),
            seconds=most,
            next_step="share the work out in smaller parts, so that nobody waits for the last",
        )


def _queued_s(case: Case, pid: int) -> float:
    """Return how long the threads of a process waited for a core: it was wanted all the same."""
    queued = case.waited.threads.get(("queue_ns", ""), {})
    return sum(ns for thread, ns in queued.items() if thread[0] == pid) / NS_PER_S


def _command(argv: tuple[str, ...]) -> str:
    """Return a command without its numbers: a pool gives each worker other ones."""
    return re.sub(r"\d+", "", " ".join(argv))


def _at_once(case: Case, workers: list[int]) -> bool:
    """Tell whether most of them lived beside the first, as workers of a pool do."""
    processes = {p.pid: p for p in case.reader.processes()}
    spans = [(processes[pid].t_start_ns, processes[pid].t_end_ns or case.t1_ns) for pid in workers]
    begin, end = spans[0]
    beside = sum(min(end, t1) - max(begin, t0) >= 0.5 * (t1 - t0) for t0, t1 in spans)
    return beside >= LEAST_WORKERS
