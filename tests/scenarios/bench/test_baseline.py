"""Baseline files: read back, both forms; what they refuse; budgets; which recordings are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perftui.scenarios.bench.against import check_before
from perftui.scenarios.bench.baseline.stored import read_baseline
from perftui.scenarios.bench.baseline.surroundings import MeasuredAt, differences, machine_id
from perftui.scenarios.bench.budget import bounds_of_project, parse_bounds
from perftui.scenarios.bench.keep import parse_keep
from perftui.scenarios.bench.subject import Subject
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

ENTRY: dict[str, Any] = {
    "schema": 1,
    "key": "loader rows=5",
    "created": "2026-11-21T00:40:00Z",
    "git_commit": "c3e98d42aabbcc",
    "params": {"rows": 5},
    "env": {"machine_id": "sha256:0", "python": "3.11.7", "packages": {"pyarrow": "26.0.1"}},
    "protocol": {"kind": "group", "n": 3, "calls": 4},
    "metrics": {
        "throughput_rows_per_sec": {"better": "higher", "runs": [100.0, 110, 105]},
        "duration_seconds": {"runs": [1, 1.1, 1.2], "noise_floor_pct": 2.5, "threshold_pct": 20},
        "cpu_seconds": {"median": 0.9},
        "warm_call_seconds": {},
    },
}
FLAT = {
    "test_name": "small",
    "loader_type": "postgresql",
    "throughput_rows_per_sec": 33825.8,
    "memory_mb": 12.5,
    "duration_seconds": 1.478,
    "dataset_size": 50000,
    "timestamp": "2026-01-02T03:04:05",
    "git_commit": "abc",
    "environment": "local",
}


def written(path: Path, data: object) -> str:
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return str(path)


def test_an_entry_is_read_back(tmp_path: Path) -> None:
    found = read_baseline(written(tmp_path / "base.json", ENTRY), "anything")
    assert found.key == "loader rows=5"
    assert found.stored.runs == {
        "rate:rows": (100.0, 110.0, 105.0),
        "duration": (1.0, 1.1, 1.2),
        "cpu": (0.9,),
        "warm_call": (),
    }
    assert found.stored.floors == {"duration": 0.025}
    assert found.about is not None
    assert found.about.params == {"rows": "5"}
    assert found.about.packages == {"pyarrow": "26.0.1"}
    assert found.told() == "base.json (3 runs, 2026-11-21T00:40:00Z, commit c3e98d42aa)"
    assert found.oldest is None


def test_the_oldest_that_was_accepted_is_the_first_of_its_history(tmp_path: Path) -> None:
    older = {**ENTRY, "created": "2025"}
    entry = {**ENTRY, "history": [older, {**ENTRY, "created": "2026"}]}
    oldest = read_baseline(written(tmp_path / "base.json", entry), "").oldest
    assert oldest is not None and oldest.created == "2025"


def test_the_flat_form_is_one_run_each(tmp_path: Path) -> None:
    found = read_baseline(written(tmp_path / "flat.json", FLAT), "")
    assert found.about is None
    assert found.stored.single
    assert found.stored.runs == {
        "rate:rows": (33825.8,),
        "peak_rss": (12.5 * (1 << 20),),
        "duration": (1.478,),
    }


@pytest.mark.parametrize("form", ["list", "object"])
def test_of_several_flat_entries_one_is_named(tmp_path: Path, form: str) -> None:
    other = {**FLAT, "test_name": "large", "duration_seconds": 9}
    data = [FLAT, other] if form == "list" else {"small": FLAT, "large": other}
    path = written(tmp_path / "flat.json", data)
    assert read_baseline(path, "large").stored.runs["duration"] == (9.0,)
    assert read_baseline(f"{path}#small", "large").stored.runs["duration"] == (1.478,)
    with pytest.raises(ScenarioError, match=r"has no entry of 'mine': say .*#NAME; .*small, large"):
        read_baseline(path, "mine")
    with pytest.raises(ScenarioError, match=r"no entry 'smal' .did you mean small"):
        read_baseline(f"{path}#smal", "mine")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('{"schema": 1,', "is not valid JSON, line 1"),
        ("[" * 100_000, "is not valid JSON"),
        ({}, "is no baseline"),
        ([], "is no baseline"),
        ("7", "is no baseline"),
        ({**ENTRY, "schema": 2}, "is a baseline of schema 2; this perftui reads 1"),
        ({**ENTRY, "metrics": []}, "its metrics are no object"),
        ({**ENTRY, "metrics": {"cpu_seconds": 7}}, "metric cpu_seconds is no object"),
        ({**ENTRY, "metrics": {"cpu_seconds": {"runs": [1, "x"]}}}, "no list of numbers"),
        ({**ENTRY, "metrics": {"cpu_seconds": {"runs": [1, float("nan")]}}}, "no list of numbers"),
    ],
)
def test_what_is_no_baseline_is_one_line(tmp_path: Path, data: object, said: str) -> None:
    path = written(tmp_path / "base.json", data)
    with pytest.raises(ScenarioError, match=said) as told:
        read_baseline(path, "")
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"cannot read the baseline .*: No such file"):
        read_baseline(str(tmp_path / "none.json"), "")


def test_another_machine_or_other_parameters_are_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    subject = Subject("loader rows=6", ("python",), params={"rows": "6"})
    baseline = read_baseline(written(tmp_path / "base.json", ENTRY), "")
    with pytest.raises(ScenarioError, match=r"another machine: unknown → this one; other param"):
        check_before(baseline, subject, force=False)
    check_before(baseline, subject, force=True)
    here = {**ENTRY, "env": {"machine_id": machine_id()}, "params": {"rows": 6}}
    check_before(read_baseline(written(tmp_path / "here.json", here), ""), subject, force=False)


def test_what_differs_is_told_the_worst_first() -> None:
    base = MeasuredAt("a", "old box", "3.11.7", {"x": "1", "y": "2"}, {"n": "1"}, 4, False)
    new = MeasuredAt("b", "new box", "3.12.1", {"x": "2", "z": "3"}, {"n": "2"}, 5, True)
    assert differences(base, new) == [
        "another machine: old box → new box",
        "another Python: 3.11.7 → 3.12.1",
        "other versions: x 1 → 2, + z 3, - y 2",
        "other parameters: n 1 → 2",
        "other calls in each process: 4 → 5",
        "stacks were taken on one side alone",
    ]
    unknown = MeasuredAt(None, None, None, None, {"n": "1"}, None, False)
    assert differences(base, unknown) == []


def test_a_budget_is_read_from_words_and_from_the_project(tmp_path: Path) -> None:
    bounds = parse_bounds("import=50ms, first=1.5s,ratio=10,peak=200MB")
    assert {bound.name: bound.value for bound in bounds} == {
        "import": 0.05, "first": 1.5, "ratio": 10.0, "peak": 200e6,
    }  # fmt: skip
    inside = tmp_path / "src" / "deep"
    inside.mkdir(parents=True)
    assert bounds_of_project(inside) == ()
    (tmp_path / "pyproject.toml").write_text('[tool.perftui.budget]\nimport="50ms"\nratio=10\n')
    assert {bound.name: bound.value for bound in bounds_of_project(inside)} == {
        "import": 0.05, "ratio": 10.0,
    }  # fmt: skip
    (tmp_path / "pyproject.toml").write_text('[tool.perftui.budget]\nimports="50ms"\n')
    with pytest.raises(ScenarioError, match=r"there is no 'imports' .did you mean import"):
        bounds_of_project(inside)
    (tmp_path / "pyproject.toml").write_text("[tool")
    with pytest.raises(ScenarioError, match=r"pyproject.toml: "):
        bounds_of_project(inside)


@pytest.mark.parametrize(
    "text", ["import", "import=fast", "import=0ms", "ratio=-1", "peak=1XB", ""]
)
def test_a_budget_that_is_none(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"--budget"):
        parse_bounds(text)


def test_which_recordings_are_kept() -> None:
    assert parse_keep("worst, median") == {"worst", "median"}
    for text in ("wurst", ""):
        with pytest.raises(ScenarioError, match="there are worst, median, best, all"):
            parse_keep(text)
