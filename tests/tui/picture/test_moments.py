"""Moments as they are typed."""

from __future__ import annotations

from datetime import datetime

import pytest

from perftui.tui.picture.moments import Stretch, parse_moment

S = 1_000_000_000
START = 500 * S
NOON = round(datetime(2026, 3, 4, 11, 59, 30).timestamp() * S)


def span(length_s: float = 120, cursor_s: float = 60, wall: int | None = NOON) -> Stretch:
    return Stretch(
        START,
        START + round(length_s * S),
        START + round(cursor_s * S),
        lambda t_ns: None if wall is None else wall + t_ns - START,
    )


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("0", 0),
        ("12.5", 12.5),
        (" 12.5 s ", 12.5),
        (".5", 0.5),
        ("250ms", 0.25),
        ("2m", 120),
        ("1:30", 90),
        ("1:05.25", 65.25),
        ("-30s", 90),
        ("-1m", 60),
        ("+15", 75),
        ("0%", 0),
        ("50%", 60),
        ("100%", 120),
        ("-25%", 90),
        ("12:00:10", 40),
        ("12:00:10.5", 40.5),
        ("11:59:30", 0),
        ("0:00:45", 45),
    ],
)
def test_a_moment_is_understood(text: str, second: float) -> None:
    assert parse_moment(text, span()) == START + round(second * S)


@pytest.mark.parametrize(
    "text", ["", "soon", "12,5", "1:2:3:4", "--3", "5 parsecs", "٣", "1e9", "%"]
)
def test_what_is_no_moment_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a moment; write 12\.5"):
        parse_moment(text, span())


@pytest.mark.parametrize("text", ["121", "-121", "101%", "3h", "+61", "9" * 400, "13:00:00"])
def test_a_moment_outside_says_how_long_the_session_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"not within the session|is not a moment"):
        parse_moment(text, span())


def test_the_second_in_which_it_began_is_its_beginning() -> None:
    began = NOON + S // 2
    assert parse_moment("11:59:30", span(wall=began)) == START


def test_a_time_of_day_after_midnight() -> None:
    late = round(datetime(2026, 3, 4, 23, 59, 0).timestamp() * S)
    assert parse_moment("0:01:00", span(300, wall=late)) == START + 120 * S


def test_without_a_clock_it_is_time_since_the_start() -> None:
    assert parse_moment("0:01:30", span(wall=None)) == START + 90 * S
