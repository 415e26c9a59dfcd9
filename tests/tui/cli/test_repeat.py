"""`--repeat` without a screen: one process, cold and then warm, live and from the recording."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
import perftui
SEEN = []
def work(fail_at: int = 0):
    SEEN.append(1)
    with perftui.phase("inside"):
        import decimal, csv
        end = __import__("time").process_time() + 0.2
        while __import__("time").process_time() < end: sum(range(300))
    perftui.count("rows", 5)
    print("run", len(SEEN))
    if len(SEEN) == fail_at: raise LookupError("no such thing")
"""


def perftui(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "perftui", "run", *words],
        capture_output=True,
        text=True,
        timeout=90,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.py").write_text(OWN)
    return f"{tmp_path}/own.py:work"


@pytest.mark.live
@pytest.mark.core
def test_a_function_of_ones_own(tmp_path: Path, own: str) -> None:
    where = str(tmp_path / "a.perftui")
    done = perftui(own, "--repeat", "4", "--json", "-", "--record", where)
    told: dict[str, Any] = json.loads(done.stdout)
    assert [(run["n"], run["cold"], run["ok"]) for run in told["runs"]] == [
        (1, True, True), (2, False, True), (3, False, True), (4, False, True),
    ]  # fmt: skip
    cold, *warm = told["runs"]
    for run in told["runs"]:
        parts = ("spawn_s", "held_s", "load_s", "worked_s", "transport_s")
        assert sum(run[part] or 0.0 for part in parts) == pytest.approx(run["waited_s"], rel=1e-6)
        assert run["worked_s"] > 0.19, "it burns 0.2 s of CPU"
    assert cold["spawn_s"] > 0.01 and cold["modules"] > 0 and cold["imported_s"] > 0
    assert [run["modules"] for run in warm] == [0, 0, 0], "what is imported stays imported"
    assert told["calls"]["run"]["n"] == 4
    names = [phase["name"] for phase in told["phases"]]
    assert names == ["cold run", "inside", "waiting", *["warm run", "inside", "waiting"] * 3]
    assert told["counters"]["rows"]["total"] == 20
    assert {a["kind"] for a in told["alerts"]} <= {"cpu_contention", "slow_import"}
    recorded = summarize(open_recording(where))
    assert json.loads(json.dumps(recorded["runs"])) == told["runs"]
    top = {row["function"]: row["self_pct"] for row in told["stacks"]["top"]}
    assert top["work"] > 50
    assert top.get("OrderLine.wait", 0) < 2, "if at all, it was met as it had its order"


@pytest.mark.live
def test_the_text_names_what_was_waited_for(own: str) -> None:
    done = perftui(own, "--repeat", "3", "--no-record")
    lines = done.stderr.splitlines()
    cold, warm, _ = lines[lines.index("runs") + 1 : lines.index("runs") + 4]
    assert cold.split()[:3] == ["1", "cold", "waited"]
    assert all(word in cold for word in ("spawn", "load", "worked", "import", "transport"))
    assert warm.split()[:3] == ["2", "warm", "waited"] and "spawn" not in warm
    assert done.stdout.split() == ["run", "1", "run", "2", "run", "3"]


@pytest.mark.live
def test_a_failure_ends_it(own: str) -> None:
    done = perftui(own, "-p", "fail_at=2", "--repeat", "4", "--json", "-", "--no-record", code=1)
    assert [run["ok"] for run in json.loads(done.stdout)["runs"]] == [True, False]
    assert "LookupError: no such thing" in done.stderr


@pytest.mark.live
def test_a_scenario_of_the_catalogue(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    words = ("duckdb-query", "-p", "rows=200k", "-p", "queries=3", "--repeat", "2")
    told = json.loads(perftui(*words, "--json", "-", "--no-record").stdout)
    cold, warm = told["runs"]
    assert cold["modules"] > 20 and warm["modules"] == 0
    assert cold["imported_s"] > 0.02


def test_programs_are_not_repeated(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_text("pass")
    for words in (("--repeat", "2", str(script)), ("--repeat", "2", "--", "python3")):
        done = perftui(*words, code=2)
        assert "--repeat is for scenarios" in done.stderr and done.stderr.count("\n") == 1
    for bad in ("0", "-1", "many", "1.5"):
        assert "is not a number of runs" in perftui("leak", "--repeat", bad, code=2).stderr
