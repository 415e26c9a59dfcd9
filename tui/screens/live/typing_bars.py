"""The lines that a person types into on the live screen: made when they are first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.widgets.bars.filter_bar import FilterBar
    from perftui.tui.widgets.bars.go_bar import GoBar

ABOVE = "#panes"


class TypingBars:
    """Opens the filter and the question "which moment?" above the panes of a screen."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen
        self._filter: FilterBar | None = None
        self._go: GoBar | None = None

    @property
    def typing(self) -> bool:
        """Whether a person types into one of them."""
        bars = (self._filter, self._go)
        return any(bar is not None and bar.display and bar.has_focus_within for bar in bars)

    def hide(self) -> None:
        """Hide what is open: there is no room for it. Its key opens it again."""
        for bar in (self._filter, self._go):
            if bar is not None:
                bar.display = False

    async def open_filter(self, text: str) -> None:
        """Type a filter; it begins as the one that is on."""
        from perftui.tui.widgets.bars.filter_bar import FilterBar

        if self._filter is None:
            self._filter = FilterBar(id="filter")
            await self._screen.mount(self._filter, before=ABOVE)
        self._filter.open(text)

    async def open_go(self) -> None:
        """Ask for a moment."""
        from perftui.tui.widgets.bars.go_bar import GoBar

        if self._go is None:
            self._go = GoBar(id="go")
            await self._screen.mount(self._go, before=ABOVE)
        self._go.open()
