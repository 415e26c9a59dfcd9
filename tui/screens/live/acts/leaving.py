"""Leaving the live screen: what becomes of the target is asked where somebody has to say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.dialogs.quit import Answer
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
        from perftui.tui.screens.dialogs.quit import QuitScreen

        screen, view = self._screen, self._shown.view
        if self.leads_back:
            screen.dismiss(None)
        elif not self._requests.owns_target:
            screen.app.exit(0)
        elif self._requests.target_waits:  # its work is done: there is nothing to ask
            screen.call_later(self._leave, "let go")
        else:
            title = view.target.title if view is not None else ""
            screen.app.push_screen(QuitScreen(title or "the target"), self._answered)

    async def _answered(self, answer: Answer | None) -> None:
        if answer is not None and answer != "stay":
            await self._leave(answer)

    async def _leave(self, how: Parting) -> None:
        if await self._requests.part(how):
            self._screen.app.exit(0)
