"""The verdict over the tabs: at the end, at the start of a recording, by key; Enter goes there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyarrow")

from support.recordings.made import make_own
from support.screens.live_stage import LiveStage

from perftui.probes.recording.read.container import open_container
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.verdict.ranked import verdict
from perftui.tui.app import PerftuiApp
from perftui.tui.session.recorded import open_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_own(tmp_path_factory.mktemp("card") / "a.perftui", 32)


def opened(
    steps: Callable[[LiveStage], Awaitable[None]], path: Path, size: tuple[int, int]
) -> None:
    session = open_session(open_container(path))

    async def run() -> None:
        app = PerftuiApp(session, tells_verdict=True)
        async with app.run_test(size=size) as pilot:
            stage = LiveStage(app, pilot)
            stage.live.player.refresh_hz, stage.live.loop.paced = 20, False
            await stage.until(lambda: stage.live.parts.card.display)
            await steps(stage)

    asyncio.run(run())
    session.close()


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
def test_a_recording_opens_with_it_and_enter_goes_to_the_first(
    recorded: Path, size: tuple[int, int]
) -> None:
    found = verdict(open_recording(recorded)).findings

    async def steps(stage: LiveStage) -> None:
        card = stage.live.parts.card
        assert card.has_focus
        lines = stage.text.splitlines()
        head = next(n for n, line in enumerate(lines) if "what happened" in line)
        for each, line in zip(found, lines[head + 1 :], strict=False):
            assert each.text[:20] in line
        assert all(len(line) <= size[0] for line in lines)
        await stage.press("down", "enter")
        await stage.until(lambda: not card.display and stage.live.tab == found[1].tab)
        chosen = stage.live.selection.range
        assert chosen is None or chosen[0] == found[1].t0_ns

    opened(steps, recorded, size)


def test_it_goes_away_and_comes_back_and_takes_no_other_key(recorded: Path) -> None:
    async def steps(stage: LiveStage) -> None:
        card = stage.live.parts.card
        await stage.press("escape")
        await stage.until(lambda: not card.display)
        assert stage.live.selection.cursor_ns is not None  # esc sent the card away, no more
        await stage.press("V")
        await stage.until(lambda: card.display and card.has_focus)
        await stage.press("t")  # a key of the screen
        await stage.until(lambda: stage.live.tab == "Top" and not card.display)

    opened(steps, recorded, (120, 35))
