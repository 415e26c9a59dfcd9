"""The home screen under a pilot: three lists, a form, renaming, deleting, marking."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyarrow")

from support.screens.home_stage import HomeStage as Stage
from support.screens.home_stage import play_home
from support.screens.recorded import record

from perftui.tui.screens.home.choice import HomeChoice, ListName
from perftui.tui.screens.home.dialogs import RunForm
from perftui.tui.widgets.tables.home_lists import when_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


HOMELY = f"homely{os.getpid()}"
"""In the command line of no other process."""


def play(
    steps: Callable[[Stage], Awaitable[None]],
    size: tuple[int, int] = (160, 45),
    current: ListName = "scenarios",
) -> HomeChoice | None:
    """Run the home screen, as one comes back to it, through `steps`."""
    return play_home(steps, size, current, message="back from there")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path))
    record(tmp_path / "first.perftui", seconds=6)
    record(tmp_path / "second.perftui", seconds=4)
    return tmp_path


def test_three_lists_fill_and_say_how_many(shelf: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(600) # {HOMELY}"])
    try:

        async def steps(stage: Stage) -> None:
            await stage.until(lambda: "duckdb-query" in stage.text)
            await stage.until(lambda: "Recordings · 2" in stage.text)
            # Of others there may be more than the list has rows.
            await stage.until(lambda: re.search(r"Processes · [1-9]", stage.text) is not None)
            assert "Scenarios · " in stage.text
            assert "first" in stage.text
            assert "back from there" in stage.text
            # A busy machine has more processes than rows.
            await stage.press("tab", "slash", *HOMELY, "enter")
            await stage.until(lambda: "Processes · 1 " in stage.text)
            assert str(other.pid) in stage.text

        assert play(steps) is None
    finally:
        other.kill()
        other.wait()


def test_a_small_terminal_shows_one_list_at_a_time(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "duckdb-query" in stage.text)
        assert "Recordings" not in "\n".join(stage.lines()[1:])
        await stage.press("tab", "tab")
        await stage.until(lambda: "Recordings · 2" in stage.text)
        assert "duckdb-query" not in stage.text
        assert "q quit" in stage.text
        assert "delete" in stage.text

    play(steps, (80, 24))


def test_a_scenario_is_run_with_what_was_typed(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "lock-wait" in stage.text)
        await stage.press("slash", *"lock-wait", "enter")
        await stage.until(lambda: "Scenarios · 1 of" in stage.text)
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, RunForm))
        assert "perftui run lock-wait" in stage.text
        form = stage.app.screen
        assert isinstance(form, RunForm)
        field = next(f for f in form._fields if f.field == "seconds")
        field.input.value = "soon"
        await stage.until(lambda: "seconds=soon: seconds is" in stage.text)
        await stage.press("enter")
        assert isinstance(stage.app.screen, RunForm), "a bad value is not run"
        field.input.value = "1.5"
        await stage.until(lambda: "perftui run lock-wait -p seconds=1.5" in stage.text)
        await stage.press("enter")

    assert play(steps) == HomeChoice("run", ("lock-wait", "-p", "seconds=1.5"), "scenarios")


def test_a_process_is_attached_to(shelf: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(600) # {HOMELY}"])
    try:

        async def steps(stage: Stage) -> None:
            await stage.press("tab", "slash", *HOMELY, "enter")
            # "1 of N", or "1" where no other Python process runs.
            await stage.until(lambda: "Processes · 1 " in stage.text)
            await stage.press("enter")

        assert play(steps) == HomeChoice("attach", (str(other.pid),), "processes")
    finally:
        other.kill()
        other.wait()


def test_a_recording_is_opened(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "second" in stage.text)
        await stage.press("slash", *"first", "enter", "enter")

    assert play(steps, current="recordings") == HomeChoice(
        "open", (str(shelf / "first.perftui"),), "recordings"
    )


def test_a_recording_is_renamed(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "Recordings · 2" in stage.text)
        await stage.press("slash", *"first", "enter", "R")
        await stage.until(lambda: "rename first" in stage.text)
        await stage.press(*["backspace"] * 5, *"baseline", "enter", "escape")
        await stage.until(lambda: "baseline" in stage.text)
        await stage.press("R", *["backspace"] * 9, *"second", "enter")
        await stage.until(lambda: "there is a recording 'second' already" in stage.text)

    play(steps, current="recordings")
    assert sorted(path.name for path in shelf.iterdir()) == ["baseline.perftui", "second.perftui"]


def test_deleting_asks_and_only_y_deletes(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "Recordings · 2" in stage.text)
        await stage.press("slash", *"first", "enter", "D")
        await stage.until(lambda: "first is deleted for good" in stage.text)
        await stage.press("enter")
        assert (shelf / "first.perftui").exists()
        await stage.press("D")
        await stage.until(lambda: "first is deleted for good" in stage.text)
        await stage.press("y")
        await stage.until(lambda: "deleted first" in stage.text)

    play(steps, current="recordings")
    assert [path.name for path in shelf.iterdir()] == ["second.perftui"]


def test_two_marks_name_the_command_that_compares(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "Recordings · 2" in stage.text)
        await stage.press("space")
        await stage.until(lambda: "one is marked" in stage.text)
        await stage.press("down", "space")
        await stage.until(lambda: "c compares: perftui compare first second" in stage.text)
        await stage.press("space")
        await stage.until(lambda: "one is marked" in stage.text)

    play(steps, current="recordings")


def test_c_compares_the_two_that_are_marked(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "Recordings · 2" in stage.text)
        await stage.press("c")
        await stage.until(lambda: "mark two recordings with space" in stage.text)
        await stage.press("space", "down", "space", "c")

    choice = play(steps, current="recordings")
    assert choice is not None
    assert choice.kind == "compare"
    assert [word.rpartition("/")[2] for word in choice.words] == [
        "first.perftui",
        "second.perftui",
    ]


def test_what_cannot_be_read_says_why(shelf: Path) -> None:
    (shelf / "torn.perftui").mkdir()
    (shelf / "torn.perftui" / "meta.json").write_text("{")

    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "Recordings · 3" in stage.text)
        assert "damaged" in stage.text
        await stage.press("slash", *"torn", "enter", "enter")
        await stage.until(lambda: "its meta.json cannot be read" in stage.text)
        assert len(stage.app.screen_stack) == 2

    assert play(steps, current="recordings") is None


def test_nothing_recorded_yet_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path / "none"))

    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "nothing was recorded yet" in stage.text)
        await stage.press("D", "R", "space", "enter")
        assert len(stage.app.screen_stack) == 2
        await stage.press("q")

    assert play(steps, current="recordings") is None


def test_times_of_day_are_short() -> None:
    now = datetime(2026, 3, 4, 12, 0, 0)

    def text(*when: int) -> str:
        return when_text(round(datetime(*when).timestamp() * 1e9), now)  # type: ignore[arg-type]

    assert text(2026, 3, 4, 9, 5, 1) == "09:05:01"
    assert text(2026, 1, 2, 9, 5, 1) == "2 Jan 09:05"
    assert text(2024, 1, 2, 9, 5, 1) == "2 Jan 2024"
