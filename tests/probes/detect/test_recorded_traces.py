"""Readings of real programs (support/detect/programs), four a second: what is said, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
import support.detect
from support.detect.scorer import raised

from perftui.probes.detect.engine import Engine
from perftui.probes.detect.trace import TraceFile

TRACES = Path(support.detect.__file__).parent / "traces"


@pytest.mark.parametrize(
    ("name", "onset_s", "latest_s"),
    [
        ("leak_dict", 0.1, 16.5),
        ("leak_slow", 0.1, 16.5),
        ("lru_unbounded", 0.1, 16.5),
        ("gc_disabled", 0.1, 16.5),
        ("leak_warm", 5.3, 21.0),
    ],
)
def test_a_leak_that_no_level_came_before_is_told_in_time(
    name: str, onset_s: float, latest_s: float
) -> None:
    trace = TraceFile(TRACES / f"{name}.csv")
    [alert] = raised(list(Engine().feed_all(trace.observations())))
    assert alert.kind == "mem_growth"
    assert onset_s - 1 <= alert.t_onset_s <= onset_s + 4
    assert alert.t_detect_s <= latest_s


def test_a_leak_that_slows_its_own_work_is_said() -> None:
    edges = list(Engine().feed_all(TraceFile(TRACES / "leak_slows.csv").observations()))
    assert edges
    assert edges[0].kind == "mem_growth"
    assert edges[0].t_detect_s < 24
