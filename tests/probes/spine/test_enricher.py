"""What follows from records, and that it stays bounded."""

from __future__ import annotations

import pytest

from perftui.probes.spine import derived, recent
from perftui.probes.spine.derived import CpuPercent
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.records import (
    Alert,
    Count,
    Exit,
    Mark,
    Metric,
    Pool,
    ProcessStart,
    Stack,
    StackWindow,
    ThreadCpu,
)
from perftui.probes.text.units import NS_PER_S

S = NS_PER_S
PID, CHILD = 7, 8


def test_a_tick_is_the_whole_family() -> None:
    enricher = Enricher()
    enricher.enrich([Metric(0, PID, 1.0, 100), Metric(0, CHILD, 0.0, 50)])
    (tick,) = enricher.enrich([Metric(S, PID, 1.5, 300), Metric(S, CHILD, 1.0, 60)]).ticks
    assert [reading.cpu_percent for reading in tick.readings] == [50, 100]
    assert (tick.t_ns, tick.sums["rss_bytes"], tick.sums["cpu_percent"]) == (S, 360, 150)
    assert "cpu_s" not in tick.sums


def test_each_kind_is_in_one_part_and_the_raw_records_stay_in_order() -> None:
    records = [
        Mark(1, PID, "a"),
        Metric(1, PID, 0.1, 5),
        Count(2, PID, "rows", 1.0),
        Pool(2, PID, "arrow", 9),
        Stack(0, 1, PID, PID, 3),
        StackWindow(0, 1, PID, 100, 1, 0, 0, 0.0, "x"),
        Mark(3, PID, "b"),
    ]
    batch = Enricher().enrich(records)
    assert list(batch.raw) == records
    assert list(batch.events) == [records[0], records[-1]]
    assert batch.size == len(records)
    parts = (batch.ticks, batch.counted, batch.pools, batch.weighed, batch.windows)
    assert [len(part) for part in parts] == [1] * 5


def counted(enricher: Enricher, *records: Count) -> float:
    return enricher.enrich(records).counted[-1].total


def test_what_ended_processes_counted_stays_in_the_total() -> None:
    enricher = Enricher()
    assert counted(enricher, Count(0, PID, "rows", 10), Count(0, CHILD, "rows", 5)) == 15
    enricher.enrich([Exit(1, CHILD, 0, None)])
    assert counted(enricher, Count(1, CHILD, "rows", 6)) == 16, "its last words come late"
    enricher.enrich([ProcessStart(2, CHILD, PID, ("another",))])
    assert counted(enricher, Count(3, CHILD, "rows", 1)) == 17, "another process counts anew"
    enricher.enrich([ProcessStart(3, CHILD, PID, ("another", "title"))])
    assert counted(enricher, Count(4, CHILD, "rows", 2)) == 18
    for n in range(2 * derived.ENDED_KEPT):
        assert counted(enricher, Count(5, 100 + n, "rows", 1)) == 19 + n
        enricher.enrich([Exit(5, 100 + n, 0, None)])


def test_what_ended_processes_held_is_given_back() -> None:
    enricher = Enricher()
    pools = enricher.enrich([Pool(0, PID, "arrow", 100), Pool(0, CHILD, "arrow", 900)]).pools
    assert [pooled.total for pooled in pools] == [100, 1_000]
    enricher.enrich([Exit(1, CHILD, 0, None)])
    (tick,) = enricher.enrich([Metric(2, PID, 0.1, 5)]).ticks
    assert tick.pools == {"arrow": 100}
    enricher.enrich([Exit(3, PID, 0, None)])
    assert enricher.enrich([Pool(3, PID, "arrow", 70)]).pools[0].total == 70, "as of its time"


def test_growth_and_cpu_go_to_the_stacks_of_their_time() -> None:
    enricher = Enricher()
    for n in range(41):
        t = n * S // 20
        enricher.enrich([Metric(t, PID, t / S, 1_000 * max(n - 20, 0))])
        enricher.enrich([ThreadCpu(t, PID, PID, "main", t / S / 2, "R")])
    stacks = [Stack(0, S, PID, PID, 1), Stack(S, 2 * S, PID, PID, 2)]
    first, second = enricher.enrich(stacks).weighed
    assert (first.cpu_share, first.cpu_ns, first.grown_bytes) == (0.5, S // 2, 0)
    assert (second.cpu_ns, second.grown_bytes) == (S // 2, 20_000)


def test_coverage_is_of_each_process() -> None:
    enricher = Enricher()
    windows = [
        StackWindow(0, S, PID, 100, 50, 50, 0, 0.0, "x"),
        StackWindow(0, S, CHILD, 100, 10, 0, 0, 0.0, "x"),
        StackWindow(S // 2, 2 * S, PID, 100, 10, 0, 0, 0.0, "x"),
    ]
    batch = enricher.enrich(windows)
    assert [covered.covered_ns for covered in batch.windows] == [S / 2, S, 3 * S / 2]


def test_an_alert_is_new_once() -> None:
    enricher = Enricher()
    raised = Alert("stall", "warn", S, S, None, "m", "e")
    worse = raised._replace(severity="critical")
    other = raised._replace(t_onset_ns=2 * S)
    found = enricher.enrich([raised, worse, other]).alerts
    assert [tuple(standing) for standing in found] == [(worse, True), (other, True)]
    cleared = worse._replace(t_clear_ns=3 * S)
    assert [tuple(each) for each in enricher.enrich([cleared]).alerts] == [(cleared, False)]


def test_a_mark_is_no_alert_until_it_becomes_one() -> None:
    enricher = Enricher()
    mark = Alert("stall", "info", S, S, None, "m", "e")
    assert [each.is_new for each in enricher.enrich([mark]).alerts] == [False]
    raised = mark._replace(severity="warn")
    assert [each.is_new for each in enricher.enrich([mark, raised]).alerts] == [True]
    assert [each.is_new for each in enricher.enrich([raised]).alerts] == [False]


@pytest.mark.parametrize("seconds", [1_000])
def test_memory_is_bounded(seconds: int) -> None:
    """Processes and threads come and go, names are made up."""
    enricher = Enricher()
    rss: recent.RecentReadings[int] = enricher._rss
    for second in range(seconds):
        t, pid = second * S, 1_000 + second
        enricher.enrich([ProcessStart(t, pid, PID, ("x",))])
        enricher.enrich([Metric(t, PID, 1.0, 5), Metric(t, pid, 1.0, 5)])
        for n in range(10):
            enricher.enrich([ThreadCpu(t, pid, 10 * pid + n, "w", 0.1, "R")])
            enricher.enrich([Count(t, pid, f"c{pid}.{n}", 1.0), Pool(t, pid, f"p{pid}.{n}", 5)])
        enricher.enrich([StackWindow(t, t + S, pid, 1, 1, 0, 0, 0.0, "x"), Exit(t, pid, 0, None)])
    assert len(rss) < 200
    assert len(enricher._thread_cpu) < 2_000
    readings = rss.get(PID)
    assert readings is not None
    assert len(readings.values(0, seconds * S)) <= 160
    assert len(enricher._counters._totals) == derived.NAMES_KEPT
    assert sum(len(t.by_pid) for t in enricher._counters._totals.values()) <= 10 * 256
    assert not enricher._pools.totals(seconds * S)


def test_no_share_of_a_core_is_told_over_a_few_milliseconds() -> None:
    """A reading that came 50 ms late, on a full machine, was 1200 % of a core."""
    percent, ms = CpuPercent(), 1_000_000
    assert percent.take(Metric(0, 7, 0.0, 1)) is None
    assert percent.take(Metric(4 * ms, 7, 0.05, 1)) is None
    assert percent.take(Metric(54 * ms, 7, 0.054, 1)) == pytest.approx(100)
