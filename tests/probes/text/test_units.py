from __future__ import annotations

import pytest

from perftui.probes.text.units import (
    format_bytes,
    format_clock,
    format_count,
    format_seconds,
    parse_bytes,
    three_digits,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0123, "0.0123"), (1, "1.00"), (9.996, "10.0"), (99.96, "100"), (1234, "1234")],
)
def test_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.00 kB"),
        (999_600, "1.00 MB"),
        (1_210_000_000, "1.21 GB"),
        (-5_000_000, "-5.00 MB"),
        (3e18, "3000 PB"),
    ],
)
def test_format_bytes(value: float, text: str) -> None:
    assert format_bytes(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (8.5e-7, "850 ns"),
        (12.34e-6, "12.3 µs"),
        (0.00456, "4.56 ms"),
        (1.234, "1.23 s"),
        (119.7, "120 s"),
        (725, "12 min 5 s"),
        (12_000, "3 h 20 min"),
    ],
)
def test_format_seconds(value: float, text: str) -> None:
    assert format_seconds(value) == text


def test_format_count_and_clock() -> None:
    assert [format_count(n) for n in (0, 512, 5_310_000, 2.5)] == ["0", "512", "5.31 M", "2.50"]
    assert [format_clock(s) for s in (0, 18.44, 3_723)] == ["00:00.0", "00:18.4", "1:02:03"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("300MB", 300_000_000), ("1.5 GiB", 1_610_612_736), ("4096", 4096), ("2k", 2_000)],
)
def test_parse_bytes(text: str, value: int) -> None:
    assert parse_bytes(text) == value


@pytest.mark.parametrize(
    "text", ["", "MB", "3 parsecs", "-1MB", "1,5GB", "9" * 400, "9" * 400 + "TB", "10000000PB"]
)
def test_parse_bytes_says_what_it_takes(text: str) -> None:
    with pytest.raises(ValueError, match="300MB"):
        parse_bytes(text)
