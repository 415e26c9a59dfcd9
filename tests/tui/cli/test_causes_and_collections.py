"""A run in which a first call loads a lazy module and the collector works, told in every form."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the agent is for Linux")

PROGRAM = """
import gc, importlib.util, sys, time
import perftui
def lazy(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
slow = lazy("slow")
def convert():
    with perftui.call("convert"): return slow.value
with perftui.phase("use"):
    for _ in range(3): convert()
def collects():
    keep = [[n] for n in range(300_000)]
    paused = used = 0
    while paused < 1.3:
        began, began_cpu = time.monotonic(), time.thread_time()
        gc.collect()
        used += time.thread_time() - began_cpu
        paused += time.monotonic() - began
    print(used, paused)
gc.disable()
collects()
"""


def perftui(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perftui", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_it_is_told_in_every_form(tmp_path: Path) -> None:
    script, recording = tmp_path / "program.py", tmp_path / "r.perftui"
    script.write_text(PROGRAM)
    (tmp_path / "slow.py").write_text("import time; time.sleep(0.1); value = 7\n")
    done = perftui(
        "run", "--headless", "--json", str(tmp_path / "s.json"), "--record", str(recording),
        "--", sys.executable, str(script),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "s.json").read_text())
    [slow] = [row for row in told["imports"]["modules"] if row["module"] == "slow"]
    assert slow["lazy"] and slow["parent"] is None
    assert (slow["function"], slow["file"], slow["line"]) == ("convert", str(script), 12)
    assert (slow["phase"], slow["thread"]) == ("use", "MainThread")
    first = told["calls"]["convert"]
    [row] = first["first_imports"]
    assert row["module"] == "slow" and 0.1 <= row["s"] <= first["first_s"]
    # Behind a collection others may get the GIL, and then a CPU, before the program looks again.
    used_s, paused_s = map(float, done.stdout.split())
    assert 0.9 * used_s <= told["gc"]["pause_s"] <= 1.1 * paused_s
    [alert] = [alert for alert in told["alerts"] if alert["kind"] == "gc_pressure"]
    assert "collects program.py:" in alert["evidence"]

    again = json.loads(perftui("summary", str(recording), "--json").stdout)
    for part in ("imports", "calls", "gc", "alerts"):
        assert again[part] == told[part], part
    text = perftui("summary", str(recording)).stdout
    assert "lazily imported slow, program.py:12" in text
    assert "lazy, by convert program.py:12" in text
    assert "collections of cycles" in text
    sql = "SELECT sum(pause_ns) / 1e9 AS s, max(generation) AS g FROM gc_events"
    [of_sql] = json.loads(perftui("query", str(recording), sql, "--format", "json").stdout)
    assert of_sql["s"] == pytest.approx(told["gc"]["pause_s"], rel=0.01) and of_sql["g"] == 2
    trace = tmp_path / "t.json"
    done = perftui("export", str(recording), "--format", "chrome-trace", "-o", str(trace))
    assert done.returncode == 0, done.stderr
    events = json.loads(trace.read_text())["traceEvents"]
    collections = [event for event in events if event.get("cat") == "gc"]
    assert sum(event["dur"] for event in collections) / 1e6 == pytest.approx(
        told["gc"]["pause_s"], rel=0.2
    )
    counter = [event for event in events if event["name"] == "gc (% of the time)"]
    assert max(event["args"]["gc_percent"] for event in counter) > 30
