"""The first minute: the screen explains itself, letters jump anywhere, the footer follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.screens.live_stage import Stage, play
from support.screens.plot import Plot
from support.screens.synthetic_session import SyntheticSession

from perftui.tui.screens.dialogs.explained import ExplainedScreen, explaining_lines
from perftui.tui.screens.dialogs.jump import LETTERS, MOST, JumpScreen, labels_for
from perftui.tui.screens.dialogs.standing import stands_still
from perftui.tui.screens.live.screen import LiveScreen
from perftui.tui.session.first_look import is_first_look, note_seen
from perftui.tui.terminal.theme import DARK_COLOURS, make_paint

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = {"foreground": "#cdd4dc", "background": "#0d1117", "panel": "#11161e"}
PAINT = make_paint({**DARK_COLOURS, **OTHERS})


def test_it_is_the_first_look_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("PERFTUI_FIRST_LOOK")
    assert is_first_look()
    note_seen()
    assert not is_first_look()
    assert is_first_look({"PERFTUI_FIRST_LOOK": "1"})
    assert not is_first_look({"PERFTUI_FIRST_LOOK": "0"})


def test_where_nothing_can_be_kept_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    note_seen()
    is_first_look()


@pytest.mark.parametrize(("width", "height"), [(160, 20), (80, 12), (60, 5), (60, 2)])
def test_explanations_fit_and_the_last_line_says_how_to_go_on(width: int, height: int) -> None:
    texts = [f"number {n}: " + "many words " * 12 for n in range(6)]
    lines = [
        "".join(text for text, _ in line) for line in explaining_lines(texts, width, height, PAINT)
    ]
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)
    assert lines[-1].startswith(" any key goes on")


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
def test_help_explains_the_screen_in_place_and_a_key_goes_on(size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("question_mark")
        assert "the screen explained" in stage.text
        await stage.press("question_mark")
        await stage.until(lambda: isinstance(stage.app.screen, ExplainedScreen))
        await stage.until(lambda: "any key goes on" in stage.text)
        lines = stage.lines()
        rows = {part: part.region.y for part in (stage.live.parts.header, stage.live.parts.rss)}
        assert lines[rows[stage.live.parts.header]].startswith(" 1 ")
        numbers = [line[:3] for line in lines if line[1].isdigit() and line[2] == " "]
        assert numbers == [f" {n} " for n in range(1, len(numbers) + 1)]
        assert len(numbers) >= 5
        assert "▾ a jump" in stage.text
        assert stands_still(stage.app.screen)
        before = stage.live.pictures
        for _ in range(5):
            await stage.live.loop.take_one()
        assert stage.live.pictures == before, "each would be a whole screen for the terminal"
        await stage.press("h")
        await stage.until(lambda: isinstance(stage.app.screen, LiveScreen))
        await stage.until(lambda: stage.live.tab == "Threads")

    play(steps, SyntheticSession(Plot(alert=True)), size=size)


def test_a_screen_without_a_person_explains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFTUI_FIRST_LOOK", "1")

    async def steps(stage: Stage) -> None:
        await stage.pictures(2)
        assert isinstance(stage.app.screen, LiveScreen)

    play(steps)


@pytest.mark.parametrize("count", [0, 1, 26, 27, 60, 200, MOST])
def test_no_label_is_the_beginning_of_another(count: int) -> None:
    labels = labels_for(count)
    assert len(set(labels)) == count
    assert all(set(label) <= set(LETTERS) for label in labels)
    single = {label for label in labels if len(label) == 1}
    assert not any(label[0] in single for label in labels if len(label) == 2)


async def jump(stage: Stage, x: int, y: int) -> None:
    """Type the letters that stand at a place."""
    await stage.press("j")
    await stage.until(lambda: isinstance(stage.app.screen, JumpScreen))
    screen = stage.app.screen
    assert isinstance(screen, JumpScreen)
    for label, target in screen._targets.items():
        region = target.widget.content_region
        if (region.x + target.x, region.y + target.y) == (x, y):
            await stage.press(*label)
            return
    raise AssertionError(f"nothing at {x}, {y}: {stage.text}")


def test_letters_go_to_tabs_rows_frames_and_keys() -> None:
    async def steps(stage: Stage) -> None:
        tabs = stage.live.parts.tab_bar
        start = next(start for start, _, tab in tabs._spans if tab == "Alerts")
        await jump(stage, start, tabs.region.y)
        await stage.until(lambda: stage.live.tab == "Alerts")
        start = next(start for start, _, tab in tabs._spans if tab == "Flame")
        await jump(stage, start, tabs.region.y)
        await stage.until(lambda: stage.live.tab == "Flame" and "run_collect" in stage.text)
        lines = stage.lines()
        row = next(y for y, line in enumerate(lines) if "run_collect" in line and "▏" in line)
        await jump(stage, lines[row].index("▏"), row)
        await stage.until(lambda: isinstance(stage.app.screen, LiveScreen))
        await jump(stage, stage.live.parts.footer._spans[0][0], stage.live.parts.footer.region.y)
        await stage.until(lambda: stage.live.selection.paused_at_ns is not None)
        await stage.press("j")
        await stage.until(lambda: isinstance(stage.app.screen, JumpScreen))
        await stage.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, LiveScreen))

    play(steps, SyntheticSession(Plot(alert=True)))


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
def test_the_footer_names_the_keys_of_what_has_them(size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        def footer() -> str:
            return stage.lines()[-1]

        await stage.press("h")
        await stage.until(lambda: "enter flame" in footer())
        assert "← → scrub" not in footer()
        await stage.press("o")
        await stage.until(lambda: "G follow" in footer())
        assert "scrub" not in footer(), "the Log has these keys while time goes on"
        await stage.press("i")
        await stage.until(lambda: "↑↓ rows" in footer())
        assert "scrub" in footer()

    play(steps, size=size)
