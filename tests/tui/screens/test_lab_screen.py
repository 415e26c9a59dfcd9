"""The screen of repeated runs under a pilot: sizes, what it says, keys, and how it ends."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest
from support.recordings.made import make
from support.screens.fake_lab import fake_bench, fake_matrix
from support.screens.screen_stage import ScreenStage

from perftui.probes.compare.confidence import Interval
from perftui.tui.screens.lab.face import FigureLanes, Lane
from perftui.tui.screens.lab.layout import chosen_figures, plan
from perftui.tui.screens.lab.strips import scale_of
from perftui.tui.screens.live.screen import LiveScreen
from perftui.tui.watch.lab.app import LabApp
from perftui.tui.watch.lab.on_screen import INTERRUPTED, _Stopped, _Work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from perftui.tui.screens.lab.screen import LabScreen
    from perftui.tui.watch.lab.showing import Showing

    Steps = Callable[["Stage"], Awaitable[None]]


class Stage(ScreenStage[LabApp]):
    @property
    def lab(self) -> LabScreen:
        return cast("LabScreen", self.app.screen_stack[0])


def play(steps: Steps, showing: Showing, size: tuple[int, int] = (160, 45)) -> None:
    async def run() -> None:
        app = LabApp(showing, ascii_only=False)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot)
            await stage.until(lambda: "q " in stage.lines()[-1])
            await steps(stage)

    asyncio.run(run())


@pytest.mark.parametrize("lanes", [(), (1,), (1,) * 9, (2,) * 9, (4,) * 9, (12,) * 3])
def test_every_size_is_filled_exactly(lanes: tuple[int, ...]) -> None:
    for height in (15, 17, 20, 24, 30, 36, 45, 60, 100):
        for rows in (0, 1, 12, 80):
            layout = plan(height, lanes, rows)
            assert layout.rows == height
            assert layout.runs >= 4
            figures = [FigureLanes("f", "f", "cpu", (cast("Any", None),) * n, "s") for n in lanes]
            shown = chosen_figures(figures, layout.figures, axis=layout.axis)
            assert sum(len(f.lanes) + layout.axis for f in shown) <= layout.figures
            assert layout.axis <= (len(shown) == len(figures)), "names of scales come last"


def lanes(*values: tuple[float, ...], loud: int = 0) -> FigureLanes:
    made = tuple(Lane("x", tuple(enumerate(each)), "", None, Interval(0.0, 0.0)) for each in values)
    return FigureLanes("f", "f", "cpu", made, "s", None, loud)


def test_a_scale_holds_both_lanes_and_is_not_squeezed_by_one_run() -> None:
    scale = scale_of(lanes((1.0, 1.1, 1.2, 1.15, 1.05), (1.3, 1.25, 1.4, 1.35, 40.0)), 60)
    assert all(scale.holds(value) for value in (1.0, 1.4))
    assert not scale.holds(40.0)
    assert scale.cell(40.0) == 59
    assert scale.cell(1.4) - scale.cell(1.0) > 15
    still = scale_of(lanes((5.0, 5.0, 5.0)), 60)
    assert 20 < still.cell(5.0) < 40, "runs that are all alike stand in the middle"
    assert scale_of(lanes(()), 60).cell(1.0) == 30


def test_where_room_is_short_the_loudest_figures_are_shown_in_their_order() -> None:
    figures = [lanes((1.0,), (1.0,), loud=loud) for loud in (0, 1, 4, 0, 2)]
    assert chosen_figures(figures, 4, axis=False) == [figures[2], figures[4]]


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
def test_a_bench_in_turns(size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        text = stage.text
        assert all(len(line) == size[0] for line in stage.lines())
        assert "bench load.py:nightly days=3   against HEAD~3" in text
        assert "● 8 of 10 new 0" in text
        assert "regressed +16.8 %" in text
        assert "8 of 10 new   runs" in text
        assert "regressed so far  peak RSS +16.8 %, growth of the work +36.2 % · moved: " in (
            " ".join(text.split()).replace("so far peak", "so far  peak")
        )
        if size[0] > 80:
            assert "+16.4 to +17.3 %" in text
            assert "4 of 5 base    FAILED  exit code 7: out of luck" in text
            assert "next look after 10 runs a side, in about" in text
            assert "32.3 ms····" in text

    play(steps, fake_bench(), size)


def test_runs_are_chosen_and_opened(tmp_path: Path) -> None:
    recording = make(tmp_path / "run.perftui", 5)

    async def steps(stage: Stage) -> None:
        await stage.press("up", "up")
        assert "▸ 7 of 10 base" in stage.text
        await stage.press("end", "home")
        assert "▸ warm-up new" in stage.text
        await stage.press("down", "enter")
        await stage.until(lambda: isinstance(stage.app.screen, LiveScreen))
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.lab)
        assert "▸ warm-up base" in stage.text
        failed = next(at for at, row in enumerate(stage.lab.lab.picture().rows) if row.why)
        stage.lab.chosen = failed
        await stage.press("enter")
        assert "4 of 5 base was not recorded" in stage.text
        recording.rename(tmp_path / "gone.perftui")
        await stage.press("down", "enter")
        assert "5 of 5 base cannot be opened" in stage.text

    play(steps, fake_bench(recording=recording))


def test_without_keep_it_says_how_runs_are_recorded() -> None:
    async def steps(stage: Stage) -> None:
        assert "open run" not in stage.lines()[-1]
        await stage.press("enter")
        assert "10 of 10 base was not recorded: --keep all records every run" in stage.text
        await stage.press("question_mark")
        assert "where the middle lies with 95 %" in stage.text
        await stage.press("escape")
        assert "q quit" in stage.lines()[-1], "nothing runs any more"
        await stage.press("ctrl+c")
        assert not stage.app.is_running

    play(steps, fake_bench(10, over=True))


def test_a_matrix_makes_environments_then_runs() -> None:
    async def making(stage: Stage) -> None:
        assert "○ ENVIRONMENTS" in stage.text
        assert "pylance 12.0.0  kept, checked in 50.0 ms" in stage.text
        assert "pylance 15.0.0  cannot install pylance==15.0.0" in stage.text

    play(making, fake_matrix(-1))

    async def over(stage: Stage) -> None:
        assert "■ DONE" in stage.text
        assert "13.0.0 → 14.0.2: first call +66.7 % regressed, CPU +37.9 % regressed" in stage.text
        assert "15.0.0: cannot install" in stage.text
        row = next(
            line for line in stage.lines() if line.startswith(" first call") and "12.0.0" in line
        )
        assert "regressed" not in row
        await stage.pilot.resize_terminal(50, 12)
        await stage.until(lambda: "needs 60×15" in stage.text)

    play(over, fake_matrix())


def test_what_fails_as_a_whole_closes_the_screen() -> None:
    live = fake_bench(1)

    async def steps(stage: Stage) -> None:
        live.ended("failed")
        await stage.until(lambda: not stage.app.is_running)

    play(steps, live)


def test_leaving_in_the_middle_ends_the_work() -> None:
    live, begun = fake_bench(1), Event()

    def work(go_on: Callable[[], None]) -> int:
        begun.set()
        while True:
            go_on()

    doing = _Work(work, live)
    doing.start()
    assert begun.wait(60)
    doing.end()
    assert isinstance(doing.error, _Stopped)
    assert live.picture().stage == "stopped"
    assert INTERRUPTED == 130
