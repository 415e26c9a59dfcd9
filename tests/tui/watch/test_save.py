"""`s`: the dialog, what it saves, and that it says why it could not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pytest

pytest.importorskip("pyarrow")

from support.screens.live_stage import Stage, play
from support.screens.recorded import PID, T0, S, record
from support.screens.replay_stage import replay

from perftui.probes.export.formats import FORMATS
from perftui.tui.screens.dialogs.save import SaveScreen
from perftui.tui.session.face import OnDisk
from perftui.tui.session.saving import export_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Steps = Callable[[Stage], Awaitable[None]]

SIZES = [(160, 45), (80, 24)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("shelf") / "job.perftui")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def open_dialog(stage: Stage) -> SaveScreen:
    await stage.press("s")
    await stage.until(lambda: isinstance(stage.app.screen, SaveScreen))
    await stage.pilot.pause()
    return cast("SaveScreen", stage.app.screen)


async def told(stage: Stage, beginning: str) -> str:
    """Wait until the banner says something."""

    def line() -> str:
        answer = stage.live._answer.now
        return answer.text if answer is not None else ""

    await stage.until(lambda: line().startswith(beginning))
    return line()


@pytest.mark.parametrize("size", SIZES)
def test_the_dialog_names_every_format(recording: Path, size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        await open_dialog(stage)
        lines = stage.lines()
        for exporter in FORMATS:
            (line,) = [line for line in lines if f"│ {exporter.name} " in line]
            assert exporter.good_for[:36] in line
        assert any("│ screen" in line for line in lines)
        assert any("of      the whole session" in line for line in lines)
        assert any("perftui export job --format firefox" in line for line in lines)
        await stage.press("escape")
        assert not isinstance(stage.app.screen, SaveScreen)

    replay(steps, recording, size)


def test_the_chosen_range_is_saved(recording: Path, here: Path) -> None:
    async def steps(stage: Stage) -> None:
        live = stage.live
        chosen = live.selection.with_(range=(T0 + 22 * S, T0 + 25 * S), thread=(PID, PID))
        live.shown.choose(chosen)
        await stage.settled()
        await open_dialog(stage)
        assert "of      22.00-25.00 s, thread" in stage.text
        await stage.press("down", "enter")
        assert (await told(stage, "saved")).startswith("saved job.speedscope.json (")

    replay(steps, recording)
    profile = json.loads((here / "job.speedscope.json").read_text())
    assert profile["name"] == "job · 22.000-25.000 s"
    (thread,) = profile["profiles"]
    assert thread["startValue"] == 0
    assert sum(thread["weights"]) == pytest.approx(3.0, abs=0.02)


def test_the_whole_can_be_saved_with_a_range_chosen(recording: Path, here: Path) -> None:
    async def steps(stage: Stage) -> None:
        stage.live.shown.choose(stage.live.selection.with_(range=(T0 + 22 * S, T0 + 25 * S)))
        await stage.settled()
        await open_dialog(stage)
        await stage.press("down", "ctrl+r", "tab", "ctrl+u", *"mine.json", "enter")
        await told(stage, "saved mine.json")

    replay(steps, recording)
    profile = json.loads((here / "mine.json").read_text())
    assert profile["name"].startswith("job · 0.000-60.0")


def test_a_file_that_is_there_is_replaced_by_a_second_enter_only(
    recording: Path, here: Path
) -> None:
    (here / "job.pb.gz").write_text("mine")

    async def steps(stage: Stage) -> None:
        await open_dialog(stage)
        await stage.press("down", "down", "down", "enter")
        assert "it is there already" in stage.text
        assert (here / "job.pb.gz").read_text() == "mine"
        await stage.press("enter")
        await told(stage, "saved job.pb.gz")

    replay(steps, recording)
    assert (here / "job.pb.gz").read_bytes().startswith(b"\x1f\x8b")


def test_what_cannot_be_saved_says_why(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await open_dialog(stage)
        await stage.press("tab", "ctrl+u", *"no/x", "enter")
        said = await told(stage, "nothing was saved")
        assert said == "nothing was saved: cannot write no/x: No such file or directory"

    replay(steps, recording)


def test_the_screen_is_saved_without_the_dialog(recording: Path, here: Path) -> None:
    async def steps(stage: Stage) -> None:
        await open_dialog(stage)
        await stage.press("up", "enter")  # the last of the list
        await told(stage, "saved job.svg")

    replay(steps, recording)
    picture = (here / "job.svg").read_text()
    assert "REPLAY" in picture
    assert "everything&#160;on&#160;one" not in picture


def test_a_session_that_is_not_recorded_offers_the_screen_only(here: Path) -> None:
    async def steps(stage: Stage) -> None:
        await open_dialog(stage)
        assert "this session is not recorded" in stage.text
        assert "speedscope" not in stage.text
        await stage.press("enter")
        await told(stage, "saved perftui.svg")

    play(steps)
    assert (here / "perftui.svg").is_file()


def test_a_live_session_knows_its_recording() -> None:
    from perftui.probes.session import Session

    assert issubclass(Session, OnDisk)


def test_a_name_that_looks_like_an_option_is_none() -> None:
    from perftui.tui.session.saving import WHOLE

    words = export_words("a", "pprof", WHOLE, "--force")
    assert words[-1] == "--output=--force"
