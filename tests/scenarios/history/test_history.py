"""Change points of series that are known, and results that are kept."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from perftui.scenarios.history.change_points import change_points
from perftui.scenarios.history.history import history_json, history_of
from perftui.scenarios.history.kept import known_keys, remember, remembered
from perftui.scenarios.history.points import points_of

if TYPE_CHECKING:
    from pathlib import Path


def results(levels: list[float], seed: int = 1, noise: float = 0.03, n: int = 5) -> Any:
    rng = random.Random(seed)
    return [[level * rng.lognormvariate(0, noise) for _ in range(n)] for level in levels]


@pytest.mark.parametrize("seed", range(5))
def test_a_step_is_found_where_it_is(seed: int) -> None:
    (found,) = change_points(results([1.0] * 8 + [1.2] * 6, seed))
    assert found.at == 8
    assert found.change.ratio == pytest.approx(0.2, abs=0.04)
    assert found.change.interval.low > 0.1


def test_steps_up_and_down_are_told_apart() -> None:
    found = change_points(results([1.0] * 6 + [1.3] * 6 + [0.9] * 6))
    assert [each.at for each in found] == [6, 12]
    assert found[0].change.ratio > 0 > found[1].change.ratio


def test_the_newest_result_alone_may_be_a_change() -> None:
    assert [each.at for each in change_points(results([1.0] * 10 + [1.5]))] == [10]


def test_without_a_change_there_is_none() -> None:
    """One in a hundred histories may have a false one: of 60 with 12 results, hardly two."""
    wrong = sum(bool(change_points(results([1.0] * 12, seed))) for seed in range(60))
    assert wrong <= 2


def test_one_wild_run_is_no_change() -> None:
    runs = results([1.0] * 12)
    runs[6][2] *= 4
    assert change_points(runs) == []


def test_results_without_the_figure_are_skipped() -> None:
    runs = results([1.0] * 6 + [1.3] * 6)
    runs[2], runs[7] = [], []
    assert [each.at for each in change_points(runs)] == [6]
    assert change_points([]) == []
    assert change_points([[], [1.0]]) == []


def entry(
    key: str, runs: list[float], commit: str | None = "3f2a91c77", machine: str = "sha256:1"
) -> dict[str, Any]:
    return {
        "schema": 1,
        "key": key,
        "created": "2026-11-28T12:00:00Z",
        "git_commit": commit,
        "git_dirty": True,
        "env": {"machine_id": machine, "python": "3.12.1"},
        "metrics": {
            "duration_seconds": {
                "unit": "s",
                "better": "lower",
                "runs": runs,
                "threshold_pct": 10.0,
                "median": sorted(runs)[len(runs) // 2],
            },
            "spawn_seconds": {"unit": "s", "better": "neither", "runs": [0.1]},
            "broken": {"runs": ["x", None, True]},
        },
        "recordings": ["/a/b"],
        "history": [{"x": 1}],
    }


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_results_are_kept_in_their_order(state: Path) -> None:
    assert remembered("load.py:nightly").entries == []
    assert known_keys() == []
    for runs in ([1.0, 1.1, 0.9], [1.0], [2.0]):
        path = remember(entry("load.py:nightly", runs))
    remember(entry("other · key/../x", [1.0]))
    assert path.is_relative_to(state)
    found = remembered("load.py:nightly")
    assert [each["metrics"]["duration_seconds"]["runs"] for each in found.entries] == [
        *([1.0, 1.1, 0.9], [1.0], [2.0])
    ]
    assert not {"history", "recordings"} & set(found.entries[0])
    assert set(known_keys()) == {"load.py:nightly", "other · key/../x"}


def test_a_line_that_was_cut_off_takes_no_other_along(state: Path) -> None:
    path = remember(entry("a", [1.0]))
    with path.open("ab") as file:
        file.write(b'{"key":"a","metr')
    remember(entry("a", [2.0]))
    with path.open("ab") as file:
        file.write(b"[" * 100_000 + b"\n\xff\n")
    found = remembered("a")
    assert len(found.entries) == 2
    assert found.unreadable == 3


def test_a_history_is_of_one_machine(state: Path) -> None:
    entries = [entry("a", [1.0, 1.02, 0.99], machine="m2")]
    entries += [entry("a", [1.0, 1.02, 0.99]) for _ in range(6)]
    entries += [entry("a", [1.4, 1.42, 1.39], commit=None) for _ in range(6)]
    history = history_of("a", points_of(entries))
    assert history.other_machines == 1
    assert len(history.points) == 12
    duration, spawn = history.figures
    assert [change.at for change in duration.changes] == [6]
    assert spawn.changes == ()
    assert duration.lately == (pytest.approx(0.0), 5)
    assert history.points[0].commit_words == "3f2a91c+"
    assert history.points[-1].commit_words == "–"
    told = history_json(history)
    assert told["figures"][0]["changes"][0]["git_commit"] is None
    json.dumps(told, allow_nan=False)
