"""What `--when` takes, and what it says of what it does not."""

from __future__ import annotations

import pytest

from perftui.probes.watch.expression import ExpressionError, parse_seconds, parse_when


def test_the_conditions_of_a_person() -> None:
    rss, stall, ended, alert = parse_when("rss>2GB, stall > 5s,exit!=0 ,alert")
    assert (rss.kind, rss.name, rss.compare, rss.value) == ("metric", "rss_bytes", ">", 2e9)
    assert (stall.kind, stall.value) == ("stall", 5.0)
    assert (ended.kind, ended.compare, ended.value, ended.any) == ("exit", "!=", 0.0, False)
    assert (alert.kind, alert.name, alert.value) == ("alert", "", 1)
    assert rss.text == "rss>2GB"
    (busy,) = parse_when("CPU >= 1.5e2 % for 2min")
    assert (busy.name, busy.value, busy.for_s, busy.text) == (
        "cpu_percent",
        150.0,
        120.0,
        "CPU >= 1.5e2 % for 2min",
    )
    (one, two, three) = parse_when("exit,alert==mem_growth,alert>=critical")
    assert (one.any, two.name, three.value) == (True, "mem_growth", 2)
    assert parse_when("uss > 1 GiB for 5 s")[0].value == 2**30
    assert parse_when("threads>9 for 5s")[0].for_s == 5


@pytest.mark.parametrize(
    ("text", "caret", "why"),
    [
        ("", 0, "a condition is missing"),
        ("rss>2GB,", 8, "a condition is missing"),
        ("rss>2GB,stal>5s", 8, "there is no 'stal'"),
        ("rss>2XB", 5, "unit of memory"),
        ("rss 2GB", 4, "is missing here"),
        ("rss=>2GB", 3, "is missing here"),
        ("rss>", 4, "a number is missing"),
        ("cpu>50GB", 6, "in % of a core"),
        ("stall>5 parsecs", 8, "unit of time"),
        ("stall>5parsecs", 7, "unit of time"),
        ("stall>0.1s", 6, "from 1 s on"),
        ("exit!=0x", 7, "a comma"),
        ("exit==999", 9, "up to 255"),
        ("alert==nothing", 7, "there is no alert"),
        ("alert>=loud", 7, "not one of"),
        ("rss>2GB for", 11, "a number is missing"),
        ("rss>1e400", 4, "too large"),
        ("\x1b[31mrss>1", 0, "a condition is missing"),
    ],
)
def test_the_caret_stands_under_the_place(text: str, caret: int, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_when(text)
    reason, shown, below = caught.value.lines()
    assert why in reason
    assert below.index("^") - 2 == caret
    assert "\x1b" not in shown


def test_a_long_expression_shows_the_part_around_the_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_when(",".join(["rss>1GB"] * 100) + ",what")
    _, shown, below = caught.value.lines()
    assert shown[below.index("^") :].startswith("what")
    assert len(shown) < 110
    with pytest.raises(ExpressionError):
        parse_when("rss>1," * 1000)


def test_lengths_of_time() -> None:
    assert [parse_seconds(text) for text in ("60", "60s", "5min", "1.5h")] == [60, 60, 300, 5400]
    for text in ("", "s", "-1s", "0", "5 parsecs", "1e3"):
        with pytest.raises(ValueError, match="length of time"):
            parse_seconds(text)
