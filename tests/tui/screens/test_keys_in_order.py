"""Keys that are typed ahead of a busy machine do what they would do one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.screens.live_stage import Stage, play
from support.screens.plot import T0, S
from textual import events

from perftui.tui.screens.dialogs.quit import QuitScreen

if TYPE_CHECKING:
    from textual.widget import Widget


def type_ahead(stage: Stage, *keys: str) -> None:
    """Give keys as a terminal does that had them all in one read."""
    driver = stage.app._driver
    assert driver is not None
    for key in keys:
        event = events.Key(key, key if len(key) == 1 else None)
        event.set_sender(stage.app)
        driver.send_message(event)


def test_a_line_gets_what_is_typed_into_it_and_the_screen_what_comes_after() -> None:
    async def steps(stage: Stage) -> None:
        for second, tab in ((8, "e"), (9, "t")):  # the line is made, and then only shown
            type_ahead(stage, "g", str(second), "enter", tab)
            wanted = {"e": "Heat", "t": "Top"}[tab]
            await stage.until(lambda wanted=wanted: stage.live.tab == wanted)  # type: ignore[misc]
            assert stage.live.selection.cursor_ns == T0 + second * S

    play(steps)


def test_a_filter_ends_where_it_was_ended() -> None:
    async def steps(stage: Stage) -> None:
        type_ahead(stage, "slash", *"par", "enter", "t")
        await stage.until(lambda: stage.live.tab == "Top")
        assert stage.live.selection.filter == "par"
        type_ahead(stage, "slash", "s", "e", "escape", "e")
        await stage.until(lambda: stage.live.tab == "Heat")
        assert stage.live.selection.filter == ""

    play(steps)


def test_a_question_gets_its_answer_and_not_the_screen_below() -> None:
    async def steps(stage: Stage) -> None:
        type_ahead(stage, "q", "escape", "t", "q")
        await stage.until(lambda: isinstance(stage.app.screen, QuitScreen))
        assert stage.live.tab == "Top"

    play(steps)


def test_a_key_whose_widget_goes_holds_the_next_one_up_for_a_moment_only() -> None:
    async def steps(stage: Stage) -> None:
        stage.live.set_focus(None)
        await stage.press("slash")
        line: Widget | None = stage.app.focused
        assert line is not None and line.parent is not None
        type_ahead(stage, "x")
        await line.parent.remove()  # type: ignore[attr-defined]
        type_ahead(stage, "t")
        await stage.until(lambda: stage.live.tab == "Top")

    play(steps)
