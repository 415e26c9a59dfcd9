"""The states of calls: made sequences of which the answer is known."""

from __future__ import annotations

import random

import pytest

from perftui.scenarios.bench.steadiness import steadiness


def noisy(levels: list[tuple[int, float]], noise: float = 0.03, seed: int = 1) -> list[float]:
    """A first call of a second, then as many calls of each level."""
    rng = random.Random(seed)
    calls = [1.0]
    for count, level in levels:
        calls += [level * (1 + rng.gauss(0, noise)) for _ in range(count)]
    return calls


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("levels", "state", "steady_s", "settled"),
    [
        ([(30, 0.010)], "flat", 0.010, (1, 1)),
        ([(10, 0.030), (30, 0.010)], "warm-up", 0.010, (9, 13)),
        ([(20, 0.010), (20, 0.016)], "slowdown", 0.016, (18, 23)),
        ([(32, 0.010), (8, 0.020)], "no steady state", 0.010, (41, 41)),
    ],
)
def test_levels(
    levels: list[tuple[int, float]],
    state: str,
    steady_s: float,
    settled: tuple[int, int],
    seed: int,
) -> None:
    found = steadiness(noisy(levels, seed=seed))
    assert found.state == state
    assert found.steady_s == pytest.approx(steady_s, rel=0.03)
    assert settled[0] <= found.settled_after <= settled[1]


@pytest.mark.parametrize("seed", range(5))
def test_single_calls_that_were_interrupted_are_no_level(seed: int) -> None:
    calls = noisy([(40, 0.010)], seed=seed)
    for at in (7, 19, 33):
        calls[at] *= 4
    assert steadiness(calls).state == "flat"


def test_a_slow_first_call_is_cold_and_no_warm_up() -> None:
    assert steadiness([5.0] + [0.01] * 20).state == "flat"


def test_few_calls_tell_no_state() -> None:
    assert steadiness([1.0, 0.5, 0.4]) == ("unknown", 0.45, 1)
    assert steadiness([1.0]) == ("unknown", None, 1)
    assert steadiness([]).steady_s is None


def test_a_hundred_thousand_calls_are_judged_by_their_groups() -> None:
    found = steadiness(noisy([(50_000, 0.030), (50_000, 0.010)]))
    assert found.state == "warm-up"
    assert 49_000 < found.settled_after < 51_000
