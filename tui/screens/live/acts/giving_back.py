"""Having the program give back memory that it does not use, after a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.dialogs.release import Answer
    from perftui.tui.screens.live.acts.requests import Requests


class GivingBack:
    """Asks whether, then asks the program.

    Args:
        screen: Where the question is shown.
        requests: The program is asked there.
    """

    def __init__(self, screen: Screen[None], requests: Requests) -> None:
        self._screen = screen
        self._requests = requests

    def ask(self) -> None:
        """Show the question."""
        from perftui.tui.screens.dialogs.release import ReleaseScreen

        self._screen.app.push_screen(ReleaseScreen(), self._answered)

    async def _answered(self, answer: Answer | None) -> None:
        if answer == "yes":
            await self._requests.release()
