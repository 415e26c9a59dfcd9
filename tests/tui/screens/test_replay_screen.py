"""The live screen on a recording, under a pilot: how it opens, plays, jumps and selects."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, cast

import pytest

pytest.importorskip("pyarrow")

from support.screens.live_stage import LiveStage as Stage
from support.screens.recorded import LENGTH_S, T0, S, Writer, record
from support.screens.replay_stage import replay

from perftui.probes.recording.read.container import open_container
from perftui.tui.app import PerftuiApp
from perftui.tui.screens.dialogs.quit import QuitScreen
from perftui.tui.screens.live.panes import PANES
from perftui.tui.session.recorded import RecordedSession, open_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Steps = Callable[[Stage], Awaitable[None]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("shelf") / "job.perftui")


def interrupted(folder: Path) -> Path:
    """A recording whose recorder has gone without closing it."""
    path = record(folder / "torn.perftui", seconds=45, close=False)
    meta = path / "meta.json"
    told = json.loads(meta.read_text())
    told["recorder"]["start"] = "another process of that number"
    meta.write_text(json.dumps(told))
    return path


def shown_s(stage: Stage) -> tuple[float, float]:
    """What the tabs are about, in seconds of the recording."""
    view = stage.live.view
    assert view is not None
    return ((view.range[0] - T0) / S, (view.range[1] - T0) / S)


def cursor_s(stage: Stage) -> float:
    cursor = stage.live.selection.cursor_ns
    assert cursor is not None
    return (cursor - T0) / S


def test_it_opens_whole_and_marks_where_the_first_alert_began(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.settled()
        assert "‖ REPLAY 00:22.0 / 01:00.0" in stage.lines()[0]
        assert cursor_s(stage) == 22
        assert shown_s(stage) == (0, LENGTH_S)
        assert "mem growth" in stage.lines()[1]
        for name in ("parse", "merge", "answer"):  # the flame is about all of it
            await stage.until(lambda name=name: name in pane(stage))  # type: ignore[misc]
        for phase in ("load", "build", "serve"):
            assert phase in stage.text
        assert "job  " in stage.lines()[-1], "name and size of the recording"
        assert "space play 1x" in stage.lines()[-1]

    replay(steps, recording)


def test_quitting_asks_nothing(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("q")
        assert not isinstance(stage.app.screen, QuitScreen)
        assert stage.app._exit

    replay(steps, recording)


def test_space_plays_from_the_cursor_and_stops(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        # Slow enough that the end is not reached before a busy machine has looked.
        await stage.press("home")
        await stage.press(*["plus"] * 3)
        assert "8x" in stage.text
        await stage.press("space")
        await stage.until(lambda: "▶ REPLAY 8x" in stage.lines()[0])
        await stage.until(lambda: cursor_s(stage) > 5)
        await stage.press("space")
        stopped = cursor_s(stage)
        await stage.settled()
        assert "‖ REPLAY" in stage.lines()[0]
        begin, end = shown_s(stage)
        assert begin <= stopped <= end
        await stage.pilot.pause(0.3)
        assert cursor_s(stage) == stopped

    replay(steps, recording)


def test_playing_stops_at_the_end(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        # Slow until a busy machine has looked, then fast.
        await stage.press(*["plus"] * 2, "end", "space")
        await stage.until(lambda: stage.live.player.playing)
        assert cursor_s(stage) < LENGTH_S / 2
        await stage.press(*["plus"] * 4)
        await stage.until(lambda: not stage.live.player.playing)
        assert cursor_s(stage) == LENGTH_S

    replay(steps, recording)


def test_speed_keeps_its_limits(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press(*["plus"] * 20)
        assert stage.live.player.speed == 64
        await stage.press(*["minus"] * 20)
        assert stage.live.player.speed == 0.25

    replay(steps, recording)


def test_arrows_move_the_cursor_and_every_tab_follows(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("home")
        await stage.settled()
        assert cursor_s(stage) == 0
        assert shown_s(stage) == (0, 0.5)
        await stage.press("right")
        one = cursor_s(stage)
        assert 0 < one < 2
        await stage.press("shift+right")
        assert cursor_s(stage) == pytest.approx(11 * one, rel=0.01)

    replay(steps, recording)


def test_comma_and_full_stop_go_by_samples(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("g", *"30", "enter")
        await stage.until(lambda: cursor_s(stage) == 30)
        await stage.press("full_stop")
        assert cursor_s(stage) == 30.05
        await stage.press("full_stop", "comma", "comma", "comma")
        assert cursor_s(stage) == 29.95
        await stage.press("g", *"12.52", "enter", "comma")
        assert cursor_s(stage) == 12.5

    replay(steps, recording)


@pytest.mark.parametrize(
    ("typed", "second"), [("12.5", 12.5), ("-30s", 30), ("50%", 30), ("0:41", 41), ("+3", 25)]
)
def test_g_goes_to_a_moment(recording: Path, typed: str, second: float) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("g", *typed, "enter")
        await stage.until(lambda: cursor_s(stage) == second)
        await stage.settled()
        assert shown_s(stage) == (second - 0.5, second + 0.5)

    replay(steps, recording)


def test_g_with_a_time_of_day(recording: Path) -> None:
    from datetime import datetime

    async def steps(stage: Stage) -> None:
        session = cast("RecordedSession", stage.live.session)
        wall = session.wall_ns(T0 + 45 * S)
        assert wall is not None
        at = datetime.fromtimestamp(wall / S)
        await stage.press("g", *at.strftime("%H:%M:%S"), "enter")
        await stage.until(lambda: 44 <= cursor_s(stage) <= 45)

    replay(steps, recording)


def test_g_says_what_it_takes_and_esc_leaves_it(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("g", *"soon", "enter")
        assert "'soon' is not a moment; write 12.5" in stage.lines()[1]
        await stage.press("g", *"2h", "enter")
        assert "not within the session, which is 60.0 s long" in stage.lines()[1]
        await stage.press("g", *"space", "escape")
        assert not stage.live.player.playing
        await stage.press("t")
        assert stage.live.tab == "Top"

    replay(steps, recording)


def test_braces_go_to_phases_and_n_p_to_events_and_alerts(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("home", "right_curly_bracket")
        await stage.until(lambda: cursor_s(stage) == 20)
        assert "phase  build  at 00:20.0  20.0 s long" in stage.lines()[1]
        await stage.press("right_curly_bracket")
        await stage.until(lambda: cursor_s(stage) == 40)
        await stage.press("left_curly_bracket", "n")
        await stage.until(lambda: cursor_s(stage) == 22)
        assert "alert  RSS grows" in stage.lines()[1]
        await stage.press("g", *"29", "enter", "semicolon")
        await stage.until(lambda: cursor_s(stage) == 30)
        assert "half way" in stage.lines()[1]

    replay(steps, recording)


def test_figures_are_those_of_the_cursor(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("g", *"10", "enter")
        await stage.until(lambda: cursor_s(stage) == 10)
        await stage.settled()
        assert "─ RSS ─ 50.0 MB" in stage.text
        await stage.press("end")
        await stage.settled()
        assert "─ RSS ─ 221 MB" in stage.text

    replay(steps, recording)


TABS_IN_BUILD = {
    "f": ("merge", "parse"),
    "t": ("merge", "answer"),
    "h": ("MainThread", "no threads"),
    "M": ("merge", "answer"),
    "P": ("build", "load"),
    "o": ("line of second 27", "line of second 5"),
}


@pytest.mark.parametrize("key", TABS_IN_BUILD)
def test_a_range_is_all_that_a_tab_shows(recording: Path, key: str) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("g", *"25", "enter", "left_square_bracket")
        await stage.press("g", *"35", "enter", "right_square_bracket", key)
        await stage.settled()
        await stage.pictures(0)
        chosen = stage.live.selection.range
        assert chosen == (T0 + 25 * S, T0 + 35 * S)
        await stage.until(lambda: TABS_IN_BUILD[key][0] in pane(stage))
        assert TABS_IN_BUILD[key][1] not in pane(stage)
        await stage.press("end")
        await stage.settled()
        assert stage.live.selection.range is None

    replay(steps, recording)


def test_imports_of_a_range(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("i")
        await stage.until(lambda: "decimal" in pane(stage))
        await stage.press("g", *"25", "enter")
        await stage.until(lambda: "nothing was imported in this range" in pane(stage))

    replay(steps, recording)


def pane(stage: Stage) -> str:
    """The text below the tabs."""
    lines = stage.lines()
    row = next(n for n, line in enumerate(lines) if "Flame ─ Top" in line)
    return "\n".join(lines[row + 1 : -1])


def test_enter_selects_the_alert_once_and_is_free_again(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        assert "Enter show" in stage.lines()[1]
        await stage.press("enter")
        await stage.settled()
        assert stage.live.selection.range == (T0 + 22 * S, T0 + 38 * S)
        await stage.press("escape", "t")
        await stage.settled()
        await stage.until(lambda: "merge" in pane(stage))
        await stage.press("g", *"30", "enter")
        await stage.settled()
        assert "mem growth" in stage.lines()[1]
        assert "Enter show" not in stage.lines()[1]
        await stage.press("down", "enter")
        await stage.until(lambda: stage.live.tab == "Flame")
        assert stage.live.selection.filter == "merge"

    replay(steps, recording)


def test_the_memory_tab_names_who_grew_and_leads_to_the_flame(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("enter", "M")
        await stage.settled()
        await stage.until(lambda: "merge" in pane(stage))
        assert "RSS" in pane(stage)
        assert "100 %" in pane(stage)
        await stage.press(*["down"] * 2, "enter")
        await stage.until(lambda: stage.live.tab == "Flame")
        assert stage.live.selection.filter == "merge"

    replay(steps, recording)


def test_the_alerts_tab_lists_and_selects(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("enter", "escape", "a")
        await stage.settled()
        text = pane(stage)
        assert "1 alert" in text, "that it cleared is not another one"
        assert "00:22.0" in text
        assert "16.0 s" in text
        await stage.press("down", "enter")
        await stage.settled()
        assert stage.live.selection.range == (T0 + 22 * S, T0 + 38 * S)

    replay(steps, recording)


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 15)])
def test_every_tab_at_every_size(recording: Path, size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        for _ in PANES:
            await stage.press("tab")
            await stage.settled()
            lines = stage.lines()
            assert len(lines) == size[1]
            assert "REPLAY" in lines[0]
            assert "q quit" in lines[-1]

    replay(steps, recording, size)


def test_a_packed_recording_is_the_same(recording: Path, tmp_path: Path) -> None:
    from perftui.probes.recording.read.reader import open_recording
    from perftui.probes.recording.shelf.pack import pack

    packed = pack(open_recording(recording), tmp_path / "job.perftui.zip").path

    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "‖ REPLAY 00:22.0 / 01:00.0" in stage.lines()[0])
        await stage.until(lambda: "merge" in pane(stage))

    replay(steps, packed)


def test_an_interrupted_recording_says_so(tmp_path: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.settled()
        assert "▲ INTERRUPTED" in stage.lines()[0]
        assert "interrupted, reason unknown" in stage.lines()[1]
        assert "45.0 s of 45.0 s read" in stage.lines()[1]
        await stage.until(lambda: "merge" in pane(stage))

    replay(steps, interrupted(tmp_path))


def test_following_shows_what_is_written_meanwhile(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "now.perftui")
    for second in range(8):
        writer.second(second)
    writer.recording.heartbeat()
    session = open_session(open_container(tmp_path / "now.perftui"), "follow")

    async def run() -> None:
        app = PerftuiApp(session)
        async with app.run_test(size=(160, 45)) as pilot:
            stage = Stage(app, pilot)
            await stage.until(lambda: stage.live.pictures >= 1)
            assert "● FOLLOWING 00:08" in stage.lines()[0]
            await stage.press("o")
            await stage.until(lambda: "line of second 7" in pane(stage))
            for second in range(8, 14):
                writer.second(second)
            writer.recording.heartbeat()
            await stage.until(lambda: "line of second 13" in pane(stage))
            await stage.until(lambda: "● FOLLOWING 00:14" in stage.lines()[0])
            await stage.press("q")
            assert app._exit, "there is nothing to ask"

    asyncio.run(run())
    session.close()


def test_a_followed_recording_that_is_closed_becomes_a_replay(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "now.perftui")
    for second in range(3):
        writer.second(second)
    writer.recording.heartbeat()
    session = open_session(open_container(tmp_path / "now.perftui"), "follow")

    async def run() -> None:
        app = PerftuiApp(session)
        async with app.run_test(size=(160, 45)) as pilot:
            stage = Stage(app, pilot)
            await stage.until(lambda: stage.live.pictures >= 1)
            writer.end(3)
            await stage.until(lambda: "‖ REPLAY" in stage.lines()[0])
            await stage.until(lambda: "finished" in stage.lines()[1])
            # As slow as it goes: 12 s, until a busy machine has looked.
            await stage.press(*["minus"] * 20, "space")
            await stage.until(lambda: stage.live.player.playing)

    asyncio.run(run())
    session.close()


def test_nothing_can_be_added_to_a_recording(recording: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("m")
        assert "no mark can be added" in stage.text

    replay(steps, recording)
