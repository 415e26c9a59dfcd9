"""Every scenario of the catalogue, run for real in a child process, with small sizes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def run(cache: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "perftui.scenarios.run.child", *words],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "PERFTUI_CACHE": str(cache)},
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_import_cost_of_any_module(cache: Path) -> None:
    done = run(cache, "import-cost", "package=wsgiref.simple_server", "repeats=2")
    assert re.search(r"import wsgiref.simple_server: [\d.]+ (ms|s), \d{2,} modules", done.stdout)
    assert "(medians, n=2)" in done.stdout
    assert done.stderr == ""


def test_duckdb_query(cache: Path) -> None:
    pytest.importorskip("duckdb")
    done = run(cache, "duckdb-query", "rows=100_000", "queries=5")
    assert "100 k rows" in done.stdout
    assert "256 groups" in done.stdout
    assert re.search(r"first/warm [\d.]+", done.stdout)


@pytest.mark.live
@pytest.mark.parametrize("engine", ["duckdb", "pyarrow", "polars", "datafusion", "lance", "pandas"])
def test_collecting_grows_and_streaming_does_not(cache: Path, engine: str) -> None:
    pytest.importorskip(engine)
    words = [f"engine={engine}", "size=50MB", "passes=4"]
    figures = {}
    for mode in ("collect", "stream"):
        done = run(cache, "stream-vs-collect", f"mode={mode}", *words)
        found = re.search(r"\(\+([\d.]+) (kB|MB)\), sum of gross (\S+)", done.stdout)
        assert found, done.stdout
        figures[mode] = float(found[1]) * (1 if found[2] == "MB" else 1e-3), found[3]
    assert figures["collect"][1] == figures["stream"][1], "both must give the same answer"
    assert figures["collect"][0] > 120
    assert figures["stream"][0] < figures["collect"][0] / 1.5


def test_collecting_more_than_the_memory_is_refused(cache: Path) -> None:
    pytest.importorskip("duckdb")
    done = subprocess.run(
        [sys.executable, "-m", "perftui.scenarios.run.child", "stream-vs-collect", "passes=1000"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PERFTUI_CACHE": str(cache)},
    )
    assert done.returncode == 2
    assert "collecting would take about 444 GB of memory" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.live
def test_lancedb_query(cache: Path) -> None:
    pytest.importorskip("lancedb")
    done = run(cache, "lancedb-query", "rows=6000", "dim=16", "queries=6")
    for line in ("ingest 6.00 k rows", "filter, BTree: first", "IVF_PQ index on vector: built"):
        assert line in done.stdout
    recall = re.search(r"recall@10 ([\d.]+)", done.stdout)
    assert recall, done.stdout
    assert float(recall[1]) > 0.5
    assert done.stderr == "", "Lance must be silent"
    assert list((cache / "scratch").iterdir()) == []


@pytest.mark.live
def test_a_terminated_scenario_removes_what_it_made(cache: Path) -> None:
    pytest.importorskip("lancedb")
    child = subprocess.Popen(
        [sys.executable, "-m", "perftui.scenarios.run.child", "lancedb-query"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PERFTUI_CACHE": str(cache)},
    )
    scratch = cache / "scratch"
    end = time.monotonic() + 60
    while not (scratch.is_dir() and list(scratch.glob("lancedb-*/db/records.lance/data/*"))):
        assert child.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    child.terminate()
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGTERM
    assert list(scratch.iterdir()) == []


def test_generated_data_are_the_same_every_time(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    code = (
        "import hashlib; from perftui.scenarios.data.orders import orders\n"
        "print([hashlib.sha256(f.read_bytes()).hexdigest() for f in orders(20_000)])"
    )
    seen = set()
    for name in ("one", "two"):
        env = {**os.environ, "PERFTUI_CACHE": str(tmp_path / name)}
        argv = [sys.executable, "-c", code]
        seen.add(subprocess.run(argv, capture_output=True, text=True, env=env, check=True).stdout)
    assert len(seen) == 1
    assert len(seen.pop()) > 8 * 64
