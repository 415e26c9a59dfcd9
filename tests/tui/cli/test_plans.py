"""Plans on their way: from the program that told them to summary, recording and SQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
import duckdb, perftui
con = duckdb.connect()
con.execute("COPY (SELECT range AS id, range % 9 AS kind, 'x' AS note FROM range(100000)) "
            f"TO '{__file__}.parquet' (FORMAT parquet)")
sql = f"SELECT id FROM '{__file__}.parquet' WHERE kind = 3"
perftui.plan("mine", con.execute("EXPLAIN " + sql).fetchall()[0][1])
for _ in range(3):
    with perftui.call("mine"):
        con.execute(sql).fetchall()
"""


def perftui(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "perftui", *words],
        capture_output=True,
        text=True,
        timeout=110,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done


def recorded(tmp_path: Path, *words: str) -> dict[str, Any]:
    """Run and return the summary; the recording must say the same."""
    where = tmp_path / "run.perftui"
    cache = str(tmp_path / "cache")
    done = perftui("run", "--json", "-", "--record", str(where), *words, PERFTUI_CACHE=cache)
    told: dict[str, Any] = json.loads(done.stdout)
    again = summarize(open_recording(where))
    assert again["plans"] == json.loads(json.dumps(told["plans"]))
    return told


@pytest.mark.live
@pytest.mark.core
def test_a_program_of_ones_own(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(OWN)
    told = recorded(tmp_path, str(script))
    (plan,) = told["plans"]
    assert plan["name"] == "mine"
    assert plan["filter"] == "in the scan", "read from DuckDB's own words"
    assert plan["columns_read"] == 1
    assert "kind" in plan["text"] and "╭" in plan["text"]
    assert told["calls"]["mine"]["n"] == 3
    text = perftui("summary", str(tmp_path / "run.perftui"))
    assert "filter in the scan, reads 1 column" in text.stdout + text.stderr
    sql = "SELECT name, filter, columns_read FROM plans"
    done = perftui("query", str(tmp_path / "run.perftui"), sql, "--format", "csv")
    assert done.stdout.splitlines()[1] == "mine,in the scan,1"


@pytest.mark.live
@pytest.mark.parametrize("engine", ["duckdb", "datafusion", "lance", "polars"])
def test_plan_check(tmp_path: Path, engine: str) -> None:
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    words = ("-p", f"engine={engine}", "-p", "rows=200k", "-p", "queries=3")
    told = recorded(tmp_path, "plan-check", *words)
    plans = {plan["name"]: plan for plan in told["plans"]}
    assert {"pushed", "every column", "computed filter", "in the program"} <= set(plans)
    assert len(plans) == len(told["plans"]), "each once, though told twice"
    assert set(plans) <= set(told["calls"]), "the time of each is known"
    assert plans["pushed"]["filter"] in ("in the scan", "prunes only")
    assert plans["in the program"]["filter"] == "none"
    assert plans["pushed"]["columns_read"] <= plans["pushed"]["columns_needed"]
    assert plans["every column"]["columns_read"] > plans["every column"]["columns_needed"]
    if engine != "polars":
        assert plans["in the program"]["rows_read"] == 200_000
    assert all(len(plan["text"]) > 20 for plan in plans.values())
