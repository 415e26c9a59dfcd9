"""What CI reads: JUnit, a comment with a marker, annotations, exit codes. Of one made report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from perftui.probes.compare.facts import Figure
from perftui.scenarios.bench.answer import BenchAnswer, BenchRow
from perftui.scenarios.bench.bench import Bench, BenchPlan
from perftui.scenarios.bench.budget import Bound, BudgetLine
from perftui.scenarios.bench.subject import Subject
from perftui.tui.bench.annotations import as_annotations
from perftui.tui.bench.junit import as_junit
from perftui.tui.bench.markdown import as_markdown, marker
from perftui.tui.bench.report import BenchReport
from perftui.tui.bench.table import bench_text


def row(key: str, verdict: Any, *, label: str = "") -> BenchRow:
    figure = Figure(label or key, 1.0, "s", "lower")
    return BenchRow(key, figure, 0.1, (1.0, 1.0), (1.2, 1.3), None, None, verdict)


def report(
    *verdicts: Any, whole: Any = None, budget: tuple[BudgetLine, ...] = (), **more: Any
) -> BenchReport:
    keys = ("duration", "cpu", "imports", "first_call")
    rows = tuple(row(key, word) for key, word in zip(keys, verdicts, strict=False))
    bench = Bench(BenchPlan(Subject("load <x> | --y", ("python",))), told_base="base_1.json")
    bench.warnings.append("installed packages differ: a 1 → 2")
    return BenchReport(bench, BenchAnswer(rows, whole, (), True, 0.001), budget, **more)


FAILED = BudgetLine(Bound("import", 0.05), 0.07, "FAIL", True)
UNKNOWN = BudgetLine(Bound("first", 0.05), None, "unknown", False)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (report("ok", whole="ok"), 0),
        (report("suspect", whole="suspect"), 0),
        (report("suspect", whole="suspect", strict=True), 1),
        (report("regressed", whole="regressed"), 1),
        (report("inconclusive", whole="inconclusive"), 3),
        (report("ok", whole="ok", budget=(FAILED,)), 1),
        (report(None, budget=(UNKNOWN,)), 3),
        (report("ok", whole="ok", drift=("slower by and by",)), 1),
        (report("regressed", whole="regressed", calibrated=True), 0),
    ],
)
def test_exit_codes(made: BenchReport, code: int) -> None:
    assert made.exit_code == code


def test_junit_has_a_case_for_each_judged_figure_and_bound() -> None:
    made = report("regressed", "ok", "inconclusive", whole="regressed", budget=(FAILED, UNKNOWN))
    suite = ET.fromstring(as_junit(made).split("\n", 1)[1])[0]
    assert suite.attrib == {
        "name": "load <x> | --y", "tests": "5", "failures": "2", "errors": "0", "skipped": "2",
    }  # fmt: skip
    inside = {case.get("name"): [child.tag for child in case] for case in suite}
    assert inside == {
        "duration": ["failure"],
        "cpu": [],
        "imports": ["skipped"],
        "budget import": ["failure"],
        "budget first": ["skipped"],
    }


def test_the_comment_is_found_again_by_its_first_line() -> None:
    text = as_markdown(report("regressed", "ok", whole="regressed"))
    first, *rest = text.splitlines()
    assert first == marker("load <x> | --y") == "<!-- perftui bench: load <x> | - -y -->"
    assert "### 🔴 `load <x> | --y`: regressed" in rest
    assert "> installed packages differ: a 1 → 2  " in rest
    assert "| duration | 1.00 s | 1.25 s | +25.0 % |  | regressed |" in rest


def test_annotations_are_one_line_each_and_escaped() -> None:
    lines = as_annotations(report("regressed", "ok", "suspect", whole="regressed"))
    assert lines == [
        "::error title=perftui bench load <x> | --y::duration regressed: "
        "+25.0 %25 (threshold 10 %25)",
        "::warning title=perftui bench load <x> | --y::imports suspect: "
        "+25.0 %25 (threshold 10 %25)",
    ]


def test_what_differs_is_said_before_the_verdict() -> None:
    made = report("regressed", whole="regressed", budget=(FAILED,))
    lines = bench_text(made).splitlines()
    assert lines[1:3] == ["against base_1.json", "  ! installed packages differ: a 1 → 2"]
    assert lines.index("verdict: regressed") < lines.index("budget FAIL  import 70.0 ms >= 50.0 ms")
