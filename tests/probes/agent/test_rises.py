"""Which of the functions that are called very often stay measured; in one program of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support.pythons import interpreters

AGENT = Path(__file__).resolve().parents[3] / "probes" / "agent"
PROGRAM = r"""
import importlib.util, json, os, resource, sys, threading, time, types

def load(name):
    full = "_perftui_agent_growth_" + name
    spec = importlib.util.spec_from_file_location(full, sys.argv[1] + "/growth/%s.py" % name)
    sys.modules[full] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]

rises = [load(name) for name in ("kinds", "pace", "found", "census", "keepers", "rises")][-1]
rises.SHARE = 0.2  # the same happens, sooner
kept = []
over = False

def keep(n):
    kept.append(bytearray(b"x") * 1000)

def work():
    while not over:
        keep(0)
        sum(range(100))

def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

suspects = {(__file__, name) for name in ("keep", "work")}
measured = rises.Rises(types.SimpleNamespace(rss=rss, report=print), resource, suspects)
worker = threading.Thread(target=work)
worker.start()
missing = measured.begin()
give_up = time.monotonic() + 60
def known():
    calls = {each.code.co_name: each.calls for each in measured.suspects if not each.dropped}
    return calls.get("keep", 1001) > 1000 and measured.windows > 1
while not missing and not known() and time.monotonic() < give_up:
    time.sleep(0.02)
    measured.turn()
measured.end()
over = True
worker.join()
measured.settle()
print(json.dumps({
    "missing": missing,
    "windows": measured.windows,
    "rose": measured.rose_bytes - measured.rest_rss,
    "rows": {each.code.co_name: [each.dropped, each.calls, each.rss_bytes, each.faults]
             for each in measured.suspects},
}))
"""


def test_one_that_takes_memory_is_measured_however_often_it_is_called(tmp_path: Path) -> None:
    newest = interpreters(free_threaded=False)[-1]
    if newest.minor < 12:
        pytest.skip("no Python with sys.monitoring")
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    argv = [newest.executable, str(script), str(AGENT)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert not done.stderr, done.stderr
    told = json.loads(done.stdout)
    rows = told["rows"]
    assert (told["missing"], told["windows"] > 1) == ("", True)
    assert not rows["keep"][0], "its memory would count in `work`"
    # On a full machine windows begin and end at odd moments: what is not in one is in the other.
    faults = sum(row[3] for row in rows.values())
    assert rows["keep"][3] > 0.2 * faults > 0
    assert sum(row[2] for row in rows.values()) == told["rose"]
