"""What fills up to a bound that it has is a mark; what goes on beyond it, or has none, is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.probes.detect.judged import undecided
from perftui.probes.detect.live import Judge
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.records import GrowthLook, Keeper, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.detect.evidence.observations import Edge
    from perftui.probes.spine.records import Record

S = 1_000_000_000
MB = 1_000_000
PID = 500
START_S, RATE = 10.0, 2.0
"""Two entries of a megabyte are kept each second from then on."""


def look(
    t_s: float, kind: str, share: float = 1.0, over_s: float = 3.0, *, late_s: float = 0.0
) -> list[Record]:
    """Return what a census says: so many of what came are in one container of that type.

    It was `late_s` until it began to measure: on a busy machine a census takes its time.
    """
    t, t0 = round(t_s * S), round((t_s - over_s - late_s) * S)
    came = round(over_s * RATE)
    total = round((t_s - START_S) * RATE)
    kept = round(came * MB * share)
    return [
        GrowthLook(t, PID, t0, "census", came * MB, 1000, 1000, 1000, "", 1),
        Keeper(t, PID, t0, "__main__.f", kind, "bytes", came, total, kept, False, ""),
    ]


def said(
    looks: Sequence[Record],
    until_mb: float = 1e9,
    seconds: int = 60,
    limit: float | None = None,
    *,
    slows: bool = False,
) -> list[Edge]:
    enricher, judge = Enricher(), Judge(CallTree(), PID, 0, limit_bytes=limit)
    edges: list[Edge] = []
    for n in range(seconds * 20):
        t = n / 20
        age_s = max(t - START_S, 0)
        kept = min(RATE * age_s ** (0.8 if slows else 1.0), until_mb)
        told: list[Record] = [Metric(round(t * S), PID, t, int((50 + kept) * MB))]
        told += [row for row in looks if round(t * S) <= row.t_ns < round((t + 0.05) * S)]
        for more in judge.take(enricher.enrich(told)):
            edges += more
    return edges


def severities(edges: Sequence[Edge]) -> list[str]:
    """Of each alert as it began, ended or became more; one that is told again is one."""
    told = dict.fromkeys((edge.kind, edge.t_onset_s, edge.severity) for edge in edges)
    return [severity for _, _, severity in told]


@pytest.mark.parametrize(
    "kind",
    ["lru_cache(maxsize=30)", "deque(maxlen=30)", "dict(maxsize=30)", "list(len<=30 at a.py:3)"],
)
def test_what_fills_up_to_its_bound_is_a_mark_and_no_verdict(kind: str) -> None:
    edges = said(look(16, kind), until_mb=30)
    assert severities(edges) == ["info", "clear"]
    mark = edges[0]
    assert mark.message.startswith("RSS +2.00 MB/s for ")
    assert mark.message.endswith(f"__main__.f {kind} fills up, 12 of 30, 18.0 MB to come")
    assert undecided(["mem_growth"], edges[:1]) == {"mem_growth": mark.message}


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        ("list", 1.0),
        ("lru_cache", 1.0),
        ("lru_cache(maxsize=1000)", 1.0),  # as good as none
        ("lru_cache(maxsize=30)", 0.3),  # most of it is elsewhere
    ],
)
def test_what_has_no_bound_in_sight_is_told(kind: str, share: float) -> None:
    edges = said(look(16, kind, share))
    assert severities(edges)[0] == "warn"
    assert edges[0].t_detect_s < 20


def test_what_goes_on_beyond_its_bound_is_told() -> None:
    edges = said(look(16, "deque(maxlen=30)"))
    assert severities(edges)[:1] == ["info"]
    alerts = [edge for edge in edges if edge.severity == "warn"]
    assert len(alerts) == 1
    # 18 MB were to come, and an estimate may be wrong by a quarter and 4 MB.
    assert 16 + (18 * 1.25 + 4) / RATE - 1 < alerts[0].t_detect_s < 33


@pytest.mark.parametrize("kind", ["deque(maxlen=60)", "deque(kept short at a.py:3)"])
def test_a_bound_beyond_the_limit_is_no_comfort(kind: str) -> None:
    edges = said(look(16, kind), limit=100e6, seconds=24)
    assert severities(edges)[0] in ("warn", "critical")


def test_a_bound_that_the_code_does_not_tell_is_believed_for_a_minute() -> None:
    kind = "deque(kept short at a.py:3)"
    edges = said(look(16, kind), until_mb=36)
    assert severities(edges) == ["info", "clear"]
    assert edges[0].message.endswith(f"__main__.f {kind} fills up, to what is not known")
    looks = [row for t_s in (16, 26, 46) for row in look(t_s, kind)]
    edges = said(looks, seconds=90)
    alerts = [edge for edge in edges if edge.severity == "warn"]
    assert 13 + 60 < alerts[0].t_detect_s < 13 + 62  # since the first of the looks began


def test_a_number_in_the_code_that_is_passed_is_no_bound() -> None:
    edges = said(look(16, "list(len<=10 at a.py:3)"))
    assert severities(edges)[0] == "warn"


def test_what_slows_down_and_has_a_bound_says_that() -> None:
    kind = "dict(len<=30 at a.py:3)"
    edges = said(look(16, kind), until_mb=30, slows=True)
    marks = [edge for edge in edges if edge.severity == "info"]
    assert marks[0].message.endswith(f"{kind} fills up, 12 of 30, 18.0 MB to come")


def test_a_look_counts_by_what_it_saw_rise_and_not_by_how_long_it_took() -> None:
    edges = said(look(16.5, "deque(maxlen=30)", over_s=2.0, late_s=4.0), until_mb=30)
    assert severities(edges) == ["info", "clear"]


def test_a_later_look_that_finds_no_bound_ends_the_comfort() -> None:
    edges = said([*look(16, "deque(maxlen=60)"), *look(26, "list")])
    assert severities(edges) == ["info", "warn"]
    assert edges[-1].t_detect_s < 28


def test_what_was_told_before_somebody_looked_is_taken_back() -> None:
    edges = said(look(22, "deque(maxlen=40)"), until_mb=40)
    assert severities(edges) == ["warn", "clear", "info", "clear"]
    assert "deque(maxlen=40) fills up, 24 of 40" in edges[1].message
