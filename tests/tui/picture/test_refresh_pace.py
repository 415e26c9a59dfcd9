"""How soon the next picture is taken."""

import pytest

from perftui.tui.picture.refresh_pace import (
    CALM_HZ,
    CALM_SHARE,
    CORE_SHARE,
    LEAST_HZ,
    LIVELY_PICTURES,
    STILL_S,
    RefreshPace,
)


def after(pictures: int, *, took_s: float, cpu_s: float, hz: float = 4, drew: bool = True) -> float:
    """The period that a row of equal pictures leads to."""
    pace = RefreshPace()
    rest = [pace.rest_s(hz, took_s=took_s, cpu_s=cpu_s, drew=drew) for _ in range(pictures)]
    return rest[-1] + took_s


def test_what_is_cheap_comes_as_often_as_it_is_wanted() -> None:
    assert after(20, took_s=0.004, cpu_s=0.003) == pytest.approx(0.25)
    assert after(20, took_s=0.004, cpu_s=0.001, hz=10) == pytest.approx(0.1)


def test_what_is_dear_keeps_to_its_share_of_a_core() -> None:
    assert after(50, took_s=0.012, cpu_s=0.010) == pytest.approx(0.010 / CORE_SHARE)
    assert after(50, took_s=0.5, cpu_s=0.4) == pytest.approx(1 / LEAST_HZ)


def test_calm_pictures_take_half_of_that() -> None:
    assert after(50, took_s=0.009, cpu_s=0.006, hz=CALM_HZ) == pytest.approx(0.006 / CALM_SHARE)
    assert after(50, took_s=0.009, cpu_s=0.003, hz=CALM_HZ) == pytest.approx(1 / CALM_HZ)


def test_what_is_dear_once_changes_nothing() -> None:
    pace = RefreshPace()
    costs = [0.4, 0.2, 0.003, 0.003, 0.003, 0.3, 0.003, 0.004]  # the first ones, and a new tab
    rests = [pace.rest_s(4, took_s=cost, cpu_s=cost, drew=True) for cost in costs]
    assert all(
        rest == pytest.approx(max(0.25 - c, 0.01)) for rest, c in zip(rests, costs, strict=True)
    )


def test_where_nothing_moves_it_looks_twice_a_second() -> None:
    assert after(3, took_s=0.0, cpu_s=0.0, drew=False) == pytest.approx(STILL_S)
    assert after(3, took_s=0.0, cpu_s=0.0, drew=False, hz=1) == pytest.approx(1.0)


def test_on_a_starved_machine_it_comes_later_and_then_recovers() -> None:
    pace = RefreshPace()
    for _ in range(10):
        starved = pace.rest_s(4, took_s=0.3, cpu_s=0.005, drew=True)
    assert starved + 0.3 == pytest.approx(1 / LEAST_HZ)
    for _ in range(30):
        calm = pace.rest_s(4, took_s=0.005, cpu_s=0.004, drew=True)
    assert calm + 0.005 == pytest.approx(0.25)


def test_a_person_may_want_fewer_than_the_least() -> None:
    assert after(5, took_s=0.01, cpu_s=0.001, hz=0.5) == pytest.approx(2.0)


def test_a_screen_begins_lively_and_then_draws_what_is_needed() -> None:
    pace = RefreshPace()
    needed = []
    for _ in range(LIVELY_PICTURES + 1):
        needed.append(pace.calm_hz(4))
        pace.rest_s(4, took_s=0.0, cpu_s=0.0, drew=False)  # a picture that was not drawn
        pace.rest_s(4, took_s=0.003, cpu_s=0.003, drew=True)
    assert needed == [4] * LIVELY_PICTURES + [CALM_HZ]
    assert pace.calm_hz(1) == 1
