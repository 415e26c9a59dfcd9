"""Raw figures that scenarios hand over beside the tables they print."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from support.scenarios.scenario_runs import argv, environment, number, run, table

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.say.figures import VARIABLE, hand_over, read_figures

if TYPE_CHECKING:
    from pathlib import Path


def test_without_the_variable_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    hand_over("load", rows=1)
    assert list(tmp_path.iterdir()) == []
    assert read_figures(tmp_path / "none") == []


def test_rows_come_back_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "figures"
    monkeypatch.setenv(VARIABLE, str(file))
    hand_over("load", rows=1, took_s=0.123456789, name="größte", warm_up_s=None)
    hand_over("load", steps={"import": 0.5}, kept=True)
    assert read_figures(file) == [
        {"table": "load", "rows": 1, "took_s": 0.123456789, "name": "größte", "warm_up_s": None},
        {"table": "load", "steps": {"import": 0.5}, "kept": True},
    ]


def test_a_file_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none" / "figures"))
    with pytest.raises(ScenarioError, match="which PERFTUI_FIGURES names: No such file"):
        hand_over("load", rows=1)


def test_a_scenario_hands_over_what_it_prints(tmp_path: Path) -> None:
    file = tmp_path / "figures"
    done = subprocess.run(
        argv("loader", "target=sqlite", "rows=2000", "batch=500", "repeats=3"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**environment(tmp_path / "cache"), VARIABLE: str(file)},
    )
    rows = read_figures(file)
    assert [row["rows"] for row in rows] == [2000] * 3
    assert [row["batches"] for row in rows] == [4] * 3
    printed = table(done.stdout)
    for index, row in enumerate(rows, 1):
        assert isinstance(row["took_s"], float)
        assert number(printed[str(index)][1]) == pytest.approx(row["took_s"], rel=0.01)


def test_a_worker_tells_the_steps_of_its_first_call(tmp_path: Path) -> None:
    done = run(tmp_path, "persistent-worker", "engine=stdlib", "calls=50", "processes=1")
    cells = table(done.stdout)
    first = number(cells["first call"][1])
    steps = [number(cells[name][1]) for name in ("import", "connect", "query")]
    # Between two of them it may have to wait for a CPU.
    assert 0.75 * first - 0.03 < sum(steps) < 1.02 * first, "the steps add up to the whole"
