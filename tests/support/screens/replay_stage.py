"""The live screen on a recording, under a pilot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perftui.probes.recording.read.container import open_container
from perftui.tui.app import PerftuiApp
from perftui.tui.session.recorded import open_session
from support.screens.live_stage import LiveStage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Steps = Callable[[LiveStage], Awaitable[None]]


def replay(steps: Steps, path: Path, size: tuple[int, int] = (160, 45)) -> None:
    session = open_session(open_container(path))

    async def run() -> None:
        app = PerftuiApp(session)
        async with app.run_test(size=size) as pilot:
            stage = LiveStage(app, pilot)
            stage.live.player.refresh_hz, stage.live.loop.paced = 20, False
            await stage.until(lambda: stage.live.pictures >= 1)
            await steps(stage)

    asyncio.run(run())
    session.close()
