"""Having the program trace its allocations, after a question that says what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.live.acts.requests import Requests


class TracingAllocations:
    """Asks whether and for how long, then asks the program.

    Args:
        screen: Where the question is shown.
        requests: The program is asked there.
    """

    def __init__(self, screen: Screen[None], requests: Requests) -> None:
        self._screen = screen
        self._requests = requests

    def ask(self) -> None:
        """Show the question."""
        from perftui.tui.screens.dialogs.trace import TraceScreen

        self._screen.app.push_screen(TraceScreen(), self._answered)

    async def _answered(self, answer: str | None) -> None:
        if answer is not None and answer.isdecimal():
            await self._requests.trace(float(answer))
