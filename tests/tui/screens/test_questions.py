"""Dialogs with a choice: it is a list, walked with the arrows, and nothing of it is cut unsaid."""

from __future__ import annotations

import asyncio

import pytest
from support.screens.live_stage import Stage, play
from textual.app import App
from textual.widgets import OptionList

from perftui.scenarios.define.parameters import REQUIRED, Parameter
from perftui.tui.screens.dialogs.question import question_lines
from perftui.tui.screens.dialogs.quit import QuitScreen
from perftui.tui.screens.dialogs.save import SaveScreen
from perftui.tui.screens.home.dialogs import OneOf, values_of
from perftui.tui.screens.live.screen import LiveScreen
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import width_of

LONG = (("y", "release", "gc.collect, Arrow release_unused, malloc_trim", "yes"),)


def test_an_answer_is_walked_to_and_chosen() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("q")
        assert "▸ esc   stay" in stage.text
        await stage.press("up", "up")
        assert "▸ s     stop it" in stage.text
        await stage.press("up", "up")
        assert "▸ l     leave it running" in stage.text
        await stage.press("enter")
        await stage.until(lambda: stage.session.asked == ["leave"])

    play(steps)


def test_enter_at_once_changes_nothing() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("q", "enter")
        assert isinstance(stage.app.screen, LiveScreen)
        await stage.press("q")
        await stage.pilot.hover("#question", (10, 4))
        assert isinstance(stage.app.screen, QuitScreen)
        assert "▸ s     stop it" in stage.text, "the mouse marks"

    assert play(steps).asked == []


@pytest.mark.parametrize("width", [60, 46, 40])
def test_words_that_do_not_fit_end_in_dots(width: int) -> None:
    lines = question_lines(("release", "x", "gives"), LONG, 0, width, paint_of(App()))
    assert {line.cell_length for line in lines} == {width}
    answer = lines[4].text
    assert LONG[0][2] in answer or "…" in answer


def test_in_a_small_terminal_hints_end_in_dots_and_the_name_is_seen() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("g")
        bar = next(line for line in stage.lines() if "go to" in line)
        assert "…" in bar
        assert "enter go" in bar
        await stage.press("escape", "s")
        await stage.until(lambda: isinstance(stage.app.screen, SaveScreen))
        screen = stage.app.screen
        screen.query_one(OptionList).add_options([f"format {n}" for n in range(20)])
        await stage.pilot.pause()
        assert any(line.strip("│ ").startswith("to ") for line in stage.lines()), stage.text

    play(steps, size=(60, 15))


class _Fields(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.field = OneOf(("collect", "stream", "both"), "stream")

    def compose(self) -> list[OneOf]:  # type: ignore[override]
        return [self.field]


def test_of_few_values_one_is_chosen_from_all() -> None:
    async def run() -> None:
        app = _Fields()
        async with app.run_test() as pilot:
            app.field.focus()
            await pilot.press("right")
            assert app.field.value == "both"
            await pilot.press("right", "left", "left")
            assert app.field.value == "stream"
            await pilot.click(app.field, (2, 0))
            assert app.field.value == "collect"

    asyncio.run(run())


def test_which_values_are_shown() -> None:
    mode = Parameter("mode", "choice", "stream", ("collect", "stream"))
    assert values_of(mode) == ("collect", "stream")
    assert values_of(Parameter("deep", "bool", False)) == ("true", "false")
    assert values_of(Parameter("rows", "int", 3)) == ()
    many = tuple(f"an engine of number {n}" for n in range(9))
    assert values_of(Parameter("engine", "choice", REQUIRED, many)) == ()
    assert width_of("".join(many)) > 56
