"""Verdicts on made series: of pairs, of groups, of flat files; imports that moved; drift."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from perftui.probes.compare.facts import Figure
from perftui.scenarios.bench.answer import Stored, answer
from perftui.scenarios.bench.gate import Gate, parse_thresholds
from perftui.scenarios.bench.lab_run import LabRun
from perftui.scenarios.bench.series import LabSeries
from perftui.scenarios.bench.steadiness import Steadiness
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from perftui.scenarios.bench.answer import BenchAnswer

SHAPE = {
    "duration": ("duration", "s", "lower", 0.002),
    "cpu": ("CPU", "s", "lower", 0.002),
    "peak_rss": ("peak RSS", "B", "lower", 1 << 20),
    "imports": ("import", "s", "lower", 0.005),
    "first_call": ("first call", "s", "lower", 0.0005),
    "warm_call": ("warm call", "s", "lower", 0.0005),
    "cold_start": ("import + first call", "s", "lower", 0.005),
    "first_modules": ("modules in the first call", "", "lower", 2.0),
    "reference": ("a fixed loop beside it", "s", "neither", 0.0),
    "reference_wait": ("a fixed loop: wall / CPU", "", "neither", 0.0),
}


def figure(key: str, value: float) -> Figure:
    label, unit, better, least = SHAPE[key]
    shape: Any = (label, value, unit, better, least)
    return Figure(*shape)


def series(
    side: Any, n: int, noise: float, seed: int, state: Any = "flat", **middles: float
) -> LabSeries:
    rng = random.Random(seed)
    made = LabSeries(side)
    for number in range(1, n + 1):
        figures = {
            key: figure(key, middle * (1 + rng.gauss(0, noise) * (key != "first_modules")))
            for key, middle in middles.items()
        }
        place: Any = None
        steady = Steadiness(state, 0.01, 1)
        made.add(LabRun(side, number, "", figures, (), steady, (), place, {}))
    return made


def stored(base: LabSeries, *, single: bool = False) -> Stored:
    runs = {key: tuple(base.values(key)[: 1 if single else None]) for key in base.known()}
    return Stored("base.json", runs, {}, single=single)


def word(found: BenchAnswer, key: str) -> Any:
    row = found.row(key)
    assert row is not None
    return row.verdict


def test_the_worst_figure_is_the_verdict() -> None:
    base = series("base", 10, 0.01, 1, duration=1.0, cpu=1.0, peak_rss=1e8)
    new = series("new", 10, 0.01, 2, duration=1.3, cpu=1.0, peak_rss=0.5e8)
    found = answer(new, base, None, Gate())
    assert [word(found, key) for key in ("duration", "cpu", "peak_rss")] == [
        "regressed", "ok", "improved",
    ]  # fmt: skip
    assert found.verdict == "regressed"
    assert found.reasons[0].startswith("duration regressed: +")
    assert "the duration rose and the CPU did not" in found.reasons[-1]


def test_five_noisy_pairs_are_not_clear_and_go_on() -> None:
    base = series("base", 5, 0.3, 1, duration=1.0)
    found = answer(series("new", 5, 0.3, 2, duration=1.0), base, None, Gate(), 0.1)
    assert found.verdict in ("inconclusive", "suspect")
    assert not found.clear


def test_a_failed_run_takes_its_pair_out() -> None:
    base = series("base", 8, 0.01, 1, duration=1.0)
    new = series("new", 8, 0.01, 2, duration=1.0)
    new.runs[2] = new.runs[2]._replace(why="exit code 1: no")
    found = answer(new, base, None, Gate()).row("duration")
    assert found is not None and found.change is not None
    assert found.change.n == 7


def test_an_import_that_moved_into_the_first_call_has_not_improved() -> None:
    before = {"imports": 0.5, "first_call": 0.1, "cold_start": 0.6, "first_modules": 2}
    base = series("base", 10, 0.01, 1, **before)
    moved = {"imports": 0.1, "first_call": 0.5, "cold_start": 0.6, "first_modules": 300}
    found = answer(series("new", 10, 0.01, 2, **moved), base, None, Gate())
    assert word(found, "imports") == "moved"
    assert any("the first call imports 298 more modules" in reason for reason in found.reasons)
    assert found.verdict == "regressed", "the first call takes five times as long"
    early = answer(
        series("new", 3, 0.01, 2, **moved), series("base", 3, 0.01, 1, **before), None, Gate()
    )
    assert word(early, "imports") == "moved", "said before anything is certain"
    gone = {"imports": 0.1, "first_call": 0.1, "cold_start": 0.2, "first_modules": 2}
    assert word(answer(series("new", 10, 0.01, 2, **gone), base, None, Gate()), "imports") == (
        "improved"
    )


@pytest.mark.parametrize(("factor", "said"), [(1.0, "ok"), (1.12, "suspect"), (1.5, "regressed")])
def test_against_a_file_the_whole_interval_must_be_beyond(factor: float, said: str) -> None:
    base = series("new", 20, 0.02, 1, cpu=1.0, reference_wait=1.1)
    new = series("new", 20, 0.02, 2, cpu=factor, reference_wait=1.2)
    assert word(answer(new, None, stored(base), Gate()), "cpu") == said


@pytest.mark.parametrize("wait", [0.75, 1.5])
def test_on_a_busier_or_an_idler_machine_no_time_is_sure(wait: float) -> None:
    base = series("new", 20, 0.02, 1, cpu=1.0, peak_rss=1e8, reference_wait=1.0)
    for factor, said in ((1.0, "inconclusive"), (1.5, "suspect"), (0.5, "inconclusive")):
        new = series("new", 20, 0.02, 2, cpu=factor, peak_rss=1.5e8, reference_wait=wait)
        found = answer(new, None, stored(base), Gate())
        assert word(found, "cpu") == said
        assert word(found, "peak_rss") == "regressed", "memory does not feel it"
        assert "for a core than when the baseline was made" in found.reasons[-1]


def test_a_baseline_that_does_not_tell_how_busy_it_was_makes_no_alarm_of_times() -> None:
    base = series("new", 20, 0.02, 1, cpu=1.0)
    found = answer(series("new", 20, 0.02, 2, cpu=1.5), None, stored(base), Gate())
    assert word(found, "cpu") == "suspect"
    assert "does not tell how busy the machine was" in found.reasons[-1]


def test_memory_that_lies_in_a_few_steps_is_sure_all_the_same() -> None:
    """As it does: a peak has two or three values, and one stretch has more of the one."""
    base = series("new", 20, 0.0, 1, peak_rss=1e8)
    for number, run in enumerate(base.runs):
        run.figures["peak_rss"] = figure("peak_rss", 1e8 if number < 12 else 1.03e8)
    new = series("new", 5, 0.0, 2, peak_rss=1.15e8)
    new.runs[4].figures["peak_rss"] = figure("peak_rss", 1.18e8)
    assert word(answer(new, None, stored(base), Gate(), 0.1), "peak_rss") == "regressed"


def test_a_machine_that_has_changed_makes_times_unsure() -> None:
    quick, slow = ({"reference": s, "reference_wait": 1.1} for s in (0.002, 0.003))
    base = stored(series("new", 10, 0.01, 1, duration=1.0, peak_rss=1e8, **quick))
    new = series("new", 10, 0.01, 2, duration=1.5, peak_rss=1.5e8, **slow)
    found = answer(new, None, base, Gate())
    assert word(found, "duration") == "suspect"
    assert word(found, "peak_rss") == "regressed"
    assert "the machine has changed" in found.reasons[-1]


@pytest.mark.parametrize(("factor", "said"), [(1.18, "suspect"), (1.5, "regressed")])
def test_a_change_that_no_change_of_the_machine_explains_is_sure(factor: float, said: str) -> None:
    quick, slow = ({"reference": s, "reference_wait": 1.1} for s in (0.0020, 0.00212))
    base = stored(series("new", 20, 0.01, 1, duration=1.0, **quick))
    new = series("new", 20, 0.01, 2, duration=factor, **slow)
    assert word(answer(new, None, base, Gate()), "duration") == said


def test_one_number_is_at_most_suspect() -> None:
    base = stored(series("new", 1, 0, 1, duration=1.0, peak_rss=1e8), single=True)
    new = series("new", 5, 0.01, 2, duration=2.0, peak_rss=1e8)
    found = answer(new, None, base, Gate())
    assert word(found, "duration") == "suspect"
    assert found.verdict != "regressed"


@pytest.mark.parametrize("state", ["slowdown", "no steady state"])
def test_without_a_steady_state_no_middle_is_judged(state: str) -> None:
    base = series("base", 10, 0.01, 1, warm_call=0.1)
    new = series("new", 10, 0.01, 2, state=state, warm_call=0.2)
    row = answer(new, base, None, Gate()).row("warm_call")
    assert row is not None
    assert (row.verdict, row.note) == ("inconclusive", f"{state} in 10 of 10 runs")


def test_alone_it_is_clear_when_the_figures_are_narrow() -> None:
    assert answer(series("new", 5, 0.01, 1, duration=1.0), None, None, Gate()).clear
    wide = answer(series("new", 5, 0.4, 1, duration=1.0), None, None, Gate())
    assert not wide.clear
    assert wide.verdict is None


def test_a_tenth_of_almost_nothing_is_nothing() -> None:
    base = series("base", 10, 0.02, 1, imports=0.004)
    found = answer(series("new", 10, 0.02, 2, imports=0.006), base, None, Gate())
    assert word(found, "imports") == "ok"


def test_thresholds_are_read_and_hold() -> None:
    gate = parse_thresholds(["duration=50%, cpu=off", "imports=2.5%"])
    assert gate.own == {"duration": 0.5, "cpu": None, "imports": 0.025}
    base = series("base", 10, 0.01, 1, duration=1.0, cpu=1.0)
    found = answer(series("new", 10, 0.01, 2, duration=1.3, cpu=9.0), base, None, gate)
    assert (word(found, "duration"), word(found, "cpu")) == ("ok", None)
    with pytest.raises(ScenarioError, match=r"no such figure .did you mean duration"):
        parse_thresholds(["duratoin=5%"]).check(["duration"])
    with pytest.raises(ScenarioError, match="write NAME=20% or NAME=off"):
        parse_thresholds(["duration=fast"])
