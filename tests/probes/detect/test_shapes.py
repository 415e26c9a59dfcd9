"""Shapes that a rule was once wrong about: each with the reason why it is one thing or another."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
from support.detect import corpus, families, strangers
from support.detect.scorer import alerts_of, raised

from perftui.probes.detect.engine import Engine
from perftui.probes.detect.evidence.history import History
from perftui.probes.detect.evidence.observations import TreeReading
from perftui.probes.detect.evidence.rise import FloorsRise

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
    assert 7.4 <= alert.t_detect_s - onset <= 12
    assert abs(alert.t_onset_s - onset) < 1.5


def test_the_first_tooth_of_a_slow_collector_is_no_leak() -> None:
    """What waits to be collected is a part of what the program has: about a quarter at most."""
    for period in (16.0, 20.0, 24.0):
        assert judge(lambda t, p=period: 300 + 60 * ((t / p) % 1.0), 150) == []


def test_a_leak_from_the_first_second_on_is_told_by_twelve_seconds() -> None:
    """3 s are start-up; a program that grew by a quarter since has no such tooth."""
    for level, rate in ((12, 0.4), (12, 2), (60, 3), (60, 8), (100, 20)):
        [alert] = judge(lambda t, level=level, rate=rate: level + rate * t, 60)
        assert 14.5 <= alert.t_detect_s <= 16, (level, rate)


def test_a_leak_that_is_small_for_its_program_is_told_from_a_tooth_by_its_age() -> None:
    [alert] = judge(lambda t: 400 + 1 * t, 60)
    assert 23 <= alert.t_detect_s <= 28
    [in_a_block] = judge(lambda t: 400 + 1 * t, 60, patient=False)
    assert 11 <= in_a_block.t_detect_s <= 16


def test_a_leak_right_after_a_load_is_told_from_where_the_load_ended() -> None:
    """No level lies between; without the knee it looked like a cache that fills up."""
    for rate in (1.5, 3):
        edges = judge(lambda t, r=rate: 12 + 10 * min(t, 5.3) + r * max(t - 5.3, 0), 40)
        [alert] = raised(edges)
        assert alert.kind == "mem_growth"
        assert 8 <= alert.t_detect_s - 5.3 <= 24
        assert abs(alert.t_onset_s - 5.3) < 3


def test_a_load_of_nine_seconds_has_ended_when_it_would_be_told() -> None:
    """The floor of a rising block is from its beginning: the newest reading tells that it ended."""
    for took in (8.2, 8.6, 9.0):
        assert judge(lambda t, w=took: 80 + 200 * min(max(t - 20, 0) / w, 1), 60) == [], took


def test_a_leak_that_slows_its_own_work_is_marked() -> None:
    """Every turn takes longer than the one before: the pace falls as one over the root."""
    edges = judge(lambda t: 12 + 32 * math.sqrt(t), 90)
    marks = [edge for edge in edges if edge.severity == "info"]
    assert marks
    assert marks[0].kind == "mem_growth"
    assert "rises, slowing" in marks[0].message
    assert "no ceiling in sight" in marks[0].message
    assert marks[0].t_detect_s < 20


def test_what_a_program_gives_back_at_its_end_is_no_ceiling() -> None:
    """The mark was taken back, and a gate on it passed without a word."""
    edges = judge(lambda t: 12 + (32 * math.sqrt(t) if t < 38 else 60), 40, hz=4)
    assert [edge.severity for edge in edges] == ["info"]


def test_a_slow_leak_out_of_a_flat_level_is_told_as_soon_as_a_quick_one() -> None:
    """A wave has no level before it: a growth that is small for its program took 20 s and more."""
    for rate in (0.3, 1.0):
        [alert] = judge(lambda t, r=rate: 300 + r * max(t - 20, 0), 45, hz=4)
        assert 8 <= alert.t_detect_s - 20 <= 9.5, rate
        assert abs(alert.t_onset_s - 20) < 1


def test_a_long_wave_is_no_leak_in_its_straight_part() -> None:
    """Waves that were one: a line leaves far more of them than their noise."""
    for level, waves in (
        (444, ((0.379, 48.1, 5.30), (2.85, 94.4, 3.71))),
        (583, ((1.58, 98.4, 4.62),)),
    ):

        def wander(t: float, level: float = level, waves: tuple = waves) -> float:  # type: ignore[type-arg]
            return level + 12 + sum(a * math.sin(2 * math.pi * t / p + at) for a, p, at in waves)

        assert judge(wander, 90, hz=10) == []


def stairs(
    t: float, begin: float, apart: float, height: Callable[[int], float], n: int = 99
) -> float:
    """Return MB that were added by stairs, each within a second."""
    done = max(t - begin, 0.0) / apart
    whole = min(int(done), n)
    part = min((done - whole) * apart, 1.0) if whole < n else 0.0
    return sum(height(k) for k in range(whole)) + part * height(whole)


def test_six_even_stairs_are_growth_however_far_apart() -> None:
    """Blocks see stairs of 6.4 s after 40 s: those of 8 blocks of the next longer size."""
    [alert] = judge(lambda t: 300 + stairs(t, 15, 6.4, lambda k: 8), 60, hz=4)
    assert 5 * 6.4 <= alert.t_detect_s - 15 <= 5 * 6.4 + 3
    assert "6 stairs of 8.00 MB, 6.00 s apart" in alert.message or "6.50 s" in alert.message
    assert abs(alert.t_onset_s - 15) <= 1


def test_stairs_that_end_or_grow_or_come_as_they_like_are_none() -> None:
    assert judge(lambda t: 300 + stairs(t, 15, 6.4, lambda k: 8, 5), 90, hz=4) == []
    doubling = judge(lambda t: 100 + stairs(t, 8, 8, lambda k: 2.0**k, 7), 90, hz=4)
    assert not any("stairs" in edge.message for edge in doubling)
    for starts in ((2.3, 6.4, 12.0, 14.4, 16.8), (2.5, 6.3, 9.1, 14.2, 16.9)):  # workers

        def memory(t: float, starts: tuple[float, ...] = starts) -> float:
            return 67 + sum(15.2 * min(max((t - at) / 0.4, 0), 1) for at in starts)

        assert raised(judge(memory, 45, hz=20)) == [], starts


def test_collecting_from_the_first_second_is_told_by_eight_seconds_of_it() -> None:
    [alert] = judge(lambda t: 60 + 5 * max(t - 1, 0), 20, lambda t: 1e5 * max(t - 1, 0), hz=10)
    assert alert.kind == "streaming_violation"
    assert 8.5 <= alert.t_detect_s <= 10


def test_a_pause_of_reading_is_no_evidence_that_memory_follows_it() -> None:
    """A tooth of 4 s and 6 s of nothing filled the 10 s of a window."""

    def own(t: float) -> float:
        return t - min(max(t - 16, 0), 6)

    said = judge(lambda t: 72 + 9 * (own(t) / 3.7 % 1), 40, lambda t: 4e4 * own(t), hz=20)
    assert said == []


def test_what_was_read_before_a_hole_is_no_level_behind_it() -> None:
    """A logarithm's cache was taken for a leak: floors behind holes were those of before."""
    history = History()
    for t, rss in (
        (0.0, 100.0),
        (0.25, 100.0),
        (0.5, 100.0),
        (3.1, 180.0),
        (3.3, 181.0),
        (4.1, 182),
    ):
        history.add(TreeReading(t, rss * 1e6))
    assert history.floor(6, 7) == 180e6
    for t in (5.0, 6.0, 7.0, 8.0):  # readings that are rare anyway are not apart from each other
        history.add(TreeReading(t, 0.5e6 if t == 7.0 else 182e6))
    assert history.floor(14, 15) == 182e6


def test_a_steep_decay_is_told_while_it_is_young() -> None:
    for power in (0.5, 0.4):
        [alert, *_] = judge(lambda t: 90, 20, lambda t, p=power: 1e5 * t**p, hz=20, phase="load")
        assert alert.kind == "throughput_decay"
        assert alert.t_detect_s < 8.5
        told = float(alert.message.rpartition("rows^")[2])
        assert abs(told - 1 / power) < 0.15


def test_what_has_a_ceiling_is_not_even_marked() -> None:
    for tau in (4.0, 8.0):
        assert judge(lambda t, tau=tau: 60 + 80 * (1 - math.exp(-t / tau)), 120) == []


def test_a_growth_that_changes_its_pace_has_no_level_before_it() -> None:
    """Where the pace of a first tooth had changed it seemed to begin, as if above a level."""
    for before, since_s in ((0.75, 3.0), (0.0, 6.0)):
        history = History()
        for t in (n / 10 for n in range(156)):
            rss = 12 + before * max(min(t, 7.5) - 3, 0) + 0.33 * max(t - 7.5, 0)
            history.add(TreeReading(t, rss * 1e6))
        floors = history.block_floors(2, 8)
        assert floors is not None
        assert abs(FloorsRise(history, 2, floors, 6).rose_since_s() - since_s) < 1.6


def test_a_leak_above_a_known_level_needs_no_such_age() -> None:
    [alert] = judge(lambda t: 100 + 2 * max(t - 8, 0), 60)
    assert alert.t_detect_s - 8 < 15


def test_a_slow_wave_of_some_megabytes_is_no_leak() -> None:
    for period in (30.0, 60.0, 100.0):
        assert judge(lambda t, p=period: 300 + 3 * math.sin(2 * math.pi * t / p), 240) == []


@pytest.mark.parametrize(("level", "height", "period"), [(40, 4, 50), (40, 6, 60), (400, 8, 60)])
def test_the_flank_of_a_wave_is_slower_at_its_ends(
    level: float, height: float, period: float
) -> None:
    """Straight by the floors of eight blocks, large for a small program; but out of a trough."""
    for begun in (0.3, 0.6):

        def wave(t: float, begun: float = begun) -> float:
            return level + height * math.sin(2 * math.pi * (t / period + begun))

        assert raised(judge(wave, 1.4 * period, hz=10)) == [], begun


def test_a_cache_that_was_not_read_for_some_seconds_is_as_old_as_before() -> None:
    """What grew before a hole grows no younger by it: a logarithm is nearly straight in the end."""
    [trace] = strangers.traces([strangers.log_cache], [2_000_013])
    seen = [each for each in trace.observations if each.t_s < 60]  # the hole is at 31 s
    assert raised(list(Engine().feed_all(seen))) == []


@pytest.mark.parametrize(
    ("family", "seed"), [(strangers.collect, 2_200_012), (strangers.collect_late, 2_100_023)]
)
def test_a_hole_in_the_readings_is_no_pause_of_the_rows(
    family: Callable[[strangers.Draw], strangers.Program], seed: int
) -> None:
    """Growth with the rows was called one with time: they had not moved in the hole."""
    [trace] = strangers.traces([family], [seed])
    assert [edge.kind for edge in raised(alerts_of(trace))] == ["streaming_violation"]


def test_a_large_logarithmic_cache_is_no_leak_in_its_youth() -> None:
    for start in (0.0, 20.0):
        edges = judge(lambda t, s=start: 94 + 56 * math.log1p(max(t - s, 0) / 20), 160)
        assert raised(edges) == []


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


@pytest.mark.parametrize("seed", [1_220_004, 1_220_006])
def test_a_slow_leak_in_random_steps_is_told_within_three_quarters_of_a_minute(seed: int) -> None:
    """They are not even in every look; it took 75 s and more."""
    [trace] = corpus.traces([families.frag_creep], [seed])
    [alert] = raised(alerts_of(trace))
    assert alert.t_detect_s - trace.truths[0].onset_s < 45


def test_random_steps_are_looked_at_over_more_lengths_of_time() -> None:
    """What is not even in one window is in another: it took 64 s."""
    [trace] = strangers.traces([strangers.frag_creep], [2_000_005])
    onset_s = trace.truths[0].onset_s
    seen = [each for each in trace.observations if each.t_s < onset_s + 40]
    [alert] = raised(list(Engine().feed_all(seen)))
    assert alert.kind == "mem_growth"


def test_what_is_gathered_and_written_out_again_is_said_once() -> None:
    """Rows of 16 s are held, then written: it was told anew for every batch."""
    edges = judge(lambda t: 60 + 2 * (t % 16), 80, lambda t: 1e4 * t, hz=10)
    assert len(raised(edges)) == 1
    assert edges[-1].severity == "clear"
    # What is kept beyond that is still told.
    edges = judge(lambda t: 60 + (2 * (t % 16) if t < 48 else 4 * (t - 48)), 80, lambda t: 1e4 * t)
    assert [edge.kind for edge in raised(edges)] == ["streaming_violation"] * 2


def test_a_growth_that_was_one_with_time_once_is_not_called_reading_again() -> None:
    """Over half a minute of a reading that swings, time and rows explain it as well."""
    [trace] = corpus.traces([families.leak_beside_rows], [1_400_009])
    kinds = [edge.kind for edge in raised(alerts_of(trace))]
    assert kinds.count("streaming_violation") <= 1
    assert "mem_growth" in kinds


def test_a_quick_load_of_eleven_seconds_is_no_leak() -> None:
    """Nobody waits for a leak of 20 MB/s to be told three seconds sooner."""
    assert judge(lambda t: 80 + 20 * min(max(t - 30, 0), 11), 60) == []
    [alert] = judge(lambda t: 80 + 20 * max(t - 30, 0), 45)
    assert 11 <= alert.t_detect_s - 30 <= 13.5


def test_a_leak_beside_a_reading_that_swings_is_told_as_soon_as_others() -> None:
    """Rows come and hardly come: memory rises with the time. It was left to the rows for 14 s."""
    times = [n / 20 for n in range(60 * 20)]
    rows = list(itertools.accumulate(1e5 * (1.0 if t % 10 < 5 else 0.1) / 20 for t in times))
    edges = judge(lambda t: 90 + max(t - 20, 0), 60, lambda t: rows[round(t * 20)])
    assert [edge.kind for edge in edges] == ["mem_growth"]
    assert 8 <= edges[0].t_detect_s - 20 <= 9.5


@pytest.mark.parametrize(
    ("family", "seed"),
    [
        ("rate_wander", 2_700_006),  # one wave of the rate, from the start of its phase
        ("sawtooth_slow", 3_000_010),  # a tooth that began in a hole of the readings
        ("wander_slow", 2_800_004),  # 3 MB of a wave
    ],
)
def test_what_was_told_of_sound_traces(family: str, seed: int) -> None:
    [trace] = strangers.traces([getattr(strangers, family)], [seed])
    assert raised(alerts_of(trace)) == []


@pytest.mark.parametrize(("every", "latest_s"), [(1, 9.5), (5, 9.5), (10, 12.5), (20, 15.5)])
def test_the_pace_of_sampling_and_readings_that_are_missing_change_little(
    every: int, latest_s: float
) -> None:
    """20, 4, 2 and 1 Hz, every fifth value unknown."""

    def known(n: int, value: float) -> float | None:
        return None if n * 7 % 5 == 0 else value

    def told(memory: Callable[[float], float]) -> list[Edge]:
        samples = [
            TreeReading(n / 20, known(n // every, memory(n / 20) * 1e6), known(n, 90.0), None, None)
            for n in range(0, 60 * 20, every)
        ]
        return raised(list(Engine().feed_all(samples)))

    [alert] = told(lambda t: 90 + max(t - 20, 0))
    assert 8 <= alert.t_detect_s - 20 <= latest_s
    assert told(lambda t: 90 + 40 * (t / 9 % 1)) == []
    assert told(lambda t: 90 + 60 * min(max(t - 20, 0) / 7, 1)) == []


def test_a_program_that_is_suspended_is_none_that_waits_where_counts_are_missing() -> None:
    """A count that is not known was taken for a change: a sign of life."""
    samples = []
    for n in range(40 * 20):
        t = n / 20
        own = t - min(max(t - 20, 0), 6)
        rows = None if n % 5 == 0 else 1e4 * own
        samples.append(TreeReading(t, 90e6, 0.0 if 20 <= t < 26 else 90.0, rows, "load"))
    assert raised(list(Engine().feed_all(samples))) == []
