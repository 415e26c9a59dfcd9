"""Intervals and verdicts of series: known answers, and how often they are wrong."""

from __future__ import annotations

import math
import random
from itertools import combinations, product

import pytest

from perftui.probes.compare.confidence import Interval
from perftui.probes.compare.ratios import (
    SeriesChange,
    alarm_level,
    centre,
    judged,
    of_groups,
    of_pairs,
    of_ranks,
    rank_sum,
    signed_rank,
    spread_of,
    student,
)


@pytest.mark.parametrize(
    ("n", "level", "rank"), [(10, 0.05, 9), (20, 0.05, 53), (8, 0.05, 4), (5, 0.05, 0)]
)
def test_signed_rank_is_that_of_the_tables(n: int, level: float, rank: int) -> None:
    assert signed_rank(n, level) == rank


@pytest.mark.parametrize(
    ("one", "other", "level", "rank"),
    # Critical values of U, one more each: no table has a 0 for what cannot be.
    [(5, 5, 0.05, 3), (10, 10, 0.05, 24), (20, 20, 0.05, 128), (5, 20, 0.05, 21), (3, 3, 0.05, 0)],
)
def test_rank_sum_is_that_of_the_tables(one: int, other: int, level: float, rank: int) -> None:
    assert rank_sum(one, other, level) == rank_sum(other, one, level) == rank


def test_rank_sum_counts_every_choice_of_places() -> None:
    one, other, level = 4, 5, 0.1
    sums = [
        sum(place - at for at, place in enumerate(places))
        for places in combinations(range(one + other), one)
    ]
    k = rank_sum(one, other, level)
    below = [sum(value < at for value in sums) / len(sums) for at in (k, k + 1)]
    assert below[0] <= level / 2 < below[1]


def test_ranks_of_alike_groups_hold_what_is_true() -> None:
    rng, missed = random.Random(8), 0
    for _ in range(200):
        base, new = ([rng.choice((100, 101, 103)) * each for _ in range(10)] for each in (1, 1.2))
        found = of_ranks(base, new, 0.01)
        assert found is not None
        low, high = found.interval
        missed += not low - 1e-9 <= 0.2 <= high + 1e-9
        assert found.alarm.low <= low <= found.ratio <= high <= found.alarm.high
    assert missed <= 10, "95 %"
    assert of_ranks([1.0, 1.0, 1.1], [2.0, 2.0, 2.1], 0.01) == of_groups(
        [1.0, 1.0, 1.1], [2.0, 2.0, 2.1], 0.01
    ), "three runs a side cannot be that sure by their order"


def test_signed_rank_counts_every_choice_of_signs() -> None:
    n, level = 7, 0.1
    sums = [sum(r for r, up in zip(range(1, n + 1), signs, strict=True) if up)
            for signs in product((0, 1), repeat=n)]  # fmt: skip
    k = signed_rank(n, level)
    below = [sum(value < at for value in sums) / len(sums) for at in (k, k + 1)]
    assert below[0] <= level / 2 < below[1]


@pytest.mark.parametrize(("df", "level", "t"), [(4, 0.05, 2.776), (9, 0.001, 4.781)])
def test_student_is_that_of_the_tables(df: int, level: float, t: float) -> None:
    assert student(df, level) == pytest.approx(t, abs=0.001)


def test_the_centre_moves_with_the_values() -> None:
    values = [0.1, 0.3, 0.2, 0.5, 0.4, 0.25, 0.35, 0.15, 0.45, 0.33]
    low, high = centre(values, 0.05)
    again = centre([value + 7 for value in values], 0.05)
    assert low < 0.3 < high
    assert again == pytest.approx((low + 7, high + 7))


def pair_series(
    rng: random.Random, n: int, noise: float, factor: float
) -> tuple[list[float], list[float]]:
    """Two series whose pairs share a drift that is much larger than the noise."""
    drift = [math.exp(rng.gauss(0, 0.5)) for _ in range(n)]
    base = [each * math.exp(rng.gauss(0, noise)) for each in drift]
    return base, [each * factor * math.exp(rng.gauss(0, noise)) for each in drift]


def share_regressed(n: int, noise: float, factor: float, times: int = 300) -> float:
    rng = random.Random(11)
    level = alarm_level(6)
    found = [
        judged(of_pairs(*pair_series(rng, n, noise, factor), level), 0.1, "lower")
        for _ in range(times)
    ]
    return found.count("regressed") / times


@pytest.mark.parametrize(("n", "noise"), [(5, 0.3), (10, 0.1), (20, 0.3)])
def test_without_a_change_there_is_no_alarm(n: int, noise: float) -> None:
    assert share_regressed(n, noise, 1.0) <= 0.01


def test_a_change_is_found_through_a_drift_of_the_machine() -> None:
    assert share_regressed(20, 0.06, 1.2) >= 0.99


def test_memory_needs_five_pairs() -> None:
    assert share_regressed(5, 0.001, 1.15) == 1.0


def test_more_is_better_for_a_rate() -> None:
    base, new = [100.0, 101, 99, 100, 102, 98], [80.0, 81, 79, 80, 82, 78]
    change = of_pairs(base, new, 0.01)
    assert change is not None
    assert change.ratio == pytest.approx(-0.2, abs=0.01)
    assert judged(change, 0.05, "higher") == "regressed"
    assert judged(change, 0.05, "lower") == "improved"
    assert judged(change, 0.05, "neither") is None


def test_what_the_machine_gives_by_itself_is_no_alarm() -> None:
    change = SeriesChange(0.15, Interval(0.12, 0.18), Interval(0.1, 0.2), "pairs", 10)
    assert judged(change, 0.1, "lower") == "regressed"
    assert judged(change, 0.1, "lower", floor=0.1) == "ok"


def test_too_few_runs_say_nothing() -> None:
    assert of_pairs([1.0, 1.0], [2.0, 2.0], 0.05) is None
    assert of_groups([1.0], [2.0, 2.0, 2.0], 0.05) is None
    assert spread_of([1.0, 2.0]) is None


def test_values_that_may_be_0_change_by_a_part_of_the_base() -> None:
    change = of_pairs([0.0, 10, 10, 10], [0.0, 12, 12, 12], 0.05)
    assert change is not None
    assert change.ratio == pytest.approx(0.2)
    assert of_pairs([0.0, 0, 0], [1.0, 1, 1], 0.05) is None


def test_groups_that_drift_within_are_less_sure() -> None:
    steps = [math.sin(at / 3) for at in range(20)]  # neighbours resemble each other
    shuffled = random.Random(4).sample(steps, len(steps))
    flat = [100 + step for step in random.Random(5).sample(steps, len(steps))]
    drifting = of_groups(flat, [100 + step for step in steps], 0.05)
    mixed = of_groups(flat, [100 + step for step in shuffled], 0.05)
    assert drifting is not None and mixed is not None
    assert drifting.noise > 1.3 * mixed.noise
