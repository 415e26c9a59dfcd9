"""Shared pages of a family count once, between the readings of shares too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.family_memory import FamilyMemory
from perftui.probes.spine.records import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

MB = 1_000_000


def process(
    pid: int, rss_mb: int, pss_mb: int | None = None, uss_mb: int | None = None, t_ns: int = 1
) -> Metric:
    return Metric(
        t_ns=t_ns,
        pid=pid,
        cpu_s=0.0,
        rss_bytes=rss_mb * MB,
        pss_bytes=None if pss_mb is None else pss_mb * MB,
        uss_bytes=None if uss_mb is None else uss_mb * MB,
    )


def totals_mb(*moments: Sequence[Metric]) -> list[int]:
    memory = FamilyMemory()
    return [round(memory.total(metrics) / MB) for metrics in moments]


def test_workers_that_share_their_parents_pages_add_what_is_their_own() -> None:
    parent = process(1, 200, 200, 200)
    forked = [process(1, 200), process(2, 200), process(3, 200)]
    grown = [process(1, 200), process(2, 210), process(3, 200)]
    read = [process(1, 200, 67, 0), process(2, 210, 77, 10), process(3, 200, 67, 0)]
    after = [process(1, 200), process(2, 230), process(3, 200)]
    assert totals_mb([parent], forked, grown, read, after) == [200, 200, 210, 211, 231]


def test_pages_that_become_private_are_seen_at_the_next_reading() -> None:
    shared = [process(1, 200, 100, 0), process(2, 200, 100, 0)]
    written = [process(1, 200, 150, 100), process(2, 200, 150, 100)]
    assert totals_mb(shared, shared, written) == [200, 200, 300]


def test_what_one_that_ends_shared_stays_with_the_others() -> None:
    three = [process(1, 200, 70, 5), process(2, 205, 75, 10), process(3, 200, 70, 5)]
    two = [process(1, 200), process(2, 205)]
    read = [process(1, 200, 105, 5), process(2, 205, 110, 10)]
    assert totals_mb(three, two, read, [process(1, 200)]) == [215, 210, 215, 200]


def test_a_child_that_becomes_another_program_shares_nothing_any_more() -> None:
    parent = [process(1, 500, 500, 500)]
    child = [process(1, 500), process(2, 500)]
    program = [process(1, 500), process(2, 2)]
    at_work = [process(1, 500), process(2, 80)]
    assert totals_mb(parent, child, program, at_work) == [500, 500, 500, 578]


def test_a_new_program_that_has_memory_of_its_own_when_it_is_first_seen() -> None:
    parent = [process(1, 200, 200, 200)]
    program = [process(1, 200), process(2, 98, None, 90)]
    later = [process(1, 200), process(2, 108)]
    assert totals_mb(parent, program, later) == [200, 290, 300]


def test_libraries_that_a_fork_comes_to_use_are_not_its_own() -> None:
    """A fork has no page of a mapped file at first: each that it touches adds to its RSS."""
    parent = process(1, 220, 215, 210)._replace(anon_rss_bytes=200 * MB)
    same = process(1, 220)._replace(anon_rss_bytes=200 * MB)
    born = process(2, 200, None, 0)._replace(anon_rss_bytes=200 * MB)
    at_work = process(2, 225)._replace(anon_rss_bytes=205 * MB)
    assert totals_mb([parent], [same, born], [same, at_work]) == [220, 220, 225]
    more = process(2, 265)._replace(anon_rss_bytes=245 * MB)
    assert totals_mb([parent], [same, born], [same, more]) == [220, 220, 265]


def test_what_strangers_map_too_is_not_lost_when_a_second_process_comes() -> None:
    """PSS has but a part of libraries that others use: 150 MB of them, half to a stranger."""
    parent = process(1, 600, 525, 450)._replace(anon_rss_bytes=450 * MB)
    same = process(1, 600)._replace(anon_rss_bytes=450 * MB)
    child = process(2, 100, None, 92)._replace(anon_rss_bytes=92 * MB)
    read = process(2, 100, 95, 92)._replace(anon_rss_bytes=92 * MB)
    assert totals_mb([parent], [same, child], [parent, read]) == [600, 692, 692]


def test_one_process_is_its_rss_whatever_it_shares_with_strangers() -> None:
    assert totals_mb([process(1, 100, 60, 50)]) == [100]
    alone_again = [[process(1, 100, 50, 10), process(2, 100, 50, 10)], [process(1, 100)]]
    assert totals_mb(*alone_again) == [100, 100]


def test_a_family_has_no_less_than_its_largest_process() -> None:
    assert totals_mb([process(1, 100, 60, 50), process(2, 30, 10, 5)]) == [100]


def test_who_does_not_tell_counts_whole() -> None:
    memory = FamilyMemory()
    assert memory.total([process(1, 100), process(2, 100)]) == 200 * MB
    assert memory.counting == "sum of RSS"
    memory = FamilyMemory()
    assert memory.total([process(1, 100, 60, 60), process(2, 100)]) == 160 * MB
    assert memory.counting == "shared once"


def test_the_sum_of_a_tick_is_that_of_the_family_and_so_is_its_peak() -> None:
    enricher = Enricher()
    readings = [
        process(pid, 200, 100, 0)._replace(high_water_rss_bytes=210 * MB, anon_rss_bytes=190 * MB)
        for pid in (1, 2)
    ]
    tick = enricher.enrich(readings).ticks[0]
    assert tick.sums["rss_bytes"] == 200 * MB
    assert tick.sums["high_water_rss_bytes"] == 210 * MB
    assert tick.sums["anon_rss_bytes"] == 180 * MB
    assert sum(metric.rss_bytes for metric, _ in tick.readings) == 400 * MB


def test_what_is_read_of_a_new_process_alone_is_no_figure_of_the_family() -> None:
    enricher = Enricher()
    sums = enricher.enrich([process(1, 200), process(2, 98, None, 90)]).ticks[0].sums
    assert "uss_bytes" not in sums
    whole = enricher.enrich([process(1, 200, 195, 190, 2), process(2, 98, 95, 90, 2)]).ticks[0]
    assert whole.sums["uss_bytes"] == 280 * MB


def with_shared_memory(pid: int, *, read: bool = True) -> Metric:
    """One of six forked workers that share 160 MB of shared memory and libraries of 20 MB.

    These with strangers, too: 2 MB are each one's part. Of 20 MB without a file 14 are its own.
    """
    shared_mb = 160 / 6 + 6 / 6 + 2
    return Metric(
        t_ns=1,
        pid=pid,
        cpu_s=0.0,
        rss_bytes=200 * MB,
        anon_rss_bytes=20 * MB,
        pss_bytes=round((14 + shared_mb) * MB) if read else None,
        uss_bytes=14 * MB if read else None,
    )


def test_a_family_with_shared_memory_has_it_once_and_what_it_was_forked_with_once() -> None:
    """Libraries alone are shared with strangers: what looked like that was memory of a parent's."""
    memory = FamilyMemory()
    workers = [with_shared_memory(pid) for pid in range(1, 7)]
    # 160 of shared memory, 20 of libraries (8 of them are strangers'), 6 * 14 + 6 without a file.
    assert memory.total(workers) / MB == 270
    later = [with_shared_memory(pid, read=False) for pid in range(1, 7)]
    assert memory.total(later) / MB == 270


def test_a_family_has_no_more_while_those_end_who_share_memory() -> None:
    memory = FamilyMemory()
    memory.total([with_shared_memory(pid) for pid in range(1, 7)])
    before = 270.0
    for left in range(5, 1, -1):
        now = memory.total([with_shared_memory(pid, read=False) for pid in range(1, left + 1)]) / MB
        assert now < before, left
        before = now
