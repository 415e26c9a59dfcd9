"""A running app under a pilot, with what the tests of screens ask of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from textual.app import App

from support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

AppT = TypeVar("AppT", bound=App[Any])


class ScreenStage(Generic[AppT]):
    """What is on the screen, and the keys; each file of tests adds its own screen."""

    def __init__(self, app: AppT, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; fail with what the screen shows if it does not come."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"did not come true:\n{self.text}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, and see what they do."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def lines(self) -> list[str]:
        """Return the rows of the screen as plain text."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    @property
    def text(self) -> str:
        """The whole screen as plain text."""
        return "\n".join(self.lines())
