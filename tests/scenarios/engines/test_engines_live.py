"""Scenarios about engines and workers, run for real with small sizes."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.scenarios.scenario_runs import argv, environment, need, number, run, table
from support.waiting import PATIENCE_S, has_ended, wait_for

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ("repeats=1", "queries=4", "rows=2000")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize(
    ("engine", "modules"),
    [
        ("stdlib", ()),
        ("duckdb", ("duckdb", "pyarrow")),
        ("polars", ("polars", "pyarrow")),
        ("datafusion", ("datafusion", "pyarrow")),
        ("pandas", ("pandas", "pyarrow")),
        ("pyarrow", ("pyarrow",)),
        ("lance", ("lance", "pyarrow")),
        ("lancedb", ("lancedb", "lance", "pyarrow")),
        ("opteryx", ("opteryx",)),
    ],
)
@pytest.mark.live
def test_cold_start(cache: Path, engine: str, modules: tuple[str, ...]) -> None:
    need(*modules)
    done = run(cache, "cold-start", f"engines={engine}", *SMALL)
    cells = table(done.stdout)[engine]
    assert number(cells[1]) > 0.001, "importing takes milliseconds"
    assert int(cells[2]) > 10, "modules imported"
    if engine == "opteryx":
        assert "cost moved out of the import" in done.stdout


def test_cold_start_refuses_what_it_does_not_know(cache: Path) -> None:
    done = run(cache, "cold-start", "engines=duckbd", fails=2)
    assert "there is no engine 'duckbd' (did you mean duckdb?)" in done.stderr
    run(cache, "cold-start", "engines=,", fails=2)


def test_a_worker_that_stays_is_faster_than_a_process_per_call(cache: Path) -> None:
    done = run(cache, "persistent-worker", "calls=200", "processes=2")
    cells = table(done.stdout)
    first, warm, fresh = (
        number(cells[name][0])
        for name in ("first call", "warm call (median)", "process per call (median)")
    )
    # Ten times and more on a machine that has a core for each of the two.
    assert first > 2 * warm
    assert fresh > 2 * warm
    assert int(cells["first call"][3]) > 50
    assert int(cells["warm call (median)"][3]) == 0
    waited, worked, transport = (number(cell) for cell in cells["first call"][:3])
    assert waited == pytest.approx(worked + transport, rel=0.02)


def test_a_worker_that_dies_is_one_line(cache: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from perftui.scenarios.workers.host import Worker\n"
        "from perftui.scenarios.define.parameters import ScenarioError\n"
        "with Worker() as worker:\n"
        "    os.kill(worker.pid, signal.SIGKILL)\n"
        "    try:\n"
        "        worker.ask('ping')\n"
        "    except ScenarioError as error:\n"
        "        print(error)\n"
        "with Worker() as worker:\n"
        "    try:\n"
        "        worker.ask('query')\n"
        "    except ScenarioError as error:\n"
        "        print(error)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    done = subprocess.run(
        [argv()[0], str(script)], capture_output=True, text=True, timeout=60, check=True
    )
    first, second = done.stdout.splitlines()
    assert first == "the worker process ended with exit code -9: see its messages"
    assert second.startswith("the worker could not query : ValueError")


def test_a_worker_that_is_interrupted_while_it_starts_says_nothing(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, time\n"
        "from perftui.scenarios.workers.host import Worker\n"
        "Worker._read = lambda worker: None\n"
        "for delay_s in (0.01, 0.02, 0.03, 0.05):\n"
        "    worker = Worker()\n"
        "    time.sleep(delay_s)\n"
        "    os.kill(worker.pid, signal.SIGINT)\n"
        "    print(worker._process.wait())\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    done = subprocess.run([argv()[0], str(script)], capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["-2"] * 4, "")


@pytest.mark.live
@pytest.mark.parametrize("pair", ["duckdb", "pyarrow", "polars", "datafusion"])
def test_false_streaming(cache: Path, pair: str) -> None:
    need(pair, "pyarrow")
    done = run(cache, "false-streaming", f"pair={pair}", "size=200MB")
    assert "it iterates, but it does not stream" in done.stdout, done.stdout
    rows = [cells[0] for name, cells in table(done.stdout).items() if name != "code"]
    assert len(set(rows)) == 1, "both halves read the same rows"


@pytest.mark.parametrize("engine", ["stdlib", "pandas", "pyarrow"])
def test_csv_chunks(cache: Path, engine: str) -> None:
    need(*(() if engine == "stdlib" else (engine,)))
    done = run(cache, "csv-chunks", f"engine={engine}", "size=20MB", "chunk=20000")
    cells = table(done.stdout)
    assert cells["chunks"][0] == cells["whole"][0]
    assert cells["chunks"][4] == cells["whole"][4], "both must give the same sum"
    if engine != "pyarrow":  # it reads ahead more than this file is large
        assert number(cells["whole"][3]) > 2 * number(cells["chunks"][3])


@pytest.mark.live
def test_freed_not_returned(cache: Path) -> None:
    need("pyarrow")
    done = run(cache, "freed-not-returned", "size=100MB", "settle=0.2", "pool=mimalloc")
    cells = table(done.stdout)
    assert number(cells["pass 1: after del"][1]) == 0, "the pool's counter falls at once"
    assert number(cells["pass 1: after del"][0]) > 0.9 * number(cells["pass 1: held"][0])
    assert number(cells["after release_unused"][0]) < 0.7 * number(cells["pass 1: held"][0])
    assert "no leak" in done.stdout


def test_the_leak_grows_and_the_bounded_cache_does_not(cache: Path) -> None:
    for kind in ("unbounded", "bounded"):
        words = (f"cache={kind}", "seconds=0.7", "steady=0", "rate=20000", "bound=1000")
        said = run(cache, "leak", *words).stdout
        found = re.search(r": (.+) requests, (.+) entries remembered, RSS \+(.+?),", said)
        assert found, said
        served, kept, grown = map(number, found.groups())
        # How many it serves is up to the machine.
        assert kept == (served if kind == "unbounded" else min(served, 1000))
        assert grown > 1_000 * served if kind == "unbounded" else grown < 10e6


def test_a_leak_larger_than_memory_is_refused(cache: Path) -> None:
    done = run(cache, "leak", "seconds=86400", "rate=100k", fails=2)
    assert "the leak would take about 25.9 TB of memory" in done.stderr


def test_lock_wait(cache: Path) -> None:
    done = run(cache, "lock-wait", "seconds=0.5", "threads=4")
    cells = table(done.stdout)
    assert number(cells["locked"][3]) > 50
    assert number(cells["free"][3]) < 20


def test_io_wait(cache: Path) -> None:
    done = run(cache, "io-wait", "seconds=0.2", "size=8MB")
    cells = table(done.stdout)
    assert number(cells["write, fsync each"][0]) < number(cells["write, fsync per 1000"][0])
    assert number(cells["read, cold"][0]) < number(cells["read, warm"][0])


@pytest.mark.live
@pytest.mark.parametrize("engine", ["duckdb", "datafusion", "lance", "polars"])
def test_plan_check(cache: Path, engine: str) -> None:
    need(engine, "pyarrow")
    done = run(cache, "plan-check", f"engine={engine}", "rows=100k", "queries=3", "plans=false")
    cells = table(done.stdout)
    assert cells["pushed"][1] in ("in the scan", "prunes only")
    assert cells["in the program"][:2] == ["6 of 6", "none"]
    assert int(cells["pushed"][0].split()[0]) < 4
    assert cells["pushed"][5] == cells["in the program"][5], "the same rows either way"
    assert number(cells["in the program"][6]) > 1000 * number(cells["pushed"][6])
    if engine != "polars":
        assert cells["in the program"][2] == "100 k", "rows that left the scan"


def test_an_interrupted_worker_scenario_leaves_no_process(cache: Path) -> None:
    child = subprocess.Popen(
        argv("persistent-worker", "calls=10M"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(cache),
    )
    try:
        worker = _child_of(child.pid)
        child.terminate()
        child.communicate(timeout=PATIENCE_S)
        assert child.returncode == -signal.SIGTERM
        wait_for(lambda: has_ended(worker), f"process {worker} is still there")
    finally:
        child.kill()
        child.wait()


def _child_of(pid: int) -> int:
    import psutil

    wait_for(lambda: psutil.Process(pid).children(), "no worker was started")
    return int(psutil.Process(pid).children()[0].pid)
