"""Is there a ceiling above a growth that slows down?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from perftui.probes.detect.evidence.ceiling import slows_without_ceiling, to_come
from perftui.probes.detect.evidence.growth import fit_curve

if TYPE_CHECKING:
    from collections.abc import Callable


def floors(level: Callable[[float], float]) -> list[float]:
    return [level(1.5 * n + 3) for n in range(8)]


def test_what_a_cache_still_takes_is_told_from_its_pace() -> None:
    """Exact for a fill that comes nearer by the same part in the same time."""
    level = floors(lambda t: 100 - 80 * math.exp(-t / 6))
    assert to_come(level) == pytest.approx(100 - level[-1], rel=1e-6)
    assert not slows_without_ceiling(level)


def test_a_root_slows_and_has_no_ceiling() -> None:
    assert slows_without_ceiling(floors(lambda t: 50 * math.sqrt(t)))


def test_what_does_not_slow_or_does_not_rise_is_neither() -> None:
    assert to_come(floors(lambda t: 5 * t)) == math.inf
    assert not slows_without_ceiling(floors(lambda t: 5 * t))
    assert not slows_without_ceiling(floors(lambda t: 5 * t * t))
    assert not slows_without_ceiling(floors(lambda t: 70.0))
    assert not slows_without_ceiling(floors(lambda t: 90 - math.sqrt(t)))


def test_a_curve_is_fitted_through_what_was_read() -> None:
    whole = [3 * x - 0.05 * x * x for x in range(40)]
    holes = [level if n % 7 else math.inf for n, level in enumerate(whole)]
    for levels in (whole, holes[1:]):
        curve = fit_curve([*levels[:-1], levels[-1] + 0.01])
        assert curve.t < -5
        assert curve.start_slope == pytest.approx(2.9, abs=0.15)
        assert curve.end_slope == pytest.approx(-0.9, abs=0.15)


def test_a_wander_is_less_sure_of_its_bend_than_noise() -> None:
    """Neighbours that err alike are fewer witnesses than they are many."""
    bent = [3 * x - 0.01 * x * x for x in range(60)]
    hasty = [level + (1 if n % 2 else -1) for n, level in enumerate(bent)]
    slow = [level + math.sin(n / 4) for n, level in enumerate(bent)]
    assert abs(fit_curve(slow).t) < 0.7 * abs(fit_curve(hasty).t)


def test_a_cubic_tells_a_flank_from_a_line_and_from_a_bend() -> None:
    noise = [(1 if n % 3 else -2) * 0.01 for n in range(40)]
    shapes = {
        "flank": [math.sin((n - 20) / 20) for n in range(40)],
        "line": [n / 20 for n in range(40)],
        "bend": [n / 20 - (n / 40) ** 2 / 2 for n in range(40)],
    }
    fits = {
        name: fit_curve([level + rough for level, rough in zip(shape, noise, strict=True)], 3)
        for name, shape in shapes.items()
    }
    assert fits["flank"].t < -6
    assert fits["flank"].start_slope == pytest.approx(math.cos(1) / 20, abs=0.006)
    assert fits["flank"].end_slope == pytest.approx(math.cos(1) / 20, abs=0.006)
    for straight in ("line", "bend"):
        assert abs(fits[straight].t) < 3, straight
    assert fits["bend"].end_slope < 0.6 * fits["bend"].start_slope
