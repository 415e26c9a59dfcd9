"""Threads that wake a few times a second do it at the same moments."""

from __future__ import annotations

import pytest

from perftui.probes.spine.wakes import near_s, next_ns, until_next_s
from perftui.probes.text.units import NS_PER_S


@pytest.mark.parametrize("now_ns", [0, 1, 49_999_999, 50_000_000, 123_456_789, 10**15 + 7])
def test_whoever_pauses_for_a_multiple_wakes_with_those_of_a_part_of_it(now_ns: int) -> None:
    seldom, often = NS_PER_S // 5, NS_PER_S // 20
    moment = next_ns(now_ns, seldom)
    assert now_ns < moment <= now_ns + seldom
    assert moment % often == 0 and next_ns(moment - 1, often) == moment
    assert until_next_s(now_ns, 0.2) == pytest.approx((moment - now_ns) / NS_PER_S)


@pytest.mark.parametrize("rest_s", [0.01, 0.3, 0.44, 0.46, 0.5, 1.0])
def test_a_picture_joins_them_without_being_much_earlier_or_later(rest_s: float) -> None:
    for now_ns in range(0, NS_PER_S, NS_PER_S // 37):
        rests_s = near_s(now_ns, rest_s, 0.1)
        assert 0 < rests_s <= 0.1 or rest_s - 0.0501 <= rests_s <= rest_s + 0.0501
        at_s = now_ns / NS_PER_S + rests_s
        assert at_s * 10 == pytest.approx(round(at_s * 10), abs=1e-6)
