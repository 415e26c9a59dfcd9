"""Shapes that a rule was once wrong about: each with the reason why it is one thing or another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from support.detect.scorer import raised

from perftui.probes.detect.engine import Engine
from perftui.probes.detect.evidence.observations import TreeReading

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.detect.evidence.observations import Edge


def judge(
    rss_mb: Callable[[float], float],
    seconds: float,
    rows: Callable[[float], float] | None = None,
    *,
    patient: bool = True,
    hz: float = 20.0,
    cpu: Callable[[float], float] = lambda t: 90.0,
    phase: str | None = None,
    limit_bytes: float | None = None,
) -> list[Edge]:
    """Judge a program that is read so many times a second."""
    samples = [
        TreeReading(t, rss_mb(t) * 1e6, cpu(t), None if rows is None else rows(t), phase)
        for t in (n / hz for n in range(round(seconds * hz)))
    ]
    return list(Engine(limit_bytes, patient=patient).feed_all(samples))


def test_reading_that_begins_late_is_judged_by_its_own_time() -> None:
    """A pause before it is no part of the evidence: it was said after 3 s, cleared, said again."""
    onset = 32.0

    def read(t: float) -> float:
        return 1e5 * max(t - onset, 0.0)

    edges = judge(lambda t: 50 + read(t) * 1e-4, 80, read)
    [alert] = raised(edges)
    assert edges == [alert]
    assert alert.kind == "streaming_violation"
    assert 8 <= alert.t_detect_s - onset <= 12
    assert abs(alert.t_onset_s - onset) < 1.5


def test_the_first_tooth_of_a_slow_collector_is_no_leak() -> None:
    for period in (16.0, 20.0, 24.0):
        assert judge(lambda t, p=period: 100 + 60 * ((t / p) % 1.0), 150) == []


def test_a_leak_from_the_first_second_on_is_told_from_a_tooth_by_its_age() -> None:
    [alert] = judge(lambda t: 100 + 2 * t, 60)
    assert 24 <= alert.t_detect_s <= 28
    [in_a_block] = judge(lambda t: 100 + 2 * t, 60, patient=False)
    assert 14 <= in_a_block.t_detect_s <= 17


def test_a_leak_above_a_known_level_needs_no_such_age() -> None:
    [alert] = judge(lambda t: 100 + 2 * max(t - 8, 0), 60)
    assert alert.t_detect_s - 8 < 15


def test_a_slow_wave_of_some_megabytes_is_no_leak() -> None:
    for period in (30.0, 60.0, 100.0):
        assert judge(lambda t, p=period: 300 + 3 * math.sin(2 * math.pi * t / p), 240) == []


def test_a_large_logarithmic_cache_is_no_leak_in_its_youth() -> None:
    for start in (0.0, 20.0):
        assert judge(lambda t, s=start: 94 + 56 * math.log1p(max(t - s, 0) / 20), 160) == []


def test_five_stairs_are_no_leak_wherever_the_blocks_are_cut() -> None:
    for start in (14.0, 17.0, 19.5):

        def stairs(t: float, start: float = start) -> float:
            done = (t - start) / 6.3
            return 80 + 6 * min(max(math.floor(done) + min(done % 1.0 * 6.3, 1.0), 0), 5)

        assert judge(stairs, 120) == []


def test_one_reading_a_second_is_enough() -> None:
    """As scripts around psutil write them."""
    leak = judge(lambda t: 100 + 2 * max(t - 20, 0), 90, hz=1)
    assert [edge.kind for edge in leak] == ["mem_growth"]
    still = judge(lambda t: 100, 90, hz=1, cpu=lambda t: 3 if 30 <= t < 50 else 95, phase="load")
    assert [(edge.kind, edge.severity) for edge in still] == [
        ("io_wait", "warn"),
        ("io_wait", "critical"),
        ("io_wait", "clear"),
    ]
    rise = judge(lambda t: 100 + 80 * max(t - 40, 0), 50, hz=1, limit_bytes=900e6)
    assert "oom_risk" in {edge.kind for edge in rise if edge.severity == "critical"}


def test_a_leak_that_looked_like_collect_while_young_is_corrected() -> None:
    """It grows with the time, whether the reading is fast or slow."""

    def rows(t: float) -> float:
        whole, part = divmod(max(t - 4, 0.0), 14.0)
        return 1e4 * (whole * 7.7 + min(part, 7.0) + 0.1 * max(part - 7.0, 0.0))

    edges = judge(lambda t: 60 + 1.5 * max(t - 12, 0), 120, rows)
    assert edges[-1].kind == "mem_growth"
    assert edges[-1].severity == "warn"
    said = [edge.severity for edge in edges if edge.kind == "streaming_violation"]
    assert said in ([], ["warn", "clear"])
