"""A moment of the session is a clock, a length is a figure with its unit: one form each."""

from __future__ import annotations

import pytest

from perftui.probes.text.units import format_clock
from perftui.tui.widgets.charts.time_axis import moment_text, start_text, tick_text


@pytest.mark.parametrize(
    ("seconds", "digits", "said"),
    [
        (2.3, None, "00:02.3"),
        (18.44, None, "00:18.4"),
        (138, 0, "02:18"),
        (0.25, 3, "00:00.250"),
        (59.999, None, "00:59.9"),
        (3723, None, "1:02:03"),
        (3723.04, 2, "1:02:03.04"),
    ],
)
def test_clock(seconds: float, digits: int | None, said: str) -> None:
    assert format_clock(seconds, digits) == said


def test_ticks_have_the_digits_they_need_and_one_form() -> None:
    assert [tick_text(n, 30) for n in (0, 30, 90, 120)] == ["00:00", "00:30", "01:30", "02:00"]
    assert [tick_text(n / 5, 0.2) for n in range(3)] == ["00:00.0", "00:00.2", "00:00.4"]
    assert tick_text(0.003, 0.001) == "00:00.003"
    assert tick_text(7200, 3600) == "2:00:00"


def test_what_is_chosen_reads_as_the_axis_does() -> None:
    assert [moment_text(t) for t in (0, 0.312, 12.34, 600, 4000)] == [
        "00:00.0",
        "00:00.312",
        "00:12.3",
        "10:00.0",
        "1:06:40",
    ]
    assert [start_text(t) for t in (0.05, 138.2, 3723.04)] == ["00:00.05", "02:18.20", "1:02:03"]
