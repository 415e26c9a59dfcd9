"""`perftui history` of results that are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from perftui.scenarios.history.kept import remember
from perftui.tui.cli import main
from perftui.tui.history.chart import ASCII, chart

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six results at a second, six at 1.4."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for day in range(1, 13):
        level = 1.0 if day < 7 else 1.4
        metric = {"unit": "s", "better": "lower", "threshold_pct": 10.0}
        runs = [level * factor for factor in (1.0, 1.01, 0.99)]
        remember(
            {
                "key": "load.py:nightly days=3",
                "created": f"2026-11-{day:02}T12:00:00Z",
                "git_commit": f"{day:040x}"[::-1],
                "env": {"machine_id": "m", "python": "3.12.1"},
                "metrics": {
                    "duration_seconds": {**metric, "runs": runs},
                    "spawn_seconds": {"unit": "s", "better": "neither", "runs": [0.1]},
                },
            }
        )


def test_a_change_is_told_with_its_commit(kept: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "load.py:nightly"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("load.py:nightly days=3: 12 results\n")
    assert "duration +40.0 % since 2026-11-07 12:00 (commit 7000000, before 6000000; 95 %: " in said
    assert "duration: ±0.0 % in 5 results" in said
    assert said.count("changed here") == 1
    assert "1.40 s" in said
    assert "●" in said


def test_as_json(kept: None, tmp_path: Path) -> None:
    assert main(["history", "load.py:nightly days=3", "--json", str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text())
    (change,) = told["figures"][0]["changes"]
    assert change["at"] == 6
    assert change["change_pct"] == pytest.approx(40.0)


def test_what_there_is(kept: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history"]) == 0
    assert capsys.readouterr().out == "load.py:nightly days=3\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["load.py:nigthly"], "no result of 'load.py:nigthly' is kept"),
        (["load.py:nightly", "--figure", "speed"], "there are duration_seconds, spawn_seconds"),
    ],
)
def test_bad_input(
    kept: None, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_chart_has_its_levels_and_its_newest_results() -> None:
    values = [1.0, None, 1.0, 2.0, 2.0]
    assert chart(values, [3], lambda v: f"{v:g}", width=40, height=3, signs=ASCII) == [
        *("  2 |     :o-o-", "1.5 |     :", "  1 |o---o:"),
    ]
    narrow = chart([1.0] * 99 + [2.0], [99], lambda v: f"{v:g}", width=9, height=3, signs=ASCII)
    assert max(map(len, narrow)) <= 9
    assert narrow[0].endswith("o")
    assert chart([None], [], str, width=40, height=3) == []


def test_a_flat_figure_is_drawn_flat() -> None:
    lines = chart([1.0, 1.001, 1.0], [], lambda v: f"{v:.2f}", width=40, height=5, signs=ASCII)
    assert [line.count("o") for line in lines] == [0, 0, 3, 0, 0]
