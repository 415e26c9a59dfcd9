"""A line to type into, whose hint is cut with dots where it does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from perftui.tui.text.fit import shorten_end

if TYPE_CHECKING:
    from textual import events


class HintedInput(Input):
    """Textual cuts a placeholder without a word.

    Args:
        hint: What can be typed; seen while nothing is.
        text: What stands there at first.
    """

    def __init__(self, hint: str, text: str = "") -> None:
        super().__init__(text, placeholder=hint, compact=True, select_on_focus=False)
        self._hint = hint

    def on_resize(self, event: events.Resize) -> None:
        """Say as much as there is room for."""
        self.placeholder = shorten_end(self._hint, max(event.size.width - 1, 0))
