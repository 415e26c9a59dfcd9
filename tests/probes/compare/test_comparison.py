"""What a comparison names, on recordings whose differences are known to the byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.recordings.made_runs import MB, make, run_of

from perftui.probes.compare.as_json import as_json
from perftui.probes.compare.comparison import Comparison, compare, phases_in_all
from perftui.probes.compare.facts import PhaseKey
from perftui.probes.compare.headline import headline

if TYPE_CHECKING:
    from pathlib import Path


def compared(tmp_path: Path, base: dict[str, object], new: dict[str, object]) -> Comparison:
    paths = (make(tmp_path / "a.perftui", **base), make(tmp_path / "b.perftui", **new))  # type: ignore[arg-type]
    return compare(*([run_of(path)] for path in paths))


def words(comparison: Comparison) -> dict[str, str]:
    return {row.function: row.word for row in comparison.functions.rows if row.word}


def test_nothing_changed(tmp_path: Path) -> None:
    comparison = compared(tmp_path, {}, {"seed": 2})
    assert not [figure.key for figure in comparison.figures if figure.is_change]
    assert words(comparison) == {}
    assert not [row for row in comparison.imports if row.is_change]
    assert headline(comparison).text.endswith("the figures are alike")


def test_figures_with_their_direction(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path, {"peak": 100 * MB}, {"peak": 200 * MB, "rows_per_s": 2000.0, "call_s": 0.02}
    )
    told = {f.key: (f.direction, f.ratio) for f in comparison.figures if f.is_change}
    assert told["peak_rss"] == ("worse", pytest.approx(1.0))
    assert told["rate:rows"][0] == "better"
    assert told["call:query.first"] == ("worse", pytest.approx(1.0))
    assert told["count:rows"][0] == "neutral"
    assert "duration" not in told
    assert headline(comparison).word == "no verdict"


def test_a_slower_function_is_named_and_those_that_it_dilutes_are_not(tmp_path: Path) -> None:
    # parse takes 10 s more; merge and write take as long as before, in smaller shares.
    new = {"seconds": 30, "shares": {"parse": 20 / 30, "merge": 6 / 30, "write": 4 / 30}}
    comparison = compared(tmp_path, {"seconds": 20}, new)
    assert words(comparison) == {"parse": "gained"}
    row = comparison.functions.rows[0]
    assert row.seconds == pytest.approx(10, abs=0.01)
    assert row.share == pytest.approx(1 / 6, abs=0.001)
    assert row.new.self_per_s == pytest.approx(20 / 30, abs=0.001)


def test_a_longer_run_of_the_same_is_no_change_of_functions(tmp_path: Path) -> None:
    comparison = compared(tmp_path, {"seconds": 20}, {"seconds": 40})
    assert words(comparison) == {}
    assert "no function stands out" in " ".join(headline(comparison).reasons)


def test_new_and_vanished_functions_in_another_checkout(tmp_path: Path) -> None:
    new = {"shares": {"parse": 0.5, "merge": 0.3, "encode": 0.2}, "folder": "/home/me/app"}
    comparison = compared(tmp_path, {}, new)
    states = {row.function: row.state for row in comparison.functions.rows}
    assert states == {
        "main": "both",
        "parse": "both",
        "merge": "both",
        "write": "vanished",
        "encode": "new",
    }
    assert words(comparison) == {"encode": "gained", "write": "lost"}


def test_phases_are_aligned_by_name_and_number(tmp_path: Path) -> None:
    base = {"phases": [("load", 5), ("work", 10), ("work", 5)]}
    new = {"phases": [("setup", 2), ("load", 5), ("work", 6), ("work", 7)]}
    comparison = compared(tmp_path, base, new)
    rows = {str(row.key): row for row in comparison.phases}
    assert list(rows) == ["load", "work", "work#2", "setup"]
    assert (rows["setup"].in_base, rows["setup"].in_new) == (False, True)
    second = rows["work#2"].duration
    assert second is not None
    assert (second.base, second.new) == (5, 7)


def test_a_phase_restricts_everything(tmp_path: Path) -> None:
    paths = (make(tmp_path / "a.perftui"), make(tmp_path / "b.perftui"))
    runs = [run_of(path) for path in paths]
    assert [str(key) for key in phases_in_all(runs)] == ["load", "work", "work#2"]
    comparison = compare(runs[:1], runs[1:], PhaseKey("work", 2))
    duration = comparison.figure("duration")
    assert duration is not None
    assert (duration.base, duration.new) == (5, 5)
    assert comparison.functions.flame.whole.base.wall_ns == pytest.approx(5e9)
    assert not comparison.imports
    with pytest.raises(KeyError):
        compare(runs[:1], runs[1:], PhaseKey("work", 3))


def test_imports_gained_lost_and_slower(tmp_path: Path) -> None:
    base = {"imports": [("json", None, 0.02), ("old", None, 0.05), ("re", "json", 0.01)]}
    new = {"imports": [("json", None, 0.09), ("re", "json", 0.01), ("pandas", None, 0.4)]}
    comparison = compared(tmp_path, base, new)
    changed = {row.module: (row.base is None, row.new is None) for row in comparison.imports[:3]}
    assert changed == {"pandas": (True, False), "json": (False, False), "old": (False, True)}
    assert not comparison.imports[3].is_change
    assert comparison.imports[0].seconds == pytest.approx(0.4)
    reasons = " ".join(headline(comparison).reasons)
    assert "new imports: pandas" in reasons
    assert "no longer imported: old" in reasons


def test_alerts_new_and_gone(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path, {"alerts": ["io_wait", "cold_start"]}, {"alerts": ["mem_growth", "cold_start"]}
    )
    told = {row.kind: (row.base, row.new) for row in comparison.alerts}
    assert told == {"io_wait": (1, 0), "mem_growth": (0, 1), "cold_start": (1, 1)}
    assert comparison.alerts[-1].kind == "cold_start"


def test_what_makes_runs_hard_to_compare(tmp_path: Path) -> None:
    new = {"python": "3.13.0", "title": "job.py rows=2", "stacks": False}
    told = "\n".join(compared(tmp_path, {}, new).warnings)
    assert told.startswith("one run each: cannot separate noise from change")
    for words_ in (
        "Python differs: 3.12.1 → 3.13.0",
        "what was run differs: job.py → job.py rows=2",
        "stack rate differs: 100 Hz → no stacks",
        "b has no stacks here: functions cannot be compared",
    ):
        assert words_ in told


def test_noise_within_long_runs_is_told_from_change(tmp_path: Path) -> None:
    long = {"seconds": 100, "jitter": 0.05, "phases": ()}
    same = compared(tmp_path, long, {**long, "seed": 2})
    assert same.functions.basis == "blocks"
    assert same.functions.blocks == (10, 10)
    assert not any(row.sure for row in same.functions.rows)
    other = make(
        tmp_path / "c.perftui",
        **{**long, "seed": 3, "shares": {"parse": 0.6, "merge": 0.2, "write": 0.2}},  # type: ignore[arg-type]
    )
    changed = compare([run_of(tmp_path / "a.perftui")], [run_of(other)])
    told = {row.function: (row.word, row.sure) for row in changed.functions.rows if row.word}
    assert told == {"parse": ("gained", True), "merge": ("lost", True)}
    interval = next(row.interval for row in changed.functions.rows if row.function == "parse")
    assert interval is not None
    assert interval.low < 0.1 < interval.high
    short = compare(*([run_of(tmp_path / "a.perftui")] for _ in "12"), test=False)
    assert all(row.sure is None for row in short.functions.rows)


def test_several_runs_get_a_verdict(tmp_path: Path) -> None:
    paths = {
        name: [
            make(
                tmp_path / f"{name}{n}.perftui",
                seconds=6,
                peak=(peak + n) * MB,
                seed=n,
                jitter=0.02,
            )
            for n in range(3)
        ]
        for name, peak in (("a", 100), ("b", 200), ("c", 101))
    }
    sides = {name: [run_of(path) for path in some] for name, some in paths.items()}
    told = headline(compare(sides["a"], sides["b"]))
    assert told.word == "regressed"
    assert "peak RSS +99.0 %" in told.text
    null = compare(sides["a"], sides["c"])
    assert headline(null).word == "ok"
    assert null.functions.basis == "runs"
    assert not any(row.sure for row in null.functions.rows)


def test_json_holds_all_of_it(tmp_path: Path) -> None:
    told = json.loads(
        json.dumps(as_json(compared(tmp_path, {}, {"peak": 300 * MB})), allow_nan=False)
    )
    assert told["schema"] == 1
    assert [run["name"] for run in told["base"]["runs"]] == ["a"]
    metric = next(row for row in told["metrics"] if row["key"] == "peak_rss")
    assert metric["change_pct"] == pytest.approx(200)
    assert metric["verdict"] is None
    assert {"metrics", "phases", "functions", "imports", "calls", "alerts", "rules"} <= set(told)
    parse = next(row for row in told["functions"]["rows"] if row["function"] == "parse")
    assert parse["base"]["self_pct"] == pytest.approx(50)
