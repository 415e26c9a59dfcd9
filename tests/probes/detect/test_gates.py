"""Gates on alerts: which one an alert fails, and what is no verdict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.observations import Edge
from perftui.probes.detect.judged import Seen, gates_of, rose_to_end, undecided, unjudged
from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SEEN = Seen(60.0, calls=False, counts=False, phases=False, limit=False)


def mark(kind: str, message: str = "rises") -> Edge:
    return Edge(kind, "info", 3.0, 15.0, message, "")


def test_an_alert_told_in_the_place_of_another_fails_the_gates_of_both() -> None:
    """Rows that all are kept are a growth of memory, and told by the more exact name."""
    assert gates_of("streaming_violation", ["mem_growth"]) == ["mem_growth"]
    both = ["streaming_violation", "mem_growth", "oom_risk"]
    assert gates_of("streaming_violation", both) == ["streaming_violation", "mem_growth"]
    assert gates_of("mem_growth", both) == ["mem_growth"]
    assert gates_of("io_wait", both) == []


def test_a_mark_that_leaves_it_open_is_no_verdict() -> None:
    marks = [mark("mem_growth", "rises, slowing"), mark("slow_import")]
    assert undecided(["mem_growth", "slow_import"], marks) == {"mem_growth": "rises, slowing"}
    assert undecided(["io_wait"], marks) == {}
    alert = mark("mem_growth")._replace(severity="warn")
    assert undecided(["mem_growth"], [alert]) == {}


def test_a_growth_that_met_the_limit_first_is_no_verdict_on_growth() -> None:
    met = mark("oom_risk")._replace(severity="critical")
    assert undecided(["mem_growth"], [met]) == {"mem_growth": "oom_risk was told in its place"}
    assert undecided(["oom_risk", "io_wait"], [met]) == {}


def test_what_was_judged_long_enough_has_no_reason() -> None:
    assert unjudged(["mem_growth"], SEEN) == {}
    assert "too short" in unjudged(["mem_growth"], SEEN._replace(duration_s=20.0))["mem_growth"]


def test_a_growth_that_is_too_young_at_the_end_is_no_verdict() -> None:
    rose = rose_to_end([50e6 + n * 2e6 for n in range(8)])
    assert rose == 14e6
    [reason] = unjudged(
        ["mem_growth", "io_wait"], SEEN._replace(phases=True, rose_bytes=rose)
    ).values()
    assert reason.startswith("RSS rose up to the end (+14.0 MB in the last 8.00 s)")


def test_what_rests_falls_or_was_not_read_did_not_rise_to_the_end() -> None:
    for floors in (
        [50e6] * 8,
        [50e6 + n * 2e6 for n in range(7)] + [50e6],
        [50e6, *[90e6] * 7],
        [50e6 + n * 1e5 for n in range(8)],
        [900e6 + n * 2e6 for n in range(8)],
        [50e6, None, *[70e6] * 6],
        None,
    ):
        assert rose_to_end(floors) == 0.0, floors


def test_a_mark_is_no_verdict_until_what_rose_has_levelled_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for until_s, words in ((300, "was not judged: RSS +"), (30, "")):
        rows = [
            f"{n / 5},{20e6 + 30e6 * math.sqrt(min(n / 5, until_s)):.0f}" for n in range(5 * 80)
        ]
        trace = tmp_path / f"{until_s}.csv"
        trace.write_text("\n".join(["t_s,rss_bytes", *rows]))
        code = main(["detect", "--fail-on", "mem_growth", str(trace)])
        out, err = capsys.readouterr()
        assert (code, out) == (0, "")
        assert words in err
        assert bool(err) == bool(words)
