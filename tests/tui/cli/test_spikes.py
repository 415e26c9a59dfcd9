"""A real program with a jump: what the run says of it, and that its recording says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

PROGRAM = """
import time, duckdb, perftui
connection = duckdb.connect()
def rest(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
def collect():
    with perftui.call("query"):
        return connection.sql(
            "select range a, range * 2 b, 'text ' || range c from range(1500000)"
        ).fetchall()
with perftui.phase("quiet"):
    rest(3)
with perftui.phase("collect"):
    rows = collect()
rest(2)
"""


def perftui(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perftui", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL
    )


def same(row: dict[str, Any]) -> tuple[object, ...]:
    """Return what a recording must say exactly as the live run did; shares within 2 %."""
    ran = [(code["function"], code["line"], round(code["share"] * 25)) for code in row["ran"]]
    names = ("kind", "t0_s", "t1_s", "rss_before_bytes", "rss_after_bytes", "phase", "call")
    return (*(row[name] for name in names), ran)


def test_a_collect_explains_itself_live_and_from_its_recording(tmp_path: Path) -> None:
    script, summary = tmp_path / "job.py", tmp_path / "summary.json"
    script.write_text(PROGRAM)
    shelf = tmp_path / "job.perftui"
    done = perftui("run", "--headless", "--json", str(summary), "--record", str(shelf), str(script))
    assert done.returncode == 0, done.stderr
    spikes = json.loads(summary.read_text())["spikes"]
    jump = max(spikes, key=lambda row: row["rss_after_bytes"] - row["rss_before_bytes"])
    assert jump["rss_after_bytes"] - jump["rss_before_bytes"] > 100e6
    assert jump["kind"] == "rss"
    assert (jump["phase"], jump["call"], jump["first_call"]) == ("collect", "query", True)
    ran = [row["function"] for row in jump["ran"]]
    assert ran[0] == "collect", "it ran then, and rest did not run then only"
    assert "rest" not in ran
    assert jump["compared_with_s"] >= 1
    told = perftui("summary", str(shelf), "--json")
    recorded = json.loads(told.stdout)["spikes"]
    assert [same(row) for row in recorded] == [same(row) for row in spikes]
    text = perftui("summary", str(shelf)).stdout
    assert "spikes\n" in text
    assert "phase collect, first call of query" in text
    assert "ran then and not before: collect job.py:" in text
