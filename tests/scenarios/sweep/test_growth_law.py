from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from perftui.scenarios.sweep.growth_law import fitted_slope, growth_law

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 200, 400, 800, 1600)


def measured(
    law: Callable[[float], float], noise: float = 0.05, runs: int = 3, seed: int = 1
) -> list[tuple[float, float]]:
    pick = random.Random(seed)
    return [(n, law(n) * (1 + pick.uniform(-noise, noise))) for n in SIZES for _ in range(runs)]


@pytest.mark.parametrize(
    ("law", "verdict"),
    [
        (lambda n: 120.0, "constant"),
        (lambda n: 100 + 0.02 * n, "constant"),
        (lambda n: 0.01 * n**0.55, "less than linear"),
        (lambda n: 0.003 * n, "linear"),
        (lambda n: 0.003 * n * (n.bit_length()), "linear"),
        (lambda n: 1e-5 * n**2, "worse than linear"),
        (lambda n: 1e-6 * n**1.5, "worse than linear"),
    ],
)
def test_known_laws_are_recognised(law: Callable[[float], float], verdict: str) -> None:
    for seed in range(5):
        found = growth_law(measured(law, seed=seed))
        assert found.verdict == verdict, found.words
        assert found.words.startswith(f"{verdict}: n^")


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_the_interval_holds_the_true_exponent(exponent: float) -> None:
    held = 0
    for seed in range(100):
        found = growth_law(measured(lambda n: 7 * n**exponent, noise=0.2, seed=seed)).overall
        assert found is not None
        assert found.low < found.exponent < found.high
        held += found.low <= exponent <= found.high
    assert held >= 88, "95 % is promised; uniform noise and 100 tries leave room"


def test_a_law_that_turns_worse_goes_by_its_large_end() -> None:
    # A constant part hides the square for small sizes: over all sizes it looks like n^1.
    found = growth_law(measured(lambda n: 2.0 + 1e-5 * n**2, noise=0.02))
    assert found.verdict == "worse than linear"
    assert "steeper at the large end" in found.words
    assert found.overall is not None
    assert found.overall.exponent < 1.2


def test_noise_that_hides_the_law_is_said() -> None:
    found = growth_law(measured(lambda n: 0.003 * n**0.5, noise=0.95, runs=2, seed=3))
    assert found.verdict == "cannot tell"
    assert "may be anything from" in found.words
    assert "more runs" in found.words


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([], "0 sizes are too few"),
        ([(1, 1.0)] * 3, "one size is too few"),
        ([(1, 1.0), (10, 2.0), (10, 2.1)], "2 sizes are too few"),
        ([(0, 1.0), (10, 2.0), (20, 2.1)] * 2, "a size of 0"),
        ([(10, 1.0), (12, 2.0), (14, 2.1)] * 2, "only 1.4 times the smallest"),
        ([(10, 1.0), (20, 2.0), (40, 4.0)], "single runs"),
        ([(10, 0.0), (20, 2.0), (40, 4.0)] * 2, "a cost of 0"),
    ],
)
def test_too_little_is_said_with_a_remedy(points: list[tuple[float, float]], reason: str) -> None:
    found = growth_law(points)
    assert found.verdict == "cannot tell"
    assert found.words.startswith("cannot tell, because ")
    assert reason in found.words


def test_what_is_below_the_floor_is_constant() -> None:
    points = [(n, float(n % 3)) for n in SIZES for _ in range(3)]
    assert growth_law(points, floor=4e6).verdict == "constant"
    # Noise below the floor at the small sizes must not make the slope steeper than it is.
    rising = [(n, 1.0 if n < 400 else 5e6 * n / 400) for n in SIZES for _ in range(3)]
    found = growth_law(rising, floor=4e6)
    assert found.overall is not None
    assert found.overall.exponent < 1.2


def test_the_slope_of_an_exact_line() -> None:
    slope = fitted_slope([(0, 1.0), (1, 3.0), (2, 5.0)])
    assert slope is not None
    assert slope.exponent == pytest.approx(2)
    assert slope.low == pytest.approx(slope.high)
    assert fitted_slope([(0, 1.0), (1, 3.0)]) is None
    assert fitted_slope([(1, 1.0), (1, 3.0), (1, 2.0)]) is None
