"""The live screen over a synthetic session, under a pilot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from perftui.tui.app import PerftuiApp
from support.screens.screen_stage import ScreenStage
from support.screens.synthetic_session import SyntheticSession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from perftui.tui.screens.live.screen import LiveScreen

    Steps = Callable[["Stage"], Awaitable[None]]


class LiveStage(ScreenStage[PerftuiApp]):
    """A running app with what the tests ask of its live screen."""

    @property
    def live(self) -> LiveScreen:
        return cast("LiveScreen", self.app.screen_stack[0])

    async def pictures(self, more: int = 1) -> None:
        """Wait until so many more pictures have been drawn."""
        goal = self.live.pictures + more
        self.live.loop.wake()  # the next one need not be waited for
        await self.until(lambda: self.live.pictures >= goal)

    async def settled(self) -> None:
        """Wait until the picture shows what was chosen."""
        await self.until(
            lambda: self.live.view is not None and self.live.view.selection == self.live.selection
        )


class Stage(LiveStage):
    """One over a synthetic session."""

    def __init__(self, app: PerftuiApp, pilot: Pilot[int], session: SyntheticSession) -> None:
        super().__init__(app, pilot)
        self.session = session


def play(
    steps: Steps,
    session: SyntheticSession | None = None,
    size: tuple[int, int] = (160, 45),
    *,
    ascii_only: bool = False,
) -> SyntheticSession:
    """Run an app over a session through `steps`."""
    session = session or SyntheticSession()

    async def run() -> None:
        app = PerftuiApp(session, ascii_only=ascii_only)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, session)
            stage.live.player.refresh_hz, stage.live.loop.paced = 20, False
            await stage.until(lambda: stage.live.pictures >= 2)
            await steps(stage)

    asyncio.run(run())
    return session
