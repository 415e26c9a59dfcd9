"""The home screen under a pilot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from perftui.tui.app import _HomeApp
from support.screens.screen_stage import ScreenStage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from perftui.tui.screens.home.choice import HomeChoice, ListName
    from perftui.tui.screens.home.screen import HomeScreen


class HomeStage(ScreenStage[_HomeApp]):
    """A running home screen."""

    @property
    def home(self) -> HomeScreen:
        """The screen."""
        return cast("HomeScreen", self.app.screen_stack[1])


def play_home(
    steps: Callable[[HomeStage], Awaitable[None]],
    size: tuple[int, int] = (160, 45),
    current: ListName = "recordings",
    places: dict[ListName, Hashable] | None = None,
    message: str = "",
) -> HomeChoice | None:
    """Run the home screen through `steps`; returns what it was left with."""
    app = _HomeApp(message, current, places)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            stage = HomeStage(app, pilot)
            await stage.until(lambda: len(app.screen_stack) == 2)
            await steps(stage)
            await pilot.pause()

    asyncio.run(run())
    return app.return_value
