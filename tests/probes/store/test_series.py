from __future__ import annotations

import random
from typing import Any

import pytest

from perftui.probes.answers.buckets import Points
from perftui.probes.store.series import TIERS_NS, Series, _Tier
from perftui.probes.text.units import NS_PER_S

S = NS_PER_S


def test_buckets_keep_a_spike_that_is_narrower_than_a_bucket() -> None:
    series = Series()
    for tick in range(200):
        series.add(tick * S // 20, 900.0 if tick == 77 else 10.0)
    buckets = series.buckets(0, 10 * S, 10)
    assert buckets.high == (10, 10, 10, 900, 10, 10, 10, 10, 10, 10)
    assert buckets.low == (10,) * 10


def test_buckets_before_the_first_and_after_the_last_reading_are_unknown() -> None:
    series = Series(hold_ns=1 * S)
    series.add(2 * S, 5.0)
    series.add(3 * S, 6.0)
    assert series.buckets(0, 10 * S, 10).last == (None, None, 5, 6, *(None,) * 6)


def test_a_gap_longer_than_the_hold_stays_empty() -> None:
    series = Series(hold_ns=1 * S)
    series.add(0, 1.0)
    series.add(5 * S, 2.0)
    assert series.buckets(0, 6 * S, 6).last == (1, None, None, None, None, 2)


def test_a_counter_holds_until_it_changes() -> None:
    series = Series(hold_ns=None)
    series.add(0, 1.0)
    series.add(5 * S, 2.0)
    assert series.buckets(0, 8 * S, 8).last == (1, 1, 1, 1, 1, 2, 2, 2)


def test_a_range_inside_the_past_starts_with_the_value_that_held() -> None:
    series = Series()
    series.add(0, 1.0)
    series.add(10 * S // 4, 2.0)
    assert series.buckets(S, 2 * S, 2).last == (1.0, 1.0)


def test_days_of_samples_stay_bounded_and_the_spike_of_the_first_hour_is_still_there() -> None:
    series = Series()
    step = S // 2
    for tick in range(3 * 86_400 * 2):
        series.add(tick * step, 5_000.0 if tick == 4_321 else 100.0)
    kept = sum(len(tier.t) for tier in series._tiers)
    assert kept <= sum(2 * keep for _, keep in TIERS_NS[:3]) + 3 * 86_400 // 600 + 4
    assert max(value or 0 for value in series.buckets(0, 3 * 86_400 * S, 160).high) == 5_000
    assert series.highest_in(0, 3 * 86_400 * S) == 5_000


def test_value_at_between_readings_is_the_older_one() -> None:
    series = Series()
    series.add(S, 1.0)
    series.add(2 * S, 2.0)
    assert [series.value_at(t) for t in (0, S, S + 1, 2 * S, 9 * S)] == [None, 1, 1, 2, 2]


@pytest.mark.parametrize("hold_ns", [None, S // 5])
@pytest.mark.parametrize("length_s", [4, 40, 400])
def test_a_chart_that_goes_on_is_the_chart_drawn_anew(hold_ns: int | None, length_s: int) -> None:
    """Readings come at uneven times, with gaps, old ones are thinned out; asked in between."""
    chance = random.Random(length_s)
    tiers = ((0, 60), (S, 100), (30 * S, 100))
    series = Series(hold_ns, tiers)
    asked = (S // 3, length_s * S, 50)
    t_ns = 0
    while t_ns < 1.2 * length_s * S:
        for _ in range(chance.choice((0, 1, 1, 2, 30))):
            t_ns += chance.choice((1, S // 50, S // 20, S // 20, S))
            series.add(t_ns, chance.choice((1, 2.5, t_ns % 1000)))
        known = series.buckets(*asked)
        fillings, series._fillings = series._fillings, None
        assert known == series.buckets(*asked)
        series._fillings = fillings


def test_of_a_chart_that_goes_on_only_the_newest_readings_are_gone_through() -> None:
    series = Series()
    asked = (0, 100 * S, 160)
    for tick in range(1_000):
        series.add(tick * S // 20, float(tick))
    series.buckets(*asked)
    (filling,) = (series._fillings or {}).values()
    looked_at: list[int] = []

    class Times(list[int]):
        def __getitem__(self, at: Any) -> Any:
            looked_at.append(at)
            return super().__getitem__(at)

    (tier,) = (tier for tier in series._tiers if tier.step_ns == 0)
    filling.with_all(Points(Times(tier.t), tier.low, tier.high, tier.last), series.last_t_ns)
    assert 0 < len(looked_at) < 100


@pytest.mark.parametrize("most_per_s", [2, 20, 300])
def test_tiers_that_are_made_later_have_what_they_would_have_from_the_start(
    most_per_s: int,
) -> None:
    chance = random.Random(most_per_s)
    steps = ((0, 100), (S, 80), (15 * S, 60), (300 * S, 50))
    series, whole = Series(tiers=steps), [_Tier(*step) for step in steps]
    t_ns = 7 * S // 3
    for tick in range(6_000):
        t_ns += chance.choice((S // most_per_s, S // most_per_s, 3 * S // most_per_s))
        value = chance.choice((1, 5, tick)) if tick < 700 else chance.random()
        series.add(t_ns, value)
        for tier in whole:
            tier.add(t_ns, value)
        if tick == 3:
            assert len(series._tiers) < len(steps)
    for made, tier in zip(series._tiers, whole, strict=False):
        assert (list(made.t), list(made.last)) == (list(tier.t), list(tier.last))
        assert (list(made.low), list(made.high)) == (list(tier.low), list(tier.high))
