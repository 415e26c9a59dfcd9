"""The race's screen under a pilot: sizes, stages, keys, plain terminals, and what it refuses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from support.screens.fake_race import FakeRace, FakeRuns, Side, ended_side, finished_race
from support.screens.screen_stage import ScreenStage
from textual.color import Color

from perftui.scenarios.race.pairs import PAIRS
from perftui.tui.screens.dialogs.help import HelpScreen
from perftui.tui.screens.live.screen import LiveScreen
from perftui.tui.screens.race.layout import plan
from perftui.tui.screens.race.screen import RaceScreen
from perftui.tui.terminal.capability import AsciiFilter
from perftui.tui.watch.race.app import RaceApp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    Steps = Callable[["Stage"], Awaitable[None]]


class Stage(ScreenStage[RaceApp]):
    """A running app with what the tests ask of it."""

    def __init__(self, app: RaceApp, pilot: Pilot[Any], runs: FakeRuns) -> None:
        super().__init__(app, pilot)
        self.runs = runs

    @property
    def race(self) -> RaceScreen:
        return cast("RaceScreen", self.app.screen_stack[0])


def play(
    steps: Steps,
    runs: FakeRuns | None = None,
    size: tuple[int, int] = (160, 45),
    *,
    ascii_only: bool = False,
) -> Any:
    """Run the app through `steps`; returns its result."""
    runs = runs or FakeRuns()

    async def run() -> Any:
        app = RaceApp(cast("Any", runs), ascii_only=ascii_only)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, runs)
            await stage.until(lambda: stage.race.pictures >= 1)
            await steps(stage)
        return app.return_value

    return asyncio.run(run())


# -- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_every_size_is_filled_exactly(pair: Any) -> None:
    for width in (60, 80, 109, 110, 160, 300):
        for height in (15, 17, 18, 24, 29, 30, 38, 45, 60, 100):
            layout = plan(width, height, len(pair.measures))
            assert layout.rows == height, (width, height, layout)
            assert layout.rss >= 6, "the memory is what it is about"
            assert layout.verdict >= 2
            assert layout.figures >= 3
            assert layout.left_width - layout.left >= 18
    assert plan(160, 45, 6).flame >= 4
    assert plan(160, 45, 6).cpu >= 5
    assert not plan(80, 24, 6).wide


def test_wide_screen_has_both_halves_and_all_words() -> None:
    async def steps(stage: Stage) -> None:
        lines, text = stage.lines(), stage.text
        assert len(lines) == 45
        assert all(len(line) == 160 for line in lines)
        assert "perftui  demo streaming-vs-collect   duckdb · 300 MB of Parquet" in lines[0]
        assert "■ DONE 00:08.4" in lines[0]
        assert "─ ▸ collect ─ 1.20 GB peak" in text
        assert "kept.append(con.execute(sql).to_arrow_table())" in text
        assert "for batch in con.sql(sql).to_arrow_reader():" in text
        assert text.count("1.4 GB") == 2, "the same memory axis"
        assert text.count("▏read") == 2, "the phases"
        figures = next(line for line in lines if "peak above base" in line)
        assert figures.count("peak above base") == 2
        assert "+360 MB" in figures[:80]
        assert "+92.0 MB" in figures[80:]
        assert "peak memory = 88.5 MB + 44 B a row" in text
        assert "linear: 10x the data needs about 2.82 GB above base" in text
        assert text.count("▏MainThread") == 2, "a flame each"
        assert "streaming wins  3.9x less memory above base, first row 16.0x sooner" in text
        words = " ".join(text.split())
        assert "With 10x the data: collect about 2.82 GB, streaming 130 MB to " in words
        assert "recordings  race-collect-duckdb-300MB-1  race-streaming-duckdb-300MB-2" in text
        assert "again with 10x: perftui demo streaming-vs-collect --size 3GB" in text
        assert "r run again" in lines[-1]
        assert "e other engine" in lines[-1]
        assert "c compare" in lines[-1]
        assert lines[-1].rstrip().endswith("q quit")

    play(steps)


def test_80x24_keeps_curves_figures_and_verdict() -> None:
    async def steps(stage: Stage) -> None:
        lines, text = stage.lines(), stage.text
        assert len(lines) == 24
        assert all(len(line) == 80 for line in lines)
        assert "▸ collect ─ 1.20 GB" in text
        assert "streaming ─ 1.20 GB" in text
        row = next(line for line in lines if "peak above base" in line)
        assert row.split()[-4:] == ["+360", "MB", "+92.0", "MB"]
        assert "streaming wins" in text
        assert "linear" in text
        assert "─ CPU ─" not in text
        assert "q quit" in lines[-1]

    play(steps, size=(80, 24))


@pytest.mark.parametrize("size", [(59, 24), (80, 14)])
def test_too_small_says_so_in_one_line(size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        words = [line.strip() for line in stage.lines() if line.strip()]
        assert len(words) == 1
        assert "60" in words[0]
        await stage.pilot.resize_terminal(80, 24)
        await stage.until(lambda: "streaming wins" in stage.text)

    play(steps, size=size)


def test_ascii_terminals_get_ascii() -> None:
    async def steps(stage: Stage) -> None:
        assert stage.app.ascii_only
        (to_ascii,) = [f for f in stage.app.get_line_filters() if isinstance(f, AsciiFilter)]
        for strip in stage.app.screen._compositor.render_strips():
            assert strip.apply_filter(to_ascii, Color.parse("black")).text.isascii()
        assert "streaming wins" in stage.text

    play(steps, ascii_only=True)


def test_without_colour_the_words_carry_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(stage: Stage) -> None:
        assert stage.app.no_color
        for words in ("streaming wins", "▸ collect", "linear", "constant"):
            assert words in stage.text

    play(steps)


# -- stages ------------------------------------------------------------------------------------


def test_it_is_alive_while_the_data_are_made() -> None:
    async def steps(stage: Stage) -> None:
        assert "○ DATA" in stage.lines()[0]
        assert "making the data, 300 MB of Parquet, once" in stage.text
        assert "42%" in stage.text
        assert "next" in stage.text
        assert "r run again" not in stage.lines()[-1], "not before its end"

    play(steps, FakeRuns(FakeRace(stage="preparing", prepared=0.42)))


def test_one_half_runs_and_the_other_is_next() -> None:
    async def steps(stage: Stage) -> None:
        assert "● COLLECT" in stage.lines()[0]
        text = stage.text
        assert "collect runs alone, then streaming" in text
        assert "next" in text
        row = next(line for line in stage.lines() if "rows/s" in line)
        assert row[80:].split() == ["rows/s", "-"], "nothing is known of the other side"
        assert "wins" not in text
        await stage.press("tab", "enter")
        assert "streaming has not begun yet" in stage.text

    play(steps, FakeRuns(FakeRace(sides=(Side(), None))))


def test_both_halves_have_the_same_axes() -> None:
    # The second has lasted 12 s of the 18.4 s of the first.
    race = FakeRace(
        sides=(ended_side(), Side(now_s=12.0)),
        ended=(True, False),
    )

    async def steps(stage: Stage) -> None:
        picture = stage.race.picture
        assert picture is not None
        one, other = picture.views
        assert one is not None
        assert other is not None
        assert one.axis[1] - one.axis[0] == other.axis[1] - other.axis[0] >= 18.4e9
        assert len(one.rss.high) == len(other.rss.high)
        assert "● STREAMING" in stage.lines()[0]
        assert "streaming has its turn, collect has done its work: peak above base" in stage.text
        assert "against +360 MB" in stage.text
        labels = [line for line in stage.lines() if "00:10" in line and "00:00" in line]
        halves = labels[0][:80], labels[0][80:]
        assert halves[0] == halves[1]

    play(steps, FakeRuns(race))


def test_a_failure_is_told_in_its_own_words() -> None:
    race = FakeRace(
        stage="failed",
        sides=(ended_side(), None),
        problem="collect failed: no room",
    )

    async def steps(stage: Stage) -> None:
        assert "▲ FAILED" in stage.lines()[0]
        assert "failed  collect failed: no room" in stage.text
        assert "did not run" in stage.text
        assert "r run again" in stage.lines()[-1]
        await stage.press("s")
        assert "no verdict to report yet" in stage.text

    play(steps, FakeRuns(race))


def test_while_growth_is_measured_the_verdict_is_there_already() -> None:
    async def steps(stage: Stage) -> None:
        assert "small runs of both sides: 3 of 8" in stage.text
        assert "streaming wins" in stage.text
        assert "With 10x" not in stage.text

    play(steps, FakeRuns(finished_race(stage="growing", grown=False)))


# -- keys --------------------------------------------------------------------------------------


def test_r_runs_again_and_e_with_the_next_engine() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("r")
        await stage.until(lambda: "making the data" in stage.text)
        assert stage.runs.asked == [None]
        await stage.press("e")
        assert stage.runs.asked == [None], "not while it is on"
        assert "still on" in stage.text
        stage.runs.race = finished_race()
        await stage.press("e")
        assert stage.runs.asked == [None, "pyarrow"]

    play(steps)


def test_what_cannot_be_begun_is_said_and_the_old_race_stays() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("r")
        assert "no disk" in stage.text
        assert "streaming wins" in stage.text

    play(steps, FakeRuns(refuses="no disk"))


def test_a_single_engine_is_no_choice() -> None:
    async def steps(stage: Stage) -> None:
        assert "other engine" not in stage.lines()[-1]
        await stage.press("e")
        assert "no other engine here" in stage.text

    play(steps, FakeRuns(installed=("duckdb",)))


def test_tab_and_click_choose_a_side_and_enter_opens_it() -> None:
    race = FakeRace(sides=(Side(), Side()), ended=(True, False))

    async def steps(stage: Stage) -> None:
        await stage.press("tab")
        await stage.until(lambda: "▸ streaming" in stage.text)
        await stage.pilot.click("#rss-0", offset=(30, 5))
        await stage.until(lambda: "▸ collect" in stage.text)
        await stage.press("tab", "enter")
        await stage.until(lambda: isinstance(stage.app.screen, LiveScreen))
        await stage.until(lambda: "● LIVE" in stage.lines()[0])
        assert "q back" in stage.lines()[-1]
        await stage.press("q")
        await stage.until(lambda: isinstance(stage.app.screen, RaceScreen))
        assert "▸ streaming" in stage.text

    play(steps, FakeRuns(race))


def test_a_recording_that_is_gone_is_said() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("enter")
        assert "collect cannot be opened" in stage.text

    play(steps)


def test_s_writes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def steps(stage: Stage) -> None:
        await stage.press("s")
        (report,) = tmp_path.glob("perftui-streaming-vs-collect-duckdb-*.md")
        assert report.name in stage.text
        assert "**streaming wins: 3.9x less memory" in report.read_text()

    play(steps)


def test_c_says_what_it_needs() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("c")
        await stage.until(lambda: "they cannot be compared: " in stage.text)
        stage.runs.race = finished_race(recorded=(None, None))
        await stage.press("c")
        assert "a comparison needs both recordings" in stage.text

    play(steps)


def test_a_verdict_that_does_not_fit_ends_in_dots() -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "sql() hands over batches" in stage.text)
        assert "as they are…" in stage.text or "as they are made." in stage.text

    play(steps, size=(80, 24))


def test_help_names_every_key_and_q_leaves() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("question_mark")
        await stage.until(lambda: isinstance(stage.app.screen, HelpScreen))
        for words in ("run both sides again", "a Markdown file", "one after the other"):
            assert words in stage.text
        await stage.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, RaceScreen))
        await stage.press("ctrl+c")
        assert "q quits" in stage.text
        await stage.press("q")

    assert play(steps) is None
