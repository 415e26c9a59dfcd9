"""What the live screen shows and what was chosen since: the state that all keys work on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.picture.selection import Selection
from perftui.tui.terminal.panels import Panels

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.tui.picture.view import View
    from perftui.tui.screens.live.layout import LiveLayout


class Shown:
    """The picture that is on the screen, its rows and columns, and the newest choice.

    Args:
        changed: Called after every choice: the next picture is wanted at once.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.selection = Selection()
        self.panels = Panels()
        self.view: View | None = None
        self.layout: LiveLayout | None = None
        """How the terminal is shared out; None before the first look at it."""
        self._changed = changed

    def choose(self, selection: Selection) -> None:
        """Take over a new choice and draw it at once."""
        self.selection = selection
        self._changed()

    @property
    def axis(self) -> AxisMap | None:
        """The time axis that is on the screen."""
        if self.view is None or self.layout is None:
            return None
        return AxisMap(*self.view.axis, self.layout.left, self.layout.columns)

    @property
    def state(self) -> str:
        """The session's, as the picture has it; "" before the first picture."""
        return "" if self.view is None else self.view.status.state

    @property
    def replayed(self) -> bool:
        """Whether a recording is shown that does not go on."""
        return self.state == "recording"

    @property
    def ended(self) -> bool:
        """Whether the session's work is done."""
        return self.state in ("exited", "waiting")

    @property
    def paused(self) -> bool:
        """Whether the person stopped the picture."""
        return self.selection.paused_at_ns is not None

    @property
    def still(self) -> bool:
        """Whether the time axis belongs to the person: paused, or a recording."""
        return self.paused or self.replayed

    @property
    def chosen(self) -> bool:
        """Whether there is a range or a cursor."""
        return self.selection.range is not None or self.selection.cursor_ns is not None

    @property
    def chosen_view(self) -> View | None:
        """The picture with the newest choice: keys may come faster than pictures."""
        return None if self.view is None else replace(self.view, selection=self.selection)
