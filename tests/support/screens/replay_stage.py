"""The live screen on a recording, under a pilot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from perftui.probes.recording.read.container import open_container
from perftui.tui.app import PerftuiApp
from perftui.tui.session.recorded import open_session
from support.screens.live_stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from support.screens.fake_reader import FakeSession
    from support.screens.live_stage import Steps


def replay(steps: Steps, path: Path, size: tuple[int, int] = (160, 45)) -> None:
    session = open_session(open_container(path))

    async def run() -> None:
        app = PerftuiApp(session)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, cast("FakeSession", session))
            stage.live.player.refresh_hz, stage.live.paced = 20, False
            await stage.until(lambda: stage.live.pictures >= 1)
            await steps(stage)

    asyncio.run(run())
    session.close()
