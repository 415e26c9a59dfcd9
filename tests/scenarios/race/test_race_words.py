"""The pure parts of a race: pairs, verdicts in words, growth from a few small runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from support.scenarios.race_cases import COLLECT_POINTS, COLLECTED, STREAM_POINTS, STREAMED, figures

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.race.figures import MEASURES
from perftui.scenarios.race.growth import (
    SHARES,
    cost_range,
    growth_of,
    growth_text,
    smaller_params,
)
from perftui.scenarios.race.pairs import PAIRS, Pair, find_pair, find_way
from perftui.scenarios.race.plan import RacePlan, plan_race
from perftui.scenarios.race.race import RaceState, SideState
from perftui.scenarios.race.report import as_json, as_markdown, as_text
from perftui.scenarios.race.verdict import Verdict, times, verdict, with_growth
from perftui.scenarios.run.runner import resolve

MEMORY = PAIRS[0]
PEAKS = {"one": COLLECT_POINTS, "other": STREAM_POINTS}


def judged(first: object, second: object, pair: Pair = MEMORY) -> Verdict:
    return verdict(pair, pair.ways[0], (first, second))  # type: ignore[arg-type]


# -- pairs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_every_declaration_can_be_run(pair: Pair) -> None:
    scenario = resolve(pair.scenario)
    work = next(each for each in scenario.parameters if each.name == pair.work)
    amount = work.parse(pair.default)
    assert isinstance(amount, int)
    for way in pair.ways:
        plan = RacePlan(pair, way, scenario, int(amount), work.format(amount))
        commands = [plan.command(side) for side in range(2)]
        assert commands[0] != commands[1], "the sides differ"
        for share in SHARES:
            more = smaller_params(pair, plan.amount, share)
            assert plan.values(0, *more) != plan.values(0), "a small run is smaller"
        assert all(len(code) <= 54 for code in way.code), "fits the border of half a screen"
    assert set(pair.decides) <= set(MEASURES)
    assert pair.grows in pair.measures


def test_what_is_not_there_is_said_with_what_is() -> None:
    with pytest.raises(ScenarioError, match=r"no demo 'streming'.*did you mean streaming-vs-coll"):
        find_pair("streming")
    with pytest.raises(ScenarioError, match=r"collect has no engine 'dukdb' \(did you"):
        find_way(MEMORY, "dukdb")
    with pytest.raises(ScenarioError, match="--size: size=1: size is a size like 300MB"):
        plan_race("streaming-vs-collect", size="1")
    with pytest.raises(ScenarioError, match="--size: rows=300MB: rows is a whole number"):
        plan_race("row-vs-batch", size="300MB")


# -- verdicts ----------------------------------------------------------------------------------


def test_the_winner_is_named_with_figures_that_were_measured() -> None:
    found = judged(COLLECTED, STREAMED)
    assert found.winner == 1
    assert found.head == "streaming wins"
    assert found.words == (
        "3.9x less memory above base, first row 16.0x sooner; "
        "total time alike within what single runs can tell."
    )
    assert found.ratios["peak"] == pytest.approx(360 / 92)


def test_the_order_of_the_sides_does_not_matter() -> None:
    found = judged(STREAMED, COLLECTED)
    assert (found.winner, found.head) == (0, "collect wins")


def test_what_the_winner_loses_is_said() -> None:
    found = judged(COLLECTED, figures(peak=92e6, first_row=0.03, total=12.3))
    assert found.winner == 1
    assert "; in favour of collect: 3.0x faster in total" in found.words


def test_alike_is_no_win_and_names_a_way_out() -> None:
    found = judged(COLLECTED, figures(peak=350e6, first_row=0.4))
    assert found.winner is None
    assert found.head == "no winner"
    assert found.words.startswith("the two are alike in peak memory and first row: so little data")
    assert found.why == ""


def test_without_figures_nothing_is_claimed() -> None:
    nothing = figures(peak=None, first_row=None, total=None, rate=None)
    found = judged(nothing, STREAMED)
    assert found.winner is None
    assert "not measured" in found.words
    assert "x" not in found.words.split(":")[0].split()


def test_a_busy_machine_is_told() -> None:
    found = judged(COLLECTED, STREAMED._replace(contended=True))
    assert found.words.endswith("The machine was busy: trust the memory, not the times.")


def test_growth_of_a_few_bytes_is_no_ratio() -> None:
    found = judged(figures(peak=0.0, first_row=None), figures(peak=9e5, first_row=None))
    assert found.winner is None


def test_speed_and_latency_have_their_own_words() -> None:
    rows = find_pair("row-vs-batch")
    found = judged(figures(rate=230.0), figures(rate=17_000.0), rows)
    assert found.words.startswith("73.9x the rows a second; peak memory alike")
    index = find_pair("index-vs-none")
    slow, fast = figures(warm_call=0.015, total=3.5), figures(warm_call=0.0028, total=0.7)
    found = judged(slow, fast, index)
    assert found.head == "BTree wins"
    assert found.words == "5.4x faster per query, 5.0x faster in total."


@pytest.mark.parametrize(("ratio", "text"), [(1.162, "1.16x"), (5.94, "5.9x"), (213.7, "214x")])
def test_factors(ratio: float, text: str) -> None:
    assert times(ratio) == text


# -- growth ------------------------------------------------------------------------------------


def test_a_fixed_part_does_not_hide_that_memory_grows_with_the_rows() -> None:
    grown = growth_of(MEMORY, COLLECT_POINTS, 6.25e6)
    assert grown.law.verdict == "less than linear", "what the power of n alone would say"
    assert grown.verdict == "linear"
    assert grown.line is not None
    assert grown.line.fixed == pytest.approx(88e6, rel=0.02)
    assert grown.line.per_row == pytest.approx(44, rel=0.02)
    assert grown.ten_times is not None
    assert grown.ten_times[1] == pytest.approx(2.82e9, rel=0.01)
    assert growth_text(MEMORY, grown).endswith("linear: 10x the data needs about 2.82 GB")


def test_the_line_is_told_although_noise_bends_it_a_little() -> None:
    # Points of a straight line of 90 MB + 270 MB, the small ones 3 % too high.
    points = ((1.0, 360e6), *((share, 1.03 * (90e6 + 270e6 * share)) for share in SHARES * 2))
    grown = growth_of(MEMORY, points, 6.25e6)
    assert grown.verdict == "linear"
    assert grown.line is not None
    assert grown.line.per_row == pytest.approx(43.2, rel=0.05)


def test_what_is_neither_line_nor_constant_is_told_as_a_range() -> None:
    points = tuple((share, 480e6 * share**0.62) for share in (1.0, *SHARES * 2))
    grown = growth_of(MEMORY, points, 6.25e6)
    assert grown.verdict == "less than linear"
    assert grown.ten_times is not None
    assert grown.ten_times[0] == pytest.approx(480e6 * 10**0.62, rel=0.01)


def test_what_saturates_is_constant_and_its_future_is_a_range() -> None:
    grown = growth_of(MEMORY, STREAM_POINTS, 6.25e6)
    assert grown.verdict == "constant"
    assert grown.line is None
    assert grown.ten_times is not None
    low, high = grown.ten_times
    assert 1.2 * 92.7e6 < low < high < 4 * 92.7e6
    assert "constant: 10x the data needs 130 MB to " in growth_text(MEMORY, grown)


def test_two_sizes_or_a_busy_machine_tell_nothing() -> None:
    grown = growth_of(MEMORY, ((1.0, 300e6), (0.25, 90e6)), 6e6)
    assert grown.ten_times is None
    assert "cannot tell, because 2 sizes are too few" in growth_text(MEMORY, grown)
    rows = find_pair("row-vs-batch")
    grown = growth_of(rows, COLLECT_POINTS, 1000, contended=True)
    assert grown.verdict == "cannot tell"
    assert "the machine was busy" in growth_text(rows, grown)
    grown = growth_of(MEMORY, COLLECT_POINTS, 6.25e6, contended=True)
    assert grown.verdict == "linear", "memory does not mind"


def test_a_range_that_is_narrow_is_told_as_one_figure() -> None:
    assert cost_range(MEMORY, (100e6, 110e6)) == "about 110 MB"
    assert cost_range(MEMORY, (100e6, 300e6)) == "100 MB to 300 MB"
    assert cost_range(find_pair("row-vs-batch"), (1.0, 2.0)) == "1.00 s to 2.00 s"


def test_ten_times_is_told_only_where_it_is_known() -> None:
    grown = growth_of(MEMORY, COLLECT_POINTS, 6.25e6)
    assert with_growth(MEMORY, (None, None)) == ""
    words = with_growth(MEMORY, (grown, None))
    assert words == "With 10x the data: collect about 2.82 GB above base."


# -- reports -----------------------------------------------------------------------------------


def finished() -> tuple[RacePlan, RaceState]:
    plan = plan_race("streaming-vs-collect")
    grown = [growth_of(MEMORY, points, 6.25e6) for points in PEAKS.values()]
    sides = (SideState(None, True, COLLECTED), SideState(None, True, STREAMED))
    found = judged(COLLECTED, STREAMED)
    state = RaceState("done", 12.0, 1.0, sides, found, (grown[0], grown[1]), (8, 8), "", 0)
    return plan, state


def test_the_three_reports_say_the_same() -> None:
    plan, state = finished()
    recordings = (Path("/r/race-collect-1.perftui"), None)
    text = as_text(plan, state, recordings)
    page = as_markdown(plan, state, recordings)
    data = as_json(plan, state, recordings)
    for said in (text, page, data["verdict"]["words"]):
        assert "streaming wins: 3.9x less memory above base" in said
        assert "collect about 2.82 GB" in said
    for said in (text, page):
        assert "+360 MB" in said
        assert "duckdb · 300 MB of Parquet, 6.25 M rows" in said
    assert "race-collect-1" in page
    assert "perftui open" not in text, "there is no such recording"
    assert "duckdb 2" in page or "duckdb 1" in page, "versions"
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["verdict"]["winner"] == "streaming"
    collect = data["sides"][0]
    assert collect["peak_above_base_bytes"] == 360e6
    assert collect["first_call_s"] is None, "what is not known is null"
    assert collect["growth"]["verdict"] == "linear"


# -- the command -------------------------------------------------------------------------------


def test_list_names_every_pair_and_what_it_lacks() -> None:
    from perftui.tui.commands.demo import pairs_text

    text = pairs_text()
    for pair in PAIRS:
        assert f"\n{pair.name} " in f"\n{text}"
        assert pair.question in text
    if "(not installed)" in text:
        assert "pip install" in text


def test_the_options_of_run_are_there() -> None:
    from perftui.tui.parser import build_parser

    args = build_parser().parse_args(["demo", "--engine", "polars", "--size", "1GB", "--no-record"])
    assert isinstance(args, argparse.Namespace)
    assert (args.name, args.engine, args.size) == ("streaming-vs-collect", "polars", "1GB")
    assert args.no_record
    assert args.metrics_rate == 50.0
