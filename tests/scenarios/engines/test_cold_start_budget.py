"""What a cold start may cost, and the warm-up that makes it cheaper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.scenarios.scenario_runs import need, run

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.engines.budget import Budget, checked, parse_budget

if TYPE_CHECKING:
    from pathlib import Path


def test_budgets_as_they_are_written() -> None:
    assert parse_budget("import=50ms, cold=1.5 s,ratio=10") == Budget(0.05, 1.5, 10.0)
    assert parse_budget("ratio=2.5") == Budget(ratio=2.5)
    assert parse_budget("") == Budget()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("imports=50ms", r"no 'imports' \(did you mean import\?\); a budget has import, cold"),
        ("import=50", "import is a time like 50ms or 1.5s, not '50'"),
        ("cold=0ms", "cold is a time"),
        ("ratio=none", "ratio is a number above 0"),
        ("ratio=-1", "ratio is a number above 0"),
        ("ratio=nan", "ratio is a number above 0"),
        ("50ms", "there is no '50ms'"),
    ],
)
def test_budgets_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse_budget(text)


def test_each_bound_is_checked_by_itself() -> None:
    checks = checked(Budget(0.05, 0.1, None), import_s=0.031, cold_s=0.1, ratio=56)
    assert [(check.name, check.passed) for check in checks] == [("import", True), ("cold", False)]
    assert list(map(str, checks)) == ["import 31.0 ms < 50.0 ms", "cold 100 ms >= 100 ms"]
    assert checked(Budget(), 1, 1, 1) == []


def test_over_the_budget_is_an_exit_code_if_asked_for(tmp_path: Path) -> None:
    words = ["cold-start", "engines=stdlib", "repeats=1", "queries=3"]
    done = run(tmp_path, *words, "budget=import=1ms,cold=1000s", "strict=true", fails=1)
    assert "budget FAIL  stdlib: import" in done.stdout
    assert done.stderr == ""
    done = run(tmp_path, *words, "budget=import=1000s,ratio=1000000")
    assert "budget pass  stdlib: import" in done.stdout


@pytest.mark.live
def test_what_a_warm_up_saves_is_said(tmp_path: Path) -> None:
    need("duckdb", "pyarrow")
    words = ["engines=duckdb", "repeats=1", "rows=2000", "queries=5"]
    done = run(tmp_path, "cold-start", *words, "warmup=both")
    assert "duckdb, warmed up" in done.stdout
    assert "duckdb: a warm-up of " in done.stdout
    assert "warmed up" not in run(tmp_path, "cold-start", *words).stdout


@pytest.mark.live
@pytest.mark.parametrize(
    "engine",
    ["polars", "datafusion", "opteryx", "pandas", "pyarrow", "lance", "lancedb"],
)
def test_every_engine_can_be_warmed_up(tmp_path: Path, engine: str) -> None:
    need(engine, "pyarrow", *(["lance"] if engine == "lancedb" else []))
    words = [f"engines={engine}", "repeats=1", "rows=2000", "queries=4", "warmup=both"]
    assert f"{engine}: a warm-up of " in run(tmp_path, "cold-start", *words).stdout
