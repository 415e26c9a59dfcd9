"""The page of the five workloads: written from figures, and never by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "benchmarks" / "workloads.py"
sys.path.insert(0, str(PROGRAM.parent))

from workload_report.markdown import bars, named, percent, spread, table, times  # noqa: E402

PAGE = ROOT / "docs" / "workloads.md"


def workloads(*words: str, fails: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *words], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == fails, done.stderr
    assert "Traceback" not in done.stderr
    return done


def figures(**sections: Any) -> dict[str, Any]:
    from workload_report.machine import machine, versions

    return {"schema": 1, "machine": machine(), "versions": versions(), "sections": sections}


def cold_start(engine: str, import_s: float, first_s: float, *, warmed: bool) -> dict[str, Any]:
    return {
        "table": "cold start",
        "engine": engine,
        "warmed": warmed,
        "import_s": import_s,
        "import_modules": 90,
        "connect_s": 0.001,
        "warm_up_s": 0.2 if warmed else None,
        "first_s": 0.004 if warmed else first_s,
        "first_modules": 700,
        "second_s": 0.003,
        "warm_s": 0.002,
    }


def measured(rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "commands": ["perftui run cold-start"],
        "figures": rows,
        "sweeps": [],
        "failed": [],
        "runs": 1,
        "contended": 0,
        "date": "2026-11-25 12:00 UTC",
        "took_s": 12.3,
        "load_average": [0.1, 0.2, 0.3],
        "cores": 2,
        "quick": False,
        "budget": "import=50ms,cold=100ms,ratio=10",
        **more,
    }


ROWS = [
    cold_start("fast", 0.03, 0.01, warmed=False),
    cold_start("fast", 0.03, 0.01, warmed=True),
    cold_start("slow", 0.4, 0.15, warmed=False),
    cold_start("slow", 0.4, 0.15, warmed=True),
]


def test_tables_are_aligned_in_the_source() -> None:
    assert table(("name", "n"), [("a|b", "1"), ("c", "23")]).splitlines() == [
        "| name |   n |",
        "| ---- | --: |",
        "| a\\|b |   1 |",
        "| c    |  23 |",
    ]


def test_bars_are_in_proportion() -> None:
    lines = bars({"a": 4.0, "bcd": 1.0, "e": 0.0}, str).splitlines()
    assert lines == [f"    a    {'█' * 48} 4.0", f"    bcd  {'█' * 12} 1.0", "    e    ▏ 0.0"]


def test_figures_as_the_page_writes_them() -> None:
    assert [times(value) for value in (1234.4, 12.3, 5.64, 0.78, 0.0004)] == [
        *("1,234x", "12x", "5.6x", "0.78x", "1/2,500")
    ]
    assert [percent(value) for value in (0, 0.004, 0.0995, 1)] == ["0%", "0.4%", "10%", "100%"]
    assert spread([1.0, 2.0, 3.0]) == 1.0
    assert [named(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        *("", "a", "a and b", "a, b and c")
    ]


def test_the_page_says_what_the_figures_say(tmp_path: Path) -> None:
    file = tmp_path / "page.json"
    file.write_text(json.dumps(figures(**{"2": measured(ROWS)})))
    done = workloads("--render", "-o", str(tmp_path / "page.md"))
    assert "sections 2" in done.stdout
    page = (tmp_path / "page.md").read_text()
    assert "slow has the longest import (400 ms)" in page
    assert "worst in slow (75x), which imports 700 modules inside it" in page
    assert "Of 2 engines, only fast keeps to the budget" in page
    assert "a warm-up helps slow most: it takes 146 ms off the first query" in page
    assert "| slow   |      400 ms FAIL |   151 ms FAIL |        75x FAIL |   FAIL |" in page
    assert "Not measured: `python benchmarks/workloads.py --only 1`." in page
    assert "busy" not in page
    assert "    perftui run cold-start\n" in page


def test_what_makes_figures_doubtful_is_said(tmp_path: Path) -> None:
    data = measured(
        ROWS,
        load_average=[3.0, 1.0, 1.0],
        contended=1,
        quick=True,
        failed=[{"command": "perftui run x", "why": "no server is installed"}],
    )
    (tmp_path / "page.json").write_text(json.dumps(figures(**{"2": data})))
    workloads("--render", "-o", str(tmp_path / "page.md"))
    page = (tmp_path / "page.md").read_text()
    for part in (
        "The machine was busy",
        "sizes too small for conclusions",
        "In 1 of the runs perftui found that the program waited for a core.",
        "- `perftui run x`: no server is installed",
    ):
        assert part in page


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    page, file = tmp_path / "page.md", tmp_path / "page.json"
    words = ("-o", str(page))

    def says(*more: str) -> str:
        done = workloads(*words, *more, fails=2)
        assert done.stderr.count("\n") == 1
        return done.stderr

    assert "there are no figures in" in says("--render")
    file.write_text("{")
    assert "cannot read" in says("--render")
    file.write_text("[]")
    assert "is no file of this program" in says("--render")
    other = figures(**{"2": measured(ROWS)})
    other["versions"]["duckdb"] = "0.1"
    file.write_text(json.dumps(other))
    assert "was measured with duckdb 0.1, and here it is" in says("--only", "1", "--quick")
    assert not page.exists()
    (tmp_path / "plain").write_text("")
    file.write_text(json.dumps(figures(**{"2": measured(ROWS)})))
    words = ("--json", str(file), "-o", str(tmp_path / "plain" / "page.md"))
    assert "cannot write" in says("--render")


@pytest.mark.live
def test_sections_are_measured_one_by_one(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    words = ("--quick", "-o", str(tmp_path / "page.md"))
    workloads(*words, "--only", "2")
    kept = json.loads((tmp_path / "page.json").read_text())
    assert list(kept["sections"]) == ["2"]
    rows = kept["sections"]["2"]["figures"]
    assert len(rows) == 2 * 2 * 2, "engines, repeats, with a warm-up and without"
    assert all(row["tree_peak_bytes"] > 20e6 for row in rows)
    workloads(*words, "--only", "1")
    both = json.loads((tmp_path / "page.json").read_text())
    assert both["sections"]["2"] == kept["sections"]["2"], "what is there stays"
    page = (tmp_path / "page.md").read_text()
    assert "perftui run persistent-worker -p engine=duckdb" in page
    assert "as long as a warm call to a worker that stays" in page
    workloads("--render", "-o", str(tmp_path / "page.md"))
    assert (tmp_path / "page.md").read_text() == page


def test_the_page_in_docs_is_what_its_figures_give(tmp_path: Path) -> None:
    kept = PAGE.with_suffix(".json")
    assert kept.is_file(), "docs/workloads.json is measured by benchmarks/workloads.py"
    workloads("--render", "--json", str(kept), "-o", str(tmp_path / "page.md"))
    assert (tmp_path / "page.md").read_text() == PAGE.read_text(), "edited by hand?"
