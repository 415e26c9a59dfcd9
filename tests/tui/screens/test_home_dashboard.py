"""Home as a dashboard: what happened in each recording, how a program does over its runs, one's
own script, and the place that one comes back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyarrow")

from support.recordings.made import make
from support.screens.home_stage import HomeStage as Stage
from support.screens.home_stage import play_home as play

from perftui.probes.own.python import own_module, own_script
from perftui.probes.process.running import is_helper
from perftui.probes.recording.shelf.shelf import entries
from perftui.probes.verdict.glance import NOTHING, glance
from perftui.tui.screens.dialogs.help import HelpScreen
from perftui.tui.screens.home.choice import HomeChoice, ListName
from perftui.tui.screens.home.script import common_start, completions
from perftui.tui.widgets.tables.home_lists import sparkline, trend_text

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of the same program."""
    shelf = tmp_path_factory.mktemp("dashboard")
    make(shelf / "first.perftui", 12)
    make(shelf / "second.perftui", 16, seed=2)
    return shelf


@pytest.fixture
def shelf(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_a_recording_shows_its_memory_what_happened_and_the_runs_before(shelf: Path) -> None:
    seen = {entry.name: glance(entry.path, entry.file_bytes, entry.wall_ns) for entry in entries()}
    first = seen["second"].findings[0][:24]
    curve = sparkline(seen["second"].rss, 7)
    assert curve.strip()

    async def steps(stage: Stage) -> None:
        await stage.until(lambda: first in stage.text and curve in stage.text)
        assert "2 runs: " in stage.text

    play(steps)


def test_what_was_seen_is_kept_and_another_recording_is_looked_into(shelf: Path) -> None:
    (entry, other) = entries()
    first = glance(entry.path, entry.file_bytes, entry.wall_ns)
    assert len(first.rss) > 1
    assert glance(shelf / "gone.perftui", 1, 1) == NOTHING
    entry.path.rename(shelf / "moved")  # what is kept needs no recording
    try:
        assert glance(entry.path, entry.file_bytes, entry.wall_ns) == first
        assert glance(entry.path, entry.file_bytes + 1, entry.wall_ns) == NOTHING
    finally:
        (shelf / "moved").rename(entry.path)
    assert glance(other.path, other.file_bytes, other.wall_ns) != first


def test_the_trend_is_that_of_the_same_program(shelf: Path) -> None:
    (new, old) = sorted(entries(), key=lambda entry: entry.name, reverse=True)
    old, new = old._replace(wall_ns=1), new._replace(wall_ns=2)
    text = trend_text(new, [new, old, old._replace(argv=("other",), duration_s=99.0)])
    assert text.startswith("2 runs: ")
    assert "99" not in text
    assert text.index("12.0 s") < text.index("▸16.0 s")
    assert trend_text(new, [new]) == ""


def test_a_sparkline_begins_at_zero_and_keeps_its_peak() -> None:
    assert sparkline((0.0, 50.0, 100.0, None), 4) == "▁▅█ "
    assert sparkline(tuple(float(n == 17) for n in range(24)), 12).count("█") == 1
    assert sparkline((), 4) == sparkline((None, 0.0), 4) == ""


def test_a_small_terminal_names_the_other_lists(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "Recordings · 2" in stage.lines()[0])
        assert "Scenarios" in stage.lines()[0]
        assert "Processes" in stage.lines()[0]

    play(steps, size=(80, 24))


@pytest.mark.parametrize("key", ["question_mark", "f1"])
def test_help_names_the_keys(shelf: Path, key: str) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press(key)
        await stage.until(lambda: isinstance(stage.app.screen, HelpScreen))
        assert "run my script" in stage.text

    play(steps)


def test_the_place_in_a_list_survives_coming_back(shelf: Path) -> None:
    places: dict[ListName, Hashable] = {}

    async def leave(stage: Stage) -> None:
        await stage.until(lambda: "Recordings · 2" in stage.text)
        await stage.press("down", "enter")

    choice = play(leave, places=places)
    assert choice is not None

    async def back(stage: Stage) -> None:
        table = stage.home._recordings_box.table
        await stage.until(lambda: str(table.cursor) == choice.words[0])

    play(back, places=places)
    assert places["recordings"] == choice.words[0]


def test_a_script_is_completed_and_run(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "nightly.py").write_text("pass")
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    assert completions("jo") == ["jobs/"]
    assert completions("jobs/n") == ["jobs/nightly.py"]
    assert completions("-m x jobs/") == ["-m x jobs/nightly.py"]
    assert completions("no") == completions("gone/x") == []
    assert common_start(["nightly.py", "night.py"]) == "night"

    async def steps(stage: Stage) -> None:
        await stage.press("r", *"jo", "tab", "tab")
        await stage.press("space", *"7", "enter")

    assert play(steps) == HomeChoice("run", ("jobs/nightly.py", "7"), "recordings")


def test_a_script_that_is_not_there_is_said(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("r", *"gone.py", "enter")
        await stage.until(lambda: "there is no file gone.py" in stage.text)
        await stage.press("escape", "q")

    assert play(steps) is None


def test_our_own_helpers_are_not_offered(tmp_path: Path) -> None:
    assert is_helper(own_module("perftui.probes.sampler"))
    assert is_helper(own_script(tmp_path / "clone/probes/sampler/start.py", "--rate", "9"))
    assert not is_helper(["python", "/src/clone/probes/sampler/start.py"])
    assert not is_helper(["python", str(tmp_path / "app.py")])
    assert not is_helper(["python", "-I", "app.py"])
    assert not is_helper(own_script(tmp_path / "app.py"))


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
def test_each_row_says_what_happened_at_any_size(shelf: Path, size: tuple[int, int]) -> None:
    seen = {entry.name: glance(entry.path, entry.file_bytes, entry.wall_ns) for entry in entries()}

    async def steps(stage: Stage) -> None:
        for each in seen.values():
            await stage.until(lambda each=each: each.findings[0][:20] in stage.text)  # type: ignore[misc]

    play(steps, size=size)
