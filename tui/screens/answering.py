"""What screens of measurements have alike: keys are answered in words, help and the way out are
theirs, and a terminal that is too small is said to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from perftui.tui.screens.dialogs.too_small import TooSmall
from perftui.tui.terminal.sizes import LEAST_HEIGHT, LEAST_WIDTH
from perftui.tui.text.fit import clean
from perftui.tui.text.passing import Passing
from perftui.tui.widgets.bars.footer import KeyFooter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.tui.screens.dialogs.help import More
    from perftui.tui.widgets.bars.key import Key

ANSWER_S = 6.0


class AnsweringScreen(Screen[None]):
    """See the module. Its parts end with `_footer` and `_too_small`."""

    DEFAULT_CSS = """
    AnsweringScreen { layout: vertical; overflow: hidden; background: $background; }
    AnsweringScreen > TooSmall { display: none; }
    """
    AUTO_FOCUS = None
    HELP_KEYS: ClassVar[Sequence[Key]] = ()
    HELP_MORE: ClassVar[Sequence[More]] = ()

    def __init__(self) -> None:
        super().__init__()
        self._answer: Passing[str] = Passing(ANSWER_S)
        self._small = False
        self._footer = KeyFooter(id="keys")
        self._too_small = TooSmall(id="too-small")

    def redraw(self) -> None:
        """Draw the picture that is there."""
        raise NotImplementedError

    def _fits(self, width: int, height: int) -> bool:
        """Tell whether the terminal is large enough; else only that it is not is shown."""
        small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        if small != self._small:
            self._small = small
            for part in self.children:
                part.display = isinstance(part, TooSmall) == small
        return not small

    def say(self, text: str) -> None:
        """Answer a key, for a few seconds."""
        self._answer.put(clean(text))
        self.redraw()
        self.set_timer(ANSWER_S + 0.05, self.redraw)

    def action_help(self) -> None:
        """Show all keys."""
        from perftui.tui.screens.dialogs.help import HelpScreen

        self.app.push_screen(HelpScreen(self.HELP_KEYS, self.HELP_MORE))

    def action_leave(self) -> None:
        """Leave; what still runs is ended."""
        self.app.exit(None)

    async def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """Do what the clicked hint says."""
        await self.run_action(message.action)
