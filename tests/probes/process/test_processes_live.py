"""What each process of a tree costs: a real one, whose figures are known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

CHILD = """
import sys, time
block = bytearray(int(sys.argv[1]) * 1_000_000)
for at in range(0, len(block), 4096): block[at] = 1
end = time.process_time() + float(sys.argv[2])
while time.process_time() < end: sum(range(500))
with open(f"used-{sys.argv[1]}", "w") as file: file.write(str(time.process_time()))
time.sleep(0.3)
"""
PARENT = """
import subprocess, sys
child = sys.argv[1]
for mb, cpu_s in (("80", "0.2"), ("20", "0.9")):
    subprocess.run([sys.executable, child, mb, cpu_s], check=True)
"""
TITLED = """
import sys, time
time.sleep(0.4)
import os
os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(4)", "a new title"])
"""


def run(tmp_path: Path, *words: str) -> dict[str, Any]:
    where = tmp_path / "run.perftui"
    command = [sys.executable, "-m", "perftui", "run", "--json", "-", "--record", str(where)]
    done = subprocess.run(
        [*command, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    recorded = summarize(open_recording(where))
    assert json.loads(json.dumps(recorded["processes"])) == told["processes"]
    return told


@pytest.mark.live
@pytest.mark.core
def test_memory_and_cpu_of_each(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "parent.py").write_text(PARENT)
    told = run(tmp_path, str(tmp_path / "parent.py"), str(tmp_path / "child.py"))
    parent, large, busy = told["processes"]
    assert (large["argv"][-2:], busy["argv"][-2:]) == (["80", "0.2"], ["20", "0.9"])
    assert large["ppid"] == busy["ppid"] == parent["pid"]
    assert large["peak_rss_bytes"] - busy["peak_rss_bytes"] == pytest.approx(60e6, rel=0.1)
    for process, mb in ((large, 80), (busy, 20)):
        # Its own word, but for its end, and for what was used after the last reading.
        used_s = float((tmp_path / f"used-{mb}").read_text())
        assert 0.6 * used_s < process["cpu_s"] < used_s + 0.1
    assert busy["cpu_s"] - large["cpu_s"] > 0.2
    assert parent["peak_rss_bytes"] < 60e6
    assert large["end_s"] < (busy["start_s"] + busy["end_s"]) / 2, "one after the other"
    assert large["rss_bytes"] is None, "it has ended"


@pytest.mark.live
def test_a_new_command_line_is_told(tmp_path: Path) -> None:
    (tmp_path / "titled.py").write_text(TITLED)
    told = run(tmp_path, str(tmp_path / "titled.py"))
    (process,) = told["processes"]
    assert process["argv"][-1] == "a new title"
