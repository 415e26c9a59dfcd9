"""Intervals, tests and verdicts against published values and known truths."""

from __future__ import annotations

import random

import pytest

from perftui.probes.compare.confidence import (
    Interval,
    between_runs,
    beyond,
    chance_of_equal,
    discoveries,
    interval_of,
    mean_of,
    ratio_of_sums,
    verdict_of,
)


@pytest.mark.parametrize(
    ("t", "df"), [(12.706, 1), (4.303, 2), (3.182, 3), (2.776, 4), (2.228, 10), (1.984, 100)]
)
def test_student_agrees_with_the_tables(t: float, df: int) -> None:
    assert beyond(t, df) == pytest.approx(0.05, abs=2e-4)
    assert beyond(0, df) == 1


def test_two_runs_give_no_interval_and_three_do() -> None:
    assert between_runs([1, 2], [3, 4, 5]) is None
    interval = between_runs([1.0, 1.1, 1.2], [2.0, 2.1, 2.2])
    assert interval is not None
    assert interval == between_runs([1.0, 1.1, 1.2], [2.0, 2.1, 2.2]), "the same every time"
    assert 0.8 <= interval.low < 1 < interval.high <= 1.2 + 1e-9


def test_five_verdicts() -> None:
    assert verdict_of(0.2, None, 0.1) is None
    assert verdict_of(0.2, Interval(0.1, 0.3), 0.1) == "regressed"
    assert verdict_of(0.2, Interval(-0.1, 0.5), 0.1) == "suspect"
    assert verdict_of(-0.2, Interval(-0.3, -0.1), 0.1) == "improved"
    assert verdict_of(0.01, Interval(-0.05, 0.05), 0.1) == "ok"
    assert verdict_of(0.01, Interval(-0.4, 0.5), 0.1) == "inconclusive"


def test_equal_runs_are_rarely_told_apart() -> None:
    rng = random.Random(7)
    false = 0
    for _ in range(100):
        base, new = ([rng.gauss(10, 1) for _ in range(6)] for _ in range(2))
        interval = between_runs(base, new)
        assert interval is not None
        false += verdict_of(sum(new) / 6 - sum(base) / 6, Interval(*interval), 0.5) in (
            "regressed",
            "improved",
        )
    assert false <= 15


def test_discoveries_hold_together() -> None:
    assert discoveries([0.001, 0.02, 0.9, 0.8]) == [True, True, False, False]
    assert not any(discoveries([0.03, 0.2, 0.5, 0.9])), "one of four at 3 % is no discovery"
    assert discoveries([]) == []


def test_blocks_that_agree_give_a_narrow_error_and_those_that_do_not_a_wide_one() -> None:
    steady = ratio_of_sums([(5.0, 10.0)] * 9 + [(5.1, 10.0)])
    jumping = ratio_of_sums([(0.0, 10.0), (10.0, 10.0)] * 5)
    assert steady.value == pytest.approx(0.501)
    assert jumping.value == pytest.approx(0.5)
    assert steady.error < 0.002 < 0.1 < jumping.error
    assert ratio_of_sums([]).error == float("inf")
    far = ratio_of_sums([(6.0, 10.0)] * 9 + [(6.1, 10.0)])
    assert chance_of_equal(steady, far) < 1e-6
    assert chance_of_equal(jumping, far) > 0.1
    interval = interval_of(steady, far)
    assert interval is not None
    assert interval.low < 0.1 < interval.high


def test_one_run_is_no_evidence() -> None:
    assert chance_of_equal(mean_of([1.0]), mean_of([9.0])) == 1
    assert interval_of(mean_of([1.0]), mean_of([9.0])) is None
