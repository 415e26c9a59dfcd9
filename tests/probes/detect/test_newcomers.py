"""Memory that new processes bring is no growth, unless they never cease to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.detect.processes import ROOT, Process, batches

from perftui.probes.detect.live import Judge
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.detect.evidence.observations import Edge


def flat(mb: float) -> Callable[[float], float]:
    return lambda age_s: mb


def warms_up(mb: float, took_s: float) -> Callable[[float], float]:
    return lambda age_s: mb * min(age_s / took_s, 1.0)


def leaks(mb: float, mb_per_s: float) -> Callable[[float], float]:
    return lambda age_s: mb + mb_per_s * age_s


def said(seconds: float, processes: Sequence[Process], shared_mb: float = 0.0) -> list[Edge]:
    enricher, judge = Enricher(), Judge(CallTree(), ROOT, 0)
    edges: list[Edge] = []
    for records in batches(seconds, processes, shared_mb):
        for more in judge.take(enricher.enrich(records)):
            edges += more
    assert {edge.kind for edge in edges} <= {"mem_growth"}
    return edges


def alarms(edges: Sequence[Edge]) -> list[float]:
    """When alerts were raised: (detected)."""
    return [edge.t_detect_s for edge in edges if edge.severity in ("warn", "critical")]


def server(mb: float = 20) -> Process:
    return Process(0.0, flat(mb))


def test_a_server_that_forks_one_worker_after_another_does_not_grow() -> None:
    """200 MB are shared; each worker writes a few pages."""
    workers = [Process(0.2 + 2 * n, lambda age: 3 + 0.02 * min(age, 20)) for n in range(15)]
    edges = said(60, [server(), *workers], shared_mb=200)
    assert alarms(edges) == []
    # While they come nobody knows whether they ever cease: no verdict. Then it is known.
    assert [edge.severity for edge in edges] == ["info", "clear"]
    assert "processes came meanwhile" in edges[0].message


def test_workers_that_warm_up_to_a_level_do_not_grow() -> None:
    for apart_s, took_s in ((0.2, 8.0), (1.0, 6.0), (1.5, 4.0), (3.0, 9.0)):
        workers = [Process(1 + apart_s * n, warms_up(60, took_s), shares=False) for n in range(8)]
        assert alarms(said(60, [server(), *workers])) == [], (apart_s, took_s)


def test_workers_that_are_replaced_do_not_grow() -> None:
    """As by max_requests: each has a bit more when it ends, and the next begins anew."""
    for life_s in (5.0, 12.0, 18.0):
        workers = [
            Process(at, leaks(30, 0.5), at + life_s)
            for slot in range(4)
            for at in [0.5 + slot * life_s / 4 + life_s * n for n in range(int(120 / life_s))]
        ]
        assert alarms(said(110, [server(), *workers], shared_mb=50)) == [], life_s


def test_processes_that_never_end_are_told() -> None:
    quick = [Process(5 + 0.5 * n, flat(4)) for n in range(120)]
    [raised_s] = alarms(said(60, [server(), *quick], shared_mb=80))
    assert raised_s < 32
    slow = [Process(5 + 2 * n, flat(6), shares=False) for n in range(60)]
    edges = said(120, [server(), *slow])
    [raised_s] = alarms(edges)
    assert raised_s < 75
    assert "processes came meanwhile" in next(e for e in edges if e.severity == "warn").message


def test_when_no_more_come_it_is_over() -> None:
    quick = [Process(5 + 0.5 * n, flat(4)) for n in range(80)]
    edges = said(100, [server(), *quick], shared_mb=80)
    assert len(alarms(edges)) == 1
    assert edges[-1].severity == "clear"
    assert 40 < (edges[-1].t_end_s or 0) < 60


def test_a_leak_within_one_worker_is_told_while_others_come() -> None:
    workers = [Process(0.5 + 2 * n, flat(8)) for n in range(15)]
    workers[3] = Process(6.5, leaks(8, 2.0))
    [raised_s] = alarms(said(40, [server(), *workers], shared_mb=100))
    assert raised_s < 6.5 + 10 + 14


def test_a_leak_of_the_first_process_is_told_while_others_come() -> None:
    workers = [Process(0.5 + 1.5 * n, flat(10)) for n in range(20)]
    root = Process(0.0, lambda age: 50 + 2.0 * max(age - 6, 0))
    [raised_s, *_] = alarms(said(40, [root, *workers], shared_mb=100))
    assert raised_s < 6 + 14


def test_the_program_that_a_shell_was_started_for_is_no_newcomer() -> None:
    program = Process(0.2, lambda age: 40 + 2.0 * max(age - 5, 0), shares=False)
    [raised_s] = alarms(said(30, [server(3), program]))
    alone = Process(0.0, lambda age: 40 + 2.0 * max(age - 5, 0))
    [alone_s] = alarms(said(30, [alone]))
    assert abs(raised_s - alone_s) < 1.5


def test_who_was_there_when_somebody_attached_is_no_newcomer() -> None:
    pool = [Process(0.0, flat(30), shares=False) for _ in range(4)]
    pool[2] = Process(0.0, lambda age: 30 + 1.5 * max(age - 5, 0), shares=False)
    [raised_s] = alarms(said(30, [server(), *pool]))
    assert raised_s < 5 + 11
