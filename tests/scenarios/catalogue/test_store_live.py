"""The scenarios of a LanceDB application, run for real with small sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.scenarios.scenario_runs import need, number, run, table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.live
def test_store_queries_give_the_same_answers_either_way(cache: Path) -> None:
    need("lancedb", "pyarrow", "lance", "duckdb", "pandas")
    done = run(cache, "store-queries", "rows=6000", "dim=16", "queries=5")
    cells = table(done.stdout)
    for name, row in cells.items():
        if name != "question" and "IVF_PQ" not in name:
            assert row[-1] == "yes", (name, row)
    rough, refined = (
        float(cells[name][-1])
        for name in ("vector search, IVF_PQ", "vector search, IVF_PQ refined")
    )
    assert 0.2 < rough <= refined <= 1
    assert number(cells["vector search, own cache hit"][4]) > 50
    assert done.stderr == "", "Lance must be silent"


@pytest.mark.live
@pytest.mark.parametrize(
    "words",
    [
        ("store=lancedb", "request=key"),
        ("store=lancedb", "request=list", "mode=async"),
        ("store=lancedb", "request=search"),
        ("store=lancedb", "request=search", "mode=async"),
        ("store=sqlite", "request=key"),
        ("store=sqlite", "request=list"),
    ],
)
def test_users(cache: Path, words: tuple[str, ...]) -> None:
    if "store=lancedb" in words:
        need("lancedb", "pyarrow")
    done = run(cache, "users", *words, "levels=1,4", "seconds=0.4", "rows=2000")
    cells = table(done.stdout)
    assert set(cells) == {"users", "1", "4"}
    for level in ("1", "4"):
        assert cells[level][6] == "100.0%"
        p50, p95, p99, most = (number(cell) for cell in cells[level][2:6])
        assert p50 <= p95 <= p99 <= most
    assert "throughput" in done.stdout


def test_users_refuses_what_makes_no_sense(cache: Path) -> None:
    assert (
        "sqlite has no async API"
        in run(cache, "users", "store=sqlite", "mode=async", fails=2).stderr
    )
    assert "levels is whole numbers" in run(cache, "users", "levels=0", fails=2).stderr
    assert "1000 users are the most" in run(cache, "users", "levels=2000", fails=2).stderr
