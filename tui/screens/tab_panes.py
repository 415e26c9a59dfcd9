"""The panes of a screen's tabs: made when their tab is first opened, and seen one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class TabPanes:
    """What every screen with tabs has of them.

    Args:
        deck: What holds the panes.
        first: Name of the tab that is open at first.
        make: Makes the pane of a tab.
    """

    def __init__(self, deck: Widget, first: str, make: Callable[[str], Widget]) -> None:
        self._deck = deck
        self._make = make
        self._made: dict[str, Widget] = {}
        self.tab = first
        """Name of the open tab."""

    @property
    def open_one(self) -> Widget | None:
        """The open pane, None before it was made."""
        return self._made.get(self.tab)

    @property
    def attached(self) -> Widget | None:
        """The open pane, None until it has its place on the screen."""
        pane = self.open_one
        return pane if pane is not None and pane.is_attached else None

    def open(self, tab: str) -> Widget:
        """Open a tab; returns its pane, which gets its size a moment later."""
        self.tab = tab
        pane = self._made.get(tab)
        if pane is None:
            pane = self._made[tab] = self._make(tab)
            self._deck.mount(pane)
        for name, each in self._made.items():
            each.display = name == tab
        return pane

    def beside(self, names: Sequence[str], step: int) -> str:
        """Return which of some tabs lies `step` further on than the open one."""
        return names[(names.index(self.tab) + step) % len(names)]

    def take_keys(self) -> None:
        """Give the keys to what of the open pane takes them."""
        pane = self.open_one
        walked = () if pane is None else (pane, *pane.walk_children())
        parts = [part for part in walked if isinstance(part, Widget)]
        taker = next((part for part in parts if part.can_focus), None)
        self._deck.screen.set_focus(taker)

    def copy(self, say: Callable[[str], None]) -> None:
        """Copy the open pane as text: to the terminal's clipboard and to a file."""
        from perftui.tui.screens.dialogs.pane_copy import copy_pane

        if self.open_one is not None:
            say(copy_pane(self._deck.app, self.open_one))
