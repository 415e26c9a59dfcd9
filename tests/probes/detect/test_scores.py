"""The bars of the alerts on a small corpus; benchmarks/detector_scores.py has the large one."""

from __future__ import annotations

import time

import pytest
from support.detect import strangers
from support.detect.baselines import mann_kendall, naive_slope
from support.detect.corpus import traces
from support.detect.families import HEALTHY, UNHEALTHY
from support.detect.scorer import Score, alerts_of, quantile, score, uses_the_future

SEEDS = range(7_000, 7_003)
STRANGE_SEEDS = range(17_000, 17_003)


@pytest.fixture(scope="module")
def small() -> Score:
    return score(traces((*HEALTHY, *UNHEALTHY), SEEDS))


def test_nearly_every_truth_is_found(small: Score) -> None:
    assert small.recall >= 0.97, small.missed
    assert small.worst[0] >= 0.66, small.worst  # one of three


def test_nearly_nothing_else_is_said(small: Score) -> None:
    assert small.precision >= 0.93, small.false_alarms
    assert small.false_per_healthy_hour <= 1.2, small.false_alarms


def test_alerts_come_early(small: Score) -> None:
    assert quantile(small.delays, 0.5) <= 12.5
    assert quantile(small.delays, 0.95) <= 65.0  # the third largest: few truths


def test_alerts_go_away_and_stay_away(small: Score) -> None:
    assert small.clear_share >= 0.9
    assert small.repeats <= 3


def test_a_sample_costs_little(small: Score) -> None:
    """Some 10 µs of CPU; `benchmarks/detector_scores.py` has the figure of a quiet machine."""
    began = time.thread_time()
    for _ in range(100):
        sum(n * n for n in range(2_000))
    loop_us = (time.thread_time() - began) / 100 * 1e6  # some 45 µs there
    assert small.us_per_sample <= loop_us


def test_no_alert_knows_the_future() -> None:
    for trace in traces(UNHEALTHY, [7_100]):
        edges = alerts_of(trace)
        assert edges, trace.name
        for share in (0.3, 0.7):
            assert not uses_the_future(trace, edges, trace.duration_s * share), trace.name


def test_simple_baselines_do_worse(small: Score) -> None:
    families = (*HEALTHY[:12], *UNHEALTHY[:8])
    ours = score(traces(families, SEEDS[:1]))
    for runner in (naive_slope, mann_kendall):
        theirs = score(traces(families, SEEDS[:1]), runner)
        assert theirs.recall * theirs.precision < ours.recall * ours.precision


@pytest.mark.live
@pytest.mark.timeout(600)
def test_what_somebody_else_would_draw_is_judged_as_well() -> None:
    families = (*strangers.HEALTHY, *strangers.UNHEALTHY)
    ours = score(strangers.traces(families, STRANGE_SEEDS))
    assert ours.recall >= 0.95, ours.missed
    assert ours.precision >= 0.92, ours.false_alarms
    assert ours.false_per_healthy_hour <= 1.0, ours.false_alarms
    assert ours.clear_share >= 0.9
    assert ours.repeats <= 2
    assert quantile(ours.delays, 0.5) <= 13.0
