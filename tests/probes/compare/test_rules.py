"""`--fail-on`: how rules are read, and what becomes of them with one run and with several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.recordings.made_runs import MB, make, run_of

from perftui.probes.compare.comparison import Comparison, compare
from perftui.probes.compare.rules import (
    RuleError,
    check_rules,
    exit_code,
    judge,
    parse_rules,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def outcomes(comparison: Comparison, *texts: str, strict: bool = False) -> tuple[list[str], int]:
    rules = parse_rules(texts)
    check_rules(rules, comparison)
    judged = judge(rules, comparison, strict=strict)
    return [each.outcome for each in judged], exit_code(judged, strict=strict)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("rules")
    base = make(folder / "base.perftui", peak=100 * MB, rows_per_s=1000)
    new = make(folder / "new.perftui", peak=150 * MB, rows_per_s=900)
    return compare([run_of(base)], [run_of(new)])


def test_kinds_of_rules() -> None:
    rules = parse_rules(["peak_rss>+10%, duration>+2s", "imports>500ms,rate:rows<-5%,cpu<9"])
    assert [(r.metric, r.above, r.kind) for r in rules] == [
        ("peak_rss", True, "percent"),
        ("duration", True, "change"),
        ("imports", True, "level"),
        ("rate:rows", False, "percent"),
        ("cpu", False, "level"),
    ]
    assert [r.amount for r in rules] == pytest.approx([0.1, 2, 0.5, -0.05, 9])
    assert parse_rules(["phase:load the data.duration>+20%"])[0].metric == (
        "phase:load the data.duration"
    )
    assert parse_rules(["growth>+1.5GiB"])[0].amount == 1.5 * 2**30


@pytest.mark.parametrize("text", ["peak_rss", "peak_rss>", ">5%", "cpu>+5 lightyears", "a=b"])
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(RuleError, match="write it like"):
        parse_rules([text])


def test_single_runs_are_judged_as_they_are(pair: Comparison) -> None:
    assert outcomes(pair, "peak_rss>+10%") == (["broken"], 1)
    assert outcomes(pair, "peak_rss>+60%") == (["fine"], 0)
    assert outcomes(pair, "peak_rss>+10MB,growth>+1GB") == (["broken", "fine"], 1)
    assert outcomes(pair, "peak_rss>120MB") == (["broken"], 1)
    assert outcomes(pair, "rate:rows<-5%") == (["broken"], 1)
    assert outcomes(pair, "phase:work#2.duration>+1%") == (["fine"], 0)


def test_strict_lets_nothing_pass_on_single_runs(pair: Comparison) -> None:
    assert outcomes(pair, "duration>+10%", strict=True) == (["inconclusive"], 3)
    assert outcomes(pair, "peak_rss>+10%", strict=True) == (["broken"], 1)


def test_an_unknown_metric_lists_what_there_is(pair: Comparison) -> None:
    with pytest.raises(RuleError, match=r"did you mean peak_rss\?\); there are duration, cpu"):
        outcomes(pair, "peak_rs>+10%")


def several(folder: Path, name: str, peaks: Sequence[int]) -> list[Path]:
    return [
        make(folder / f"{name}{n}.perftui", seconds=4, phases=(), peak=p * MB)
        for n, p in enumerate(peaks)
    ]


def test_several_runs_give_all_outcomes(tmp_path: Path) -> None:
    sides = {
        "base": several(tmp_path, "base", [100, 101, 99, 100, 100]),
        "more": several(tmp_path, "more", [150, 151, 149, 150, 152]),
        "wild": several(tmp_path, "wild", [60, 160, 100, 140, 112]),
    }
    runs = {name: [run_of(path) for path in paths] for name, paths in sides.items()}
    more = compare(runs["base"], runs["more"])
    assert outcomes(more, "peak_rss>+10%") == (["broken"], 1)
    assert outcomes(more, "peak_rss>+60%") == (["fine"], 0)
    figure = more.figure("peak_rss")
    assert figure is not None
    assert figure.verdict() == "regressed"
    wild = compare(runs["base"], runs["wild"])
    assert outcomes(wild, "peak_rss>+10%") == (["suspect"], 0)
    assert outcomes(wild, "peak_rss>+10%", strict=True) == (["suspect"], 1)
    assert outcomes(wild, "peak_rss>+20%") == (["inconclusive"], 3)
    less = compare(runs["more"], runs["base"])
    figure = less.figure("peak_rss")
    assert figure is not None
    assert figure.verdict() == "improved"


def test_a_figure_of_one_side_only_decides_nothing(tmp_path: Path) -> None:
    base = make(tmp_path / "a.perftui", phases=[("load", 5), ("old", 5)])
    new = make(tmp_path / "b.perftui", phases=[("load", 5)])
    comparison = compare([run_of(base)], [run_of(new)])
    assert outcomes(comparison, "phase:old.duration>+10%") == (["inconclusive"], 3)
