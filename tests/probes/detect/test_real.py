"""Real programs under the real probes; benchmarks/detector_scores.py --real runs all of them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from support.detect.real import ENVIRONMENT, watch
from support.detect.scorer import raised

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


def kinds(name: str, seconds: float) -> tuple[set[str], set[str]]:
    """Return (what is true, what was said live), without what a busy machine may add."""
    seen = watch(name, seconds)
    truths = {truth.kind for truth in seen.trace.truths}
    said = {edge.kind for edge in raised(seen.edges)}
    return truths, said - (ENVIRONMENT - truths)


def test_a_leak_is_said_and_names_its_line() -> None:
    seen = watch("leak", 16)
    alerts = [alert for alert in seen.alerts if alert.kind == "mem_growth"]
    assert len({alert.t_onset_ns for alert in alerts}) == 1, "one; told again with more evidence"
    assert "leak.py:" in alerts[0].evidence
    assert "held by __main__.kept list of bytearray" in alerts[-1].evidence
    assert alerts[-1].evidence.endswith("; cleared: the process has ended")
    truth = seen.trace.truths[0]
    assert raised(seen.edges)[-1].t_detect_s - truth.onset_s < 16
    assert raised(seen.edges)[-1].t_onset_s == pytest.approx(truth.onset_s, abs=3)


LEAK = """
import time
kept = []
time.sleep(4)  # a level to rise from: growth from the very start takes longer to be believed
end = time.monotonic() + 18
while time.monotonic() < end:
    kept.append(bytearray(b"x") * 400_000); time.sleep(0.05)
"""


def test_the_gate_of_a_run_fails_on_a_leak_and_says_why() -> None:
    words = ["run", "--headless", "--no-record", "--fail-on", "mem_growth", "-c"]
    leaks, healthy = (
        subprocess.run(
            [sys.executable, "-m", "perftui", *words, code], capture_output=True, text=True
        )
        for code in (LEAK, "import time; time.sleep(2)")
    )
    assert leaks.returncode == 1
    assert "--fail-on mem_growth: RSS +" in leaks.stderr
    assert "no plateau" in leaks.stderr
    assert healthy.returncode == 0


def test_keeping_every_batch_is_said() -> None:
    truths, said = kinds("collect", 16)
    assert said == truths == {"streaming_violation"}


@pytest.mark.parametrize("name", ["generator_pipeline", "cache_levels"])
def test_a_healthy_program_is_left_alone(name: str) -> None:
    assert kinds(name, 20) == (set(), set())


def test_a_slow_import_is_said_while_it_runs_and_cleared() -> None:
    seen = watch("slow_import", 1)
    alerts = [alert for alert in seen.alerts if alert.kind == "slow_import"]
    assert "still running" in alerts[0].message
    assert "heavy" in alerts[0].message
    assert alerts[-1].t_clear_ns is not None
    assert {alert.t_onset_ns for alert in alerts} == {alerts[0].t_onset_ns}


@pytest.mark.skipif(importlib.util.find_spec("duckdb") is None, reason="duckdb is not installed")
def test_a_cold_first_query_is_said() -> None:
    truths, said = kinds("cold_duckdb", 3)
    assert said == truths == {"cold_start"}


def test_a_lock_is_told_from_a_disk() -> None:
    truths, said = kinds("lock_wait", 10)
    assert said == truths == {"lock_wait"}
