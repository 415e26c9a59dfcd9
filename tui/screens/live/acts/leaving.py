"""Leaving the live screen: what becomes of the target is asked where somebody has to say it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from perftui.tui.screens.dialogs.asking import ask_first

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.live.acts.requests import Parting, Requests
    from perftui.tui.screens.live.acts.shown import Shown


class Leaving:
    """Answers `q`.

    Args:
        screen: Is left.
        requests: What becomes of the target is asked for there.
        shown: What is on the screen.
        leads_back: There is a screen below: leaving goes back to it, and asks nothing.
    """

    def __init__(
        self, screen: Screen[None], requests: Requests, shown: Shown, *, leads_back: bool
    ) -> None:
        self._screen = screen
        self._requests = requests
        self._shown = shown
        self.leads_back = leads_back

    def leave_or_ask(self) -> None:
        """Leave; ask first what becomes of a launched target that runs."""
        screen = self._screen
        if self.leads_back:
            screen.dismiss(None)
        elif not self._requests.owns_target:
            screen.app.exit(0)
        elif self._requests.target_waits:  # its work is done: there is nothing to ask
            screen.call_later(self._leave, "let go")
        else:
            self._ask()

    def _ask(self) -> None:
        from perftui.tui.screens.dialogs.quit import QuitScreen

        view = self._shown.view
        title = view.target.title if view is not None else ""
        ask_first(
            self._screen,
            QuitScreen(title or "the target"),
            {"stop": partial(self._leave, "stop"), "leave": partial(self._leave, "leave")},
        )

    async def _leave(self, how: Parting) -> None:
        if await self._requests.part(how):
            self._screen.app.exit(0)
