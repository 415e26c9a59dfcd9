"""What a matrix says of runs that are known: steps, jumps, bisections, trees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.lab_runs import TIMES, lab_run, series

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.environments.interpreters import Interpreter
from perftui.scenarios.environments.kept import Environment
from perftui.scenarios.matrix import bisect as bisection
from perftui.scenarios.matrix.as_json import as_json
from perftui.scenarios.matrix.bisect import between, bisect
from perftui.scenarios.matrix.breakdown import Spent, breakdown
from perftui.scenarios.matrix.jumps import jumps_of, steps_of
from perftui.scenarios.matrix.matrix import Matrix, ReleaseRuns
from perftui.scenarios.matrix.plan import MatrixPlan, Release, cells_of, requirement_name
from perftui.scenarios.matrix.prepare import Preparation, Prepared
from perftui.scenarios.run.runner import Scenario
from perftui.tui.matrix.table import matrix_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.scenarios.environments.installer import Installer

HERE = Interpreter("/usr/bin/python3.12", "3.12.1")
SCENARIO = Scenario("load.py:nightly", "", "", ("duckdb", "psycopg"), ())
NOISE = (1.0, 1.01, 0.99, 1.005, 0.995)


def plan(*versions: str, own: bool = False, beside: tuple[str, ...] = ()) -> MatrixPlan:
    cells = cells_of("widget", [(HERE, versions)])
    return MatrixPlan(SCENARIO, {}, own=own, package="widget", cells=cells, beside=beside)


def prepared(cell: Release, plan: MatrixPlan, *, kept: bool = False, **more: str) -> Prepared:
    environment = Environment(
        *(plan.wanted(cell), Path("/cache/x"), "/cache/x/bin/python"),
        {"widget": cell.version, **more}, kept, None,
        *((None, None) if kept else (0.25, 1.5)), 0.25, "uv",
    )  # fmt: skip
    return Prepared(cell, environment, "", 2.5)


def matrix_of(levels: dict[str, float], key: str = "duration") -> Matrix:
    """A matrix whose versions have a figure at these levels, with a per cent of noise."""
    made = plan(*levels)
    columns = [
        ReleaseRuns(prepared(cell, made), series(key, (levels[cell.version] * n for n in NOISE)))
        for cell in made.cells
    ]
    return Matrix(made, Preparation(tuple(c.prepared for c in columns), 2.5, 4), columns)


def test_a_jump_is_told_where_it_is() -> None:
    steps = steps_of(matrix_of({"1.0": 1.0, "1.1": 1.01, "2.0": 1.4, "2.1": 1.41}))
    (jump,) = jumps_of(steps)
    assert (jump.step.before.version, jump.step.after.version) == ("1.1", "2.0")
    assert jump.row.verdict == "regressed"
    assert jump.certain
    assert jump.row.ratio == pytest.approx(1.4 / 1.01 - 1)
    assert [step.answer.verdict for step in steps] == ["ok", "regressed", "ok"]


def test_twice_as_fast_is_as_large_a_jump_as_twice_as_slow() -> None:
    steps = steps_of(matrix_of({"1.0": 1.0, "1.1": 1.6, "2.0": 0.7}))
    (jump,) = jumps_of(steps)
    assert jump.row.verdict == "improved"
    assert jump.step.after.version == "2.0"


def test_without_a_change_nothing_has_jumped() -> None:
    matrix = matrix_of({"1.0": 1.0, "1.1": 1.02, "2.0": 0.99})
    steps = steps_of(matrix)
    assert jumps_of(steps) == []
    assert "no judged figure changed by more than its threshold" in matrix_text(matrix, steps, [])


def test_what_else_is_installed_is_said() -> None:
    matrix = matrix_of({"1.0": 1.0, "2.0": 1.0})
    for column, numpy in zip(matrix.columns, ("2.3.1", "2.4.0"), strict=True):
        column.prepared = prepared(column.cell, matrix.plan, numpy=numpy)
    matrix.columns[1].prepared.environment.versions["cffi"] = "1.17"  # type: ignore[union-attr]
    (step,) = steps_of(matrix)
    assert step.also == ("cffi none → 1.17", "numpy 2.3.1 → 2.4.0")
    assert "also changed: cffi none → 1.17, numpy 2.3.1 → 2.4.0" in matrix_text(matrix, [step], [])


def test_a_version_without_an_environment_is_told_and_left_out() -> None:
    matrix = matrix_of({"1.0": 1.0, "1.1": 1.0, "2.0": 1.5})
    gone = matrix.columns[1]
    gone.prepared = Prepared(gone.cell, None, "cannot install widget==1.1: it is yanked", 3.0)
    gone.series = series("duration", [])
    (step,) = steps_of(matrix)
    assert (step.before.version, step.after.version) == ("1.0", "2.0")
    text = matrix_text(matrix, [step], jumps_of([step]))
    assert "widget 1.1: cannot install widget==1.1: it is yanked" in text
    told = as_json(matrix, [step], jumps_of([step]))
    assert told["versions"][1]["failed"] == "cannot install widget==1.1: it is yanked"
    assert told["versions"][1]["environment"] is None
    json.dumps(told, allow_nan=False)


def leaves(part: Spent) -> float:
    return sum(map(leaves, part.parts)) if part.parts else part.seconds


@pytest.mark.parametrize("kept", [False, True])
def test_the_tree_adds_up_to_the_whole(kept: bool) -> None:
    made = plan("1.0")
    column = ReleaseRuns(prepared(made.cells[0], made, kept=kept))
    for number in range(4):
        column.series.add(lab_run(number, duration=1.0))
    tree = breakdown(column)
    assert tree.seconds == pytest.approx(2.5 + 4 * TIMES.whole_s)
    assert leaves(tree) == pytest.approx(tree.seconds)
    environment, processes = tree.parts
    names = [part.name for part in environment.parts]
    assert names == (["check", "rest"] if kept else ["venv", "install", "check", "rest"])
    assert environment.note == ("kept" if kept else "")
    calls = next(part for part in processes.parts if part.name == "waited for calls")
    assert calls.seconds == pytest.approx(4 * (0.5 + 0.6 + 0.2))
    assert [part.name for part in calls.parts[0].parts] == ["imports in it", "work"]


def test_the_environment_of_a_scenario_of_ours_has_what_it_requires() -> None:
    own = plan("1.0", own=True, beside=("duckdb==1.4.0",))
    assert own.wanted(own.cells[0]).packages == (
        *("widget==1.0", "duckdb==1.4.0", "psycopg[binary]", "psutil"),
    )
    theirs = plan("1.0")
    assert theirs.wanted(theirs.cells[0]).packages == ("widget==1.0",)


@pytest.mark.parametrize(
    "text", ["psycopg", "psycopg[binary]>=3", "psycopg ~= 3.2", "psycopg; python_version>'3'"]
)
def test_a_requirement_names_a_distribution(text: str) -> None:
    assert requirement_name(text) == "psycopg"


def test_releases_between_two() -> None:
    released = ["1.0", "1.1", "1.2rc1", "1.10", "2.0", "3.0"]
    assert between(released, "2.0", "1.0") == ["1.1", "1.2rc1", "1.10"]
    assert between(released, "2.0", "3.0") == []


class Lab:
    """Instead of installing and running: versions whose figure is known."""

    def __init__(self, levels: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
        self.levels = levels
        self.tried: list[str] = []
        monkeypatch.setattr(bisection, "prepare", self.prepare)
        monkeypatch.setattr(bisection, "run_matrix", self.run)

    def prepare(
        self, plan: MatrixPlan, installer: Installer, tell: object, **_: object
    ) -> Preparation:
        self.tried.append(plan.cells[1].version)
        return Preparation(tuple(prepared(cell, plan) for cell in plan.cells), 0.0, 1)

    def run(self, matrix: Matrix, tell: object, **_: object) -> None:
        for column in matrix.columns:
            level = self.levels[column.cell.version]
            values: Iterable[float] = (level * n for n in NOISE)
            if level < 0:
                column.series.add(lab_run(1, why="exit code 1: it is broken"))
            else:
                column.series = series("duration", values)


def searched(levels: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[str]]:
    versions: Sequence[str] = list(levels)
    lab = Lab(levels, monkeypatch)
    ends = {version: levels[version] for version in (versions[0], versions[-1])}
    found = bisect(matrix_of(ends), versions, None, None, lambda line: None)  # type: ignore[arg-type]
    return found, lab.tried


@pytest.mark.parametrize("at", range(1, 8))
def test_a_bisection_finds_the_release_with_few_tries(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    levels = {f"1.{n}": 1.0 if n < at else 1.5 for n in range(8)}
    found, tried = searched(levels, monkeypatch)
    assert found.found
    assert (found.figure, found.before, found.after) == ("duration", f"1.{at - 1}", f"1.{at}")
    assert len(tried) <= 3
    assert found.words().startswith(f"duration jumped from 1.{at - 1} to 1.{at} (+50.0 % in all)")


def test_a_release_that_cannot_be_measured_is_stepped_over_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, _ = searched({"1.0": 1.0, "1.1": 1.0, "1.2": -1, "1.3": 1.5, "2.0": 1.5}, monkeypatch)
    assert (found.before, found.after) == ("1.1", "1.3")
    assert not found.found
    assert "tried 1.2: exit code 1: it is broken" in found.words()


def test_what_lies_in_the_middle_is_not_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = searched({"1.0": 1.0, "1.1": 1.225, "1.2": 1.5}, monkeypatch)
    assert found.words().startswith("not sure: ")
    assert not found.found


def test_without_a_change_there_is_nothing_to_search_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found, tried = searched({"1.0": 1.0, "1.1": 9.0, "1.2": 1.0}, monkeypatch)
    assert tried == []
    assert not found.found
    assert "there is nothing to search for" in found.words()
    assert found.as_json()["figure"] is None


def test_a_figure_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = matrix_of({"1.0": 1.0, "1.2": 1.5})
    with pytest.raises(ScenarioError, match="no such figure; there are duration"):
        bisect(matrix, [], "speed", None, lambda line: None)  # type: ignore[arg-type]
