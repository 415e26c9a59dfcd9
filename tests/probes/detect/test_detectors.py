"""Each detector on small made observations: what it says, and what it keeps quiet about."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from perftui.probes.detect.engine import Engine
from perftui.probes.detect.evidence.observations import (
    CallEnded,
    CyclesCollected,
    ImportBegan,
    ImportEnded,
    LoopBlocked,
    TreeReading,
    Waiting,
)
from perftui.probes.detect.registry import DETECTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perftui.probes.detect.evidence.observations import Edge, Observation

MB = 1e6
HZ = 20


def samples(
    seconds: float,
    rss_mb: Callable[[float], float] = lambda t: 100.0,
    cpu: Callable[[float], float] = lambda t: 90.0,
    rows: Callable[[float], float | None] = lambda t: None,
    phase: Callable[[float], str | None] = lambda t: None,
    queue: Callable[[float], float | None] = lambda t: None,
) -> list[TreeReading]:
    times = [n / HZ for n in range(int(seconds * HZ))]
    return [
        TreeReading(t, rss_mb(t) * MB, cpu(t), rows(t), phase(t), run_queue_share=queue(t))
        for t in times
    ]


def said(
    observations: Iterable[Observation], limit: float | None = None, *, stacks: bool = False
) -> list[Edge]:
    ordered = sorted(observations, key=lambda seen: seen.t_s)
    return list(Engine(limit, knows_stacks=stacks).feed_all(ordered))


def of_kind(edges: list[Edge], kind: str) -> list[str]:
    return [edge.severity for edge in edges if edge.kind == kind]


def test_the_table_has_every_kind_under_its_name() -> None:
    assert set(DETECTORS) == {
        "mem_growth",
        "streaming_violation",
        "oom_risk",
        "cold_start",
        "slow_import",
        "no_steady_state",
        "throughput_decay",
        "io_wait",
        "lock_wait",
        "cpu_contention",
        "loop_blocked",
        "gc_pressure",
        "straggler",
        "lone_growth",
        "memory_skew",
    }


def test_a_steady_program_gives_no_alert() -> None:
    assert said(samples(120)) == []


def test_a_leak_is_said_with_rate_and_onset_and_cleared_when_it_ends() -> None:
    edges = said(samples(120, lambda t: 100 + 2 * min(max(t - 20, 0), 40)))
    assert [edge.severity for edge in edges] == ["warn", "clear"]
    raised, cleared = edges
    assert raised.kind == "mem_growth"
    assert raised.t_onset_s == pytest.approx(20, abs=2)
    assert raised.t_detect_s == pytest.approx(28.5, abs=1.5)
    assert raised.message.startswith(("RSS +1.9", "RSS +2.0"))
    assert "ruled out" in raised.evidence
    assert 60 < cleared.t_detect_s < 90
    assert cleared.t_onset_s == raised.t_onset_s
    assert cleared.t_end_s == pytest.approx(60, abs=3)


def test_a_leak_that_would_meet_the_limit_soon_is_critical() -> None:
    edges = said(samples(40, lambda t: 100 + 2 * t), limit=800 * MB)
    assert ("mem_growth", "critical") in [(edge.kind, edge.severity) for edge in edges]


def test_a_leak_of_a_program_that_ends_lasted_to_its_end() -> None:
    """What it gives back as it ends is no level that it had reached before."""
    edges = said(samples(62, lambda t: 100 + 4 * max(t - 10, 0) if t < 60 else 30))
    assert [edge.severity for edge in edges] == ["warn", "clear"]
    assert edges[-1].t_end_s == pytest.approx(60, abs=1.5)


def test_what_rises_while_modules_are_imported_is_theirs() -> None:
    """On a busy machine an import of many modules takes as long as a leak needs to be told."""
    level: Callable[[float], float] = lambda t: 40 + 3 * min(t, 30) + 2 * max(t - 50, 0)  # noqa: E731
    loading = [ImportBegan(0.1, "heavy"), ImportEnded(30, "heavy", 29.9)]
    growth = [e for e in said([*samples(70, level), *loading]) if e.kind == "mem_growth"]
    assert [edge.severity for edge in growth] == ["warn"]
    assert growth[0].t_onset_s == pytest.approx(50, abs=2)
    # Without its end it is the program itself, which is imported by another.
    level = lambda t: 40 + 3 * t  # noqa: E731
    edges = said([*samples(100, level), ImportBegan(0.1, "program")])
    [found] = [e for e in edges if e.kind == "mem_growth"]
    assert 60 < found.t_detect_s < 90


@pytest.mark.parametrize(
    "level",
    [
        lambda t: 100 + 80 * (1 - math.exp(-t / 6)),
        lambda t: 100 + 50 * ((t / 3) % 1),
        lambda t: 100 + 10 * min(int(t / 15), 4),
        lambda t: 100 + (60 if t > 30 else 0),
        lambda t: 100 + 10 * math.log1p(t),
    ],
    ids=["cache that fills", "garbage", "few steps", "one step", "logarithm"],
)
def test_what_levels_off_is_no_leak(level: Callable[[float], float]) -> None:
    assert said(samples(120, level)) == []


def test_growth_with_the_rows_is_one_alert_and_not_two() -> None:
    edges = said(samples(40, lambda t: 100 + 20 * t, rows=lambda t: 5000 * t))
    assert {edge.kind for edge in edges} == {"streaming_violation"}
    assert "kB/row" in edges[0].message
    assert "looks like collect()" in edges[0].message


def test_rows_that_pass_without_growth_are_fine() -> None:
    assert said(samples(60, rows=lambda t: 5000 * t)) == []


def test_work_that_is_counted_is_not_data() -> None:
    leak = samples(40, lambda t: 100 + 5 * t, rows=lambda t: 3000 * t)
    edges = said([sample._replace(rows_are_data=False) for sample in leak])
    assert {edge.kind for edge in edges} == {"mem_growth"}


def test_memory_that_runs_into_the_limit_is_said_before_it_does() -> None:
    level: Callable[[float], float] = lambda t: 100 + 150 * max(t - 10, 0)  # noqa: E731
    edges = said(samples(15.9, level), limit=1000 * MB)
    critical = [edge for edge in edges if edge.severity == "critical"]
    assert [edge.kind for edge in critical] == ["oom_risk"]
    assert critical[0].t_detect_s < 15
    assert "1.00 GB limit, full in" in critical[0].message


def test_without_a_limit_there_is_no_limit_to_run_into() -> None:
    assert of_kind(said(samples(16, lambda t: 100 + 150 * max(t - 10, 0))), "oom_risk") == []


def test_a_cold_first_call() -> None:
    calls = [CallEnded(1 + n, "query", 0.26 if n == 0 else 0.0036) for n in range(6)]
    edges = said([*samples(10), *calls])
    assert [edge.severity for edge in edges] == ["warn", "clear"]
    assert edges[0].message == "first query 260 ms, warm median 3.60 ms (n=3): 72x"
    assert edges[0].t_onset_s == pytest.approx(0.74)


def test_a_first_call_that_is_a_little_slower_is_no_alert() -> None:
    calls = [CallEnded(1 + n, "query", 0.26 if n == 0 else 0.1) for n in range(20)]
    assert [edge for edge in said([*samples(30), *calls]) if edge.severity != "info"] == []


def test_a_slow_import_is_said_while_it_runs() -> None:
    edges = said([*samples(10), ImportBegan(1.0, "lance"), ImportEnded(6.0, "lance", 5.0)])
    assert [edge.severity for edge in edges] == ["info", "warn", "critical", "critical", "clear"]
    warn, ended = edges[1], edges[3]
    assert ended.message == "import lance 5.00 s, 83% of start-up"
    assert warn.t_detect_s == pytest.approx(1.5, abs=0.11)
    assert "import lance" in warn.message
    assert "still running" in warn.message
    assert len({edge.t_onset_s for edge in edges}) == 1


def test_an_import_that_took_less_than_it_was_seen_to_run_has_ended_all_the_same() -> None:
    edges = said([*samples(10), ImportBegan(1.0, "json"), ImportEnded(1.25, "json", 0.09)])
    assert "still running" in edges[0].message
    (ended,) = (edge for edge in edges[1:] if edge.severity != "clear")
    assert ended.message.startswith("import json 90.0 ms, ")


def test_an_import_that_took_no_time_when_nothing_had_is_taken() -> None:
    """Times of a damaged recording."""
    ends = [ImportEnded(1.0, "load", 1.0), ImportEnded(0.0, "query", 0.0)]
    edges = Engine(None, knows_stacks=True).feed_all([*list(samples(1))[:1], *ends])
    assert [edge.kind for edge in edges if edge.message]


def test_an_import_within_another_is_not_said_twice() -> None:
    ends = [ImportEnded(2.0, "lance.core", 1.2), ImportEnded(2.5, "lance", 2.2)]
    edges = said([*samples(20), *ends])
    assert [edge.severity for edge in edges] == ["warn", "critical", "clear"]
    assert len({edge.t_onset_s for edge in edges}) == 1


def test_an_import_that_is_a_phase_and_an_event_is_said_once() -> None:
    rows = samples(20, phase=lambda t: "import:lance" if 1 <= t < 4 else "run")
    edges = said([*rows, ImportEnded(4.0, "lance", 3.0)])
    assert of_kind(edges, "slow_import") == ["info", "warn", "critical", "critical", "clear"]


def test_calls_that_become_slow_and_fast_again() -> None:
    def took(n: int) -> float:
        return (0.03 if 40 <= n < 80 else 0.012) * (1 + 0.05 * math.sin(n))

    calls = [CallEnded(1 + 0.5 * n, "query", took(n)) for n in range(160)]
    edges = said([*samples(90), *calls])
    assert [(edge.kind, edge.severity) for edge in edges] == [
        ("no_steady_state", "warn"),
        ("no_steady_state", "clear"),
    ]
    assert edges[0].t_onset_s == pytest.approx(21, abs=0.6)
    assert "2.5x" in edges[0].message


def test_rows_that_come_slower_and_slower() -> None:
    edges = said(samples(60, rows=lambda t: 1e5 * math.sqrt(t), phase=lambda t: "load"))
    assert edges[0].kind == "throughput_decay"
    assert "time ~ rows^2.0" in edges[0].message


def test_a_new_phase_may_have_its_own_rate() -> None:
    rows = samples(
        90,
        rows=lambda t: 1e4 * min(t, 45) + 1e3 * max(t - 45, 0),
        phase=lambda t: "read" if t < 45 else "write",
    )
    assert said(rows) == []


def stalled(t: float) -> bool:
    return 20 <= t < 30


def test_a_working_phase_that_stands_waits_for_io() -> None:
    edges = said(
        samples(
            45,
            cpu=lambda t: 6.0 if stalled(t) else 90.0,
            rows=lambda t: 1e4 * (t if t < 20 else 20 + max(t - 30, 0)),
            phase=lambda t: "load",
        )
    )
    assert of_kind(edges, "io_wait") == ["warn", "clear"]
    assert edges[0].t_onset_s == pytest.approx(20, abs=0.2)
    assert edges[0].t_detect_s < 23
    assert "CPU 6 % (was 90 %)" in edges[0].message


@pytest.mark.parametrize("name", [None, "idle", "startup"])
def test_low_cpu_alone_says_nothing(name: str | None) -> None:
    assert said(samples(60, cpu=lambda t: 90 if t < 20 else 3, phase=lambda t: name)) == []


def test_a_suspended_process_waits_for_nothing() -> None:
    rows = samples(
        60,
        cpu=lambda t: 0.0 if 20 <= t < 26 else 90.0,
        rows=lambda t: 1e4 * (t if t < 20 else 20 + max(t - 26, 0)),
        phase=lambda t: "load",
    )
    assert said(rows) == []


def test_stacks_tell_a_lock_from_io() -> None:
    rows = samples(45, cpu=lambda t: 6.0 if stalled(t) else 90.0, phase=lambda t: "hash")
    waits = [Waiting(20 + n / 2, "lock", 0.9, "waiting for a lock in work.py:3") for n in range(20)]
    edges = said([*rows, *waits], stacks=True)
    assert of_kind(edges, "lock_wait") == ["warn", "clear"]
    assert of_kind(edges, "io_wait") == []
    assert "90% of stacks waiting for a lock in work.py:3" in edges[0].message


def test_threads_that_queue_at_a_lock_while_one_works() -> None:
    waits = [
        Waiting(float(t), "lock", 0.95, "waiting for a lock in f a.py:3", share, threads=4)
        for t, share in [(t, 0.75 if 10 <= t < 30 else 0.02) for t in range(2, 40, 2)]
    ]
    edges = said([*samples(45), *waits], stacks=True)
    assert of_kind(edges, "lock_wait") == ["warn", "clear"]
    assert "75% of the time of 4 threads" in edges[0].message


def test_waiting_for_a_core_is_said_and_is_no_io_wait() -> None:
    rows = samples(
        60,
        cpu=lambda t: 20.0 if 15 <= t < 40 else 90.0,
        phase=lambda t: "load",
        queue=lambda t: 0.7 if 15 <= t < 40 else 0.02,
    )
    edges = said(rows)
    assert of_kind(edges, "cpu_contention") == ["info", "clear"]
    assert of_kind(edges, "io_wait") == []


def test_a_program_that_fills_its_own_cores_waits_by_its_own_doing() -> None:
    """Of others that hold the cores it cannot change anything: a mark, and no alert."""
    rows = samples(
        60,
        cpu=lambda t: 195.0 if 15 <= t < 40 else 90.0,
        queue=lambda t: 0.6 if 15 <= t < 40 else 0.02,
    )
    two, four = (
        [edge for edge in Engine(cores=n).feed_all(rows) if edge.kind == "cpu_contention"]
        for n in (2, 4)
    )
    assert [edge.severity for edge in two] in (["warn", "clear"], ["info", "warn", "clear"])
    assert "fill the 2 cores" in two[-2].message
    assert [edge.severity for edge in four] == ["info", "clear"]


def crowded(
    cpu: Callable[[float], float], queue_percent: Callable[[float], float], rows_per_s: float
) -> list[TreeReading]:
    """A program on a machine whose cores are taken; the kernel tells how long it waited."""
    seen = []
    rows = 0.0
    for n in range(1200):
        t = n / 20
        rows += rows_per_s * (cpu(t) / 15) / 20
        waited = queue_percent(t)
        share = waited / (waited + cpu(t)) if waited > 20 else 0.0
        seen.append(
            TreeReading(
                t, 1e8, cpu(t), rows, "load", run_queue_share=share, run_queue_percent=waited
            )
        )
    return seen


def test_a_wait_for_io_is_seen_on_a_crowded_machine() -> None:
    rows = crowded(
        lambda t: 2.0 if 20 <= t < 40 else 15.0, lambda t: 18.0 if 20 <= t < 40 else 80.0, 1000
    )
    edges = said(rows)
    assert of_kind(edges, "io_wait") == ["warn", "critical", "clear"]
    [warn] = [edge for edge in edges if edge.kind == "io_wait" and edge.first]
    assert 20 <= warn.t_detect_s < 25
    assert "CPU 2 % (was 15 %, 95 % wanted)" in warn.message


def test_a_machine_that_becomes_crowded_is_no_wait_for_io() -> None:
    rows = crowded(
        lambda t: 4.0 if 20 <= t < 40 else 93.0,
        lambda t: 90.0 if 21 <= t < 40.5 else 2.0,  # read once a second
        1000,
    )
    assert of_kind(said(rows), "io_wait") == []


def ramp(t: float) -> float:
    """From 0 at 15 s to 1 at 45 s."""
    return min(max((t - 15) / 30, 0.0), 1.0)


def test_neighbours_that_take_the_cores_are_no_decay() -> None:
    rows = crowded(lambda t: 95 - 75 * ramp(t), lambda t: 2 + 75 * ramp(t), 1000)
    assert of_kind(said(rows), "throughput_decay") == []


def test_a_decay_is_seen_beside_loud_neighbours() -> None:
    rows = []
    done = 0.0
    for sample in crowded(lambda t: 20.0, lambda t: 78.0, 1000):
        done += 1000 / (1 + sample.t_s / 3) ** 0.5 / 20
        rows.append(sample._replace(rows=done))
    edges = said(rows)
    [warn] = [edge for edge in edges if edge.kind == "throughput_decay" and edge.first]
    assert warn.t_detect_s < 30
    assert "a busy machine" in warn.evidence


def test_calls_on_a_crowded_machine_are_not_called_unsteady() -> None:
    def seen(queue_percent: float) -> list[TreeReading | CallEnded]:
        """Calls of 20 ms; from 30 s on of 100 ms, for which the neighbours may be the reason."""
        rows: list[TreeReading | CallEnded] = []
        told = 0.0
        for n in range(1200):
            t = n / 20
            if n % 20 == 0:  # the run queue is read once a second
                told = queue_percent if t > 30 else 1.0
            rows.append(TreeReading(t, 1e8, 40.0, run_queue_percent=told))
            if n % 4 == 0:
                rows.append(CallEnded(t + 0.01, "parse", 0.1 if t > 30 else 0.02 + n % 3 * 1e-3))
        return rows

    assert of_kind(said(seen(80.0)), "no_steady_state") == []
    [alone] = [edge for edge in said(seen(1.0)) if edge.kind == "no_steady_state"]
    assert alone.t_detect_s < 36
    assert "no free core" in alone.evidence


def test_times_that_do_not_go_on_are_passed_over() -> None:
    rows = samples(60)
    again = [twin for sample in rows for twin in (sample, sample._replace(rss_bytes=9e9))]
    engine = Engine()
    assert [edge for sample in again for edge in engine.feed(sample)] == []


def test_a_long_session_keeps_a_bounded_history() -> None:
    engine = Engine()
    for n in range(40_000):
        engine.feed(TreeReading(n / 10, 1e8, 50.0, float(n), "load"))
    assert engine.context.history.end - engine.context.history.first < 2_000


# -- loop_blocked ------------------------------------------------------------------------------


def blocked(t_s: float, took_s: float, n: int = 1, *, over: bool = True) -> LoopBlocked:
    stack = "handler (a.py:6) > query (a.py:3)"
    return LoopBlocked(t_s, 7, n, took_s, over, "handler (a.py:6)", "query (a.py:3)", stack)


def loops(edges: list[Edge]) -> list[Edge]:
    return [edge for edge in edges if edge.kind == "loop_blocked"]


def test_a_blocked_loop_is_said_while_it_lasts_and_cleared_when_it_turns() -> None:
    lasting = [blocked(10.2, 0.2, over=False), blocked(11.2, 1.2, over=False), blocked(11.6, 1.6)]
    first, longer, ended, clear = loops(said([*samples(30), *lasting]))
    assert (first.severity, first.t_onset_s, first.t_detect_s) == ("warn", 10.0, 10.2)
    assert first.message == (
        "event loop blocked for 200 ms so far by handler (a.py:6), in query (a.py:3)"
    )
    assert "stack: handler (a.py:6) > query (a.py:3)" in first.evidence
    assert "1.20 s so far" in longer.message and "1.60 s by" in ended.message
    assert clear.severity == "clear"
    assert clear.t_end_s == 11.6
    assert 16.5 < clear.t_detect_s < 17


def test_a_loop_that_is_blocked_again_and_again_has_one_alert() -> None:
    many = [blocked(5 + n, 0.15 + 0.3 * (n == 7), 2 * n + 3) for n in range(10)]
    edges = loops(said([*samples(40), *many]))
    assert [edge.severity for edge in edges[:-1]] == ["warn"] * 4, "not one for each"
    assert "for 150 ms by" in edges[0].message
    assert "15 times, 450 ms at most, by handler" in edges[-2].message
    assert edges[-1].severity == "clear"
    assert "19 times, 450 ms at most" in edges[-1].message


def test_a_long_block_is_critical_and_one_of_a_crowded_machine_is_a_mark() -> None:
    edges = loops(said([*samples(30), blocked(10, 2.5)]))
    assert [edge.severity for edge in edges] == ["critical", "clear"]
    crowd = [row._replace(run_queue_percent=80.0) for row in samples(30)]
    assert [e.severity for e in loops(said([*crowd, blocked(10, 0.2)]))] == ["info", "clear"]
    assert [e.severity for e in loops(said([*crowd, blocked(10, 0.9)]))] == ["warn", "clear"]
    full = [row._replace(run_queue_share=0.9) for row in crowd]  # a tenth of it is its own
    assert [e.severity for e in loops(said([*full, blocked(10, 0.9)]))] == ["info", "clear"]
    assert [e.severity for e in loops(said([*full, blocked(10, 1.1)]))] == ["warn", "clear"]


def test_a_block_of_which_nothing_more_is_heard_does_not_stay() -> None:
    edges = loops(said([*samples(60), blocked(10, 1.0, over=False)]))
    assert edges[-1].severity == "clear"
    assert edges[-1].t_end_s == 10


# -- gc_pressure -------------------------------------------------------------------------------


def collected(t_s: float, pause_s: float, pid: int = 7, *, part: bool = False) -> CyclesCollected:
    return CyclesCollected(t_s, t_s - 0.25, pid, 2, 10, pause_s, pause_s / 2, part)


def pressure(edges: list[Edge]) -> list[Edge]:
    return [edge for edge in edges if edge.kind == "gc_pressure"]


def test_collections_that_take_much_of_the_time_are_said_and_cleared() -> None:
    steps = [collected(5 + n / 4, 0.05) for n in range(80)]  # a fifth of the time, for 20 s
    first, *more, clear = pressure(said([*samples(60), *steps]))
    assert first.severity == "warn" and first.t_onset_s == 4.75
    assert 9 < first.t_detect_s < 11, "a tenth of ten seconds"
    assert "take 20% of the time" in first.message and "longest 25.0 ms" in first.message
    assert all(edge.severity == "warn" for edge in more)
    assert clear.severity == "clear" and clear.t_end_s == 24.75
    [critical] = pressure(said([*samples(20), *(collected(5 + n, 1.2) for n in range(15))]))[-1:]
    assert critical.severity == "critical"


def test_collections_that_wait_for_a_core_are_a_mark() -> None:
    crowd = [row._replace(run_queue_percent=80.0, run_queue_share=0.9) for row in samples(60)]
    steps = [collected(5 + n / 4, 0.05) for n in range(80)]
    edges = pressure(said([*crowd, *steps]))
    assert {edge.severity for edge in edges} == {"info", "clear"}
    assert "kept from the cores" in edges[0].evidence
    seldom = pressure(said([*crowd[::110], *steps]))  # our own readings are late there, too
    assert {edge.severity for edge in seldom} == {"info", "clear"}
    most = pressure(said([*crowd, *(collected(5 + n, 1.2) for n in range(15))]))
    assert "warn" in {edge.severity for edge in most}


def test_few_collections_and_those_of_many_processes_are_no_pressure() -> None:
    assert not pressure(said([*samples(60), *(collected(5 + n / 4, 0.02) for n in range(80))]))
    of_ten = [collected(5 + n / 4, 0.05, pid=n % 10) for n in range(160)]
    assert not pressure(said([*samples(60), *of_ten]))
    assert not pressure(said([*samples(60), collected(9, 0.9)])), "a single one, and long"


def test_what_was_made_up_of_a_part_is_said() -> None:
    first, *_ = pressure(
        said([*samples(60), *(collected(5 + n, 0.5, part=True) for n in range(9))])
    )
    assert "of a part of them" in first.evidence
