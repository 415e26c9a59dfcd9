"""What opens over the live screen, or is typed above its panes: made only when it is asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from perftui.tui.screens.dialogs.asking import ask_first

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.live.acts.requests import Requests
    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.screens.live.deck import PaneDeck
    from perftui.tui.screens.live.parts import LiveParts
    from perftui.tui.screens.live.typing_bars import TypingBars
    from perftui.tui.session.face import LiveSession


class OverIt:
    """Opens dialogs, overlays and typed lines, and sees to what comes of them.

    Args:
        screen: Below them.
        session: What it shows.
        shown: What is on it.
        parts: Its fixed parts, with `deck` the panes.
        bars: Its typed lines.
        requests: What is asked of the session after a question.
        say: Answers a key.
    """

    def __init__(
        self,
        screen: Screen[None],
        session: LiveSession,
        shown: Shown,
        parts: LiveParts,
        deck: PaneDeck,
        bars: TypingBars,
        requests: Requests,
        say: Say,
    ) -> None:
        self._screen = screen
        self._session = session
        self._shown = shown
        self._parts = parts
        self._deck = deck
        self._bars = bars
        self._requests = requests
        self._say = say

    async def filter(self) -> None:
        """Type a filter."""
        await self._bars.open_filter(self._shown.selection.filter)

    async def go(self) -> None:
        """Ask for a moment."""
        if self._shown.view is not None:
            await self._bars.open_go()

    def diff(self) -> None:
        """Choose a recording to compare this session with."""
        from perftui.tui.screens.live.acts.comparing import begin_diff

        begin_diff(self._screen, self._session, self._say)

    def save(self) -> None:
        """Save what the screen is about, or the screen."""
        from perftui.tui.screens.live.acts.saving import offer_to_save

        offer_to_save(self._screen, self._session, self._shown, self._say)

    def release(self) -> None:
        """Have the program give back memory, after a question."""
        from perftui.tui.screens.dialogs.release import ReleaseScreen

        ask_first(self._screen, ReleaseScreen(), {"yes": self._requests.release})

    def trace(self) -> None:
        """Have the program trace its allocations, after a question that says what it costs."""
        from perftui.tui.screens.dialogs.trace import TraceScreen

        trace = self._requests.trace
        orders = {"10": partial(trace, 10), "60": partial(trace, 60)}
        ask_first(self._screen, TraceScreen(), orders)

    def help(self) -> None:
        """Show all keys."""
        from perftui.tui.screens.dialogs.help import HelpScreen
        from perftui.tui.screens.live.keys import KEYS, MORE

        def helped(explain: bool | None) -> None:
            if explain:
                self.explain()

        self._screen.app.push_screen(HelpScreen(KEYS, MORE, explains=True), helped)

    def explain(self) -> None:
        """Lay over the screen what its parts mean."""
        from perftui.tui.screens.live.acts.explaining import explained

        if self._screen.is_current and not self._parts.small:
            self._screen.app.push_screen(explained(self._parts, self._deck))

    def explain_once(self) -> None:
        """The same, at a person's first start."""
        from perftui.tui.session.first_look import is_first_look, note_seen

        if not self._screen.app.is_headless and is_first_look():
            note_seen()
            self.explain()

    def jump(self) -> None:
        """Put letters on all that can be clicked."""
        from perftui.tui.screens.dialogs.jump import JumpScreen, click, targets_of

        targets = targets_of(self._screen)
        if targets:
            jump = JumpScreen(targets)
            self._screen.app.push_screen(jump, lambda t: None if t is None else click(t))
