"""The middle of some numbers."""

import statistics

import pytest

from perftui.probes.spine.median import median


@pytest.mark.parametrize("values", [[3], [2, 1], [3, 1, 2], [1.5, 2.5, 0.5, 9.0], (5, 5, 1)])
def test_it_agrees_with_the_library(values: list[float]) -> None:
    assert median(values) == statistics.median(values)
    assert median(iter(values)) == statistics.median(values)


def test_there_is_none_of_nothing() -> None:
    with pytest.raises(ValueError, match="no median"):
        median([])
