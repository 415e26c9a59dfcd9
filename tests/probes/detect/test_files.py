"""Pages of mapped files are no growth; shared memory, private memory and what is unknown are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.live import Judge
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.records import MemoryPart, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.detect.evidence.observations import Edge

S = 1_000_000_000
MB = 1_000_000
PID = 500

Course = "Callable[[float], float]"


def said(
    *,
    private: Callable[[float], float] = lambda t: 60,
    files: Callable[[float], float] = lambda t: 30,
    shared: Callable[[float], float] = lambda t: 0,
    private_known: bool = True,
    parts_every: float | None = 1.0,
    seconds: int = 45,
) -> list[Edge]:
    """Judge a process of so many MB of each; what it is made of is told now and then."""
    enricher, judge = Enricher(), Judge(CallTree(), PID, 0)
    edges: list[Edge] = []
    due = 0.3
    for n in range(seconds * 20):
        t = n / 20
        now = [private(t), files(t), shared(t)]
        anon = int(now[0] * MB) if private_known else None
        told: list[Metric | MemoryPart] = [
            Metric(round(t * S), PID, t, int(sum(now) * MB), anon_rss_bytes=anon)
        ]
        if parts_every is not None and t >= due:
            due = t + parts_every
            names = ("native, not told", "data files", "shared memory")
            told += [
                MemoryPart(round(t * S), PID, name, int(mb * MB), int(mb * MB))
                for name, mb in zip(names, now, strict=True)
                if mb
            ]
        for more in judge.take(enricher.enrich(told)):
            edges += more
    return [edge for edge in edges if edge.severity in ("warn", "critical")]


def rises(start_s: float, mb_per_s: float, until_s: float = 99) -> Callable[[float], float]:
    return lambda t: mb_per_s * min(max(t - start_s, 0), until_s - start_s)


def test_a_mapped_file_that_is_read_evenly_is_no_leak() -> None:
    assert said(files=rises(6, 5)) == []
    assert said(files=rises(2, 20)) == []
    # A large process is asked seldom what it is made of.
    assert said(files=rises(6, 5), parts_every=9.0) == []


def test_a_leak_beside_a_file_is_told_at_its_own_rate() -> None:
    [alert] = said(private=lambda t: 60 + rises(10, 2)(t), files=rises(6, 5))
    assert alert.message.startswith(("RSS +2.0", "RSS +1.9"))
    assert 9 < alert.t_onset_s < 11.5
    assert alert.t_detect_s < 21


def test_shared_memory_that_is_kept_is_a_leak() -> None:
    [alert] = said(shared=rises(10, 2))
    assert alert.t_detect_s < 22
    # Files come at the same time, and it is told seldom how much is which.
    assert len(said(shared=rises(10, 2), files=rises(4, 3), parts_every=3.0)) == 1


def test_a_copy_of_a_files_pages_is_private_and_a_leak() -> None:
    """Written pages of a private mapping are the program's: the kernel counts them so."""
    assert len(said(private=lambda t: 60 + rises(10, 3)(t), files=lambda t: 400)) == 1


def test_files_that_the_kernel_takes_away_hide_no_leak_and_are_no_release() -> None:
    [alert] = said(private=lambda t: 60 + rises(15, 2)(t), files=lambda t: 300 - rises(5, 8, 30)(t))
    assert alert.t_detect_s < 28


def test_where_private_memory_or_the_parts_are_not_known_rss_is_judged() -> None:
    assert len(said(files=rises(6, 3), private_known=False)) == 1
    assert len(said(files=rises(6, 3), parts_every=None)) == 1
