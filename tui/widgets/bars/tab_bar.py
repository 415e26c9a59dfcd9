"""The names of the panes, and what they are about: weight and range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from perftui.tui.text.fit import width_of
from perftui.tui.widgets.draw.canvas import Canvas, Piece, cells_of, strip_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events

    from perftui.tui.terminal.theme import Paint


_ROOM = 6
"""Cells that lines and blanks take around what the tabs are about."""


class TabBar(Canvas):
    """One row of tabs."""

    DEFAULT_CSS = """
    TabBar { height: 1; width: 100%; }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.tab = name

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spans: list[tuple[int, int, str]] = []

    def show(
        self,
        tabs: Sequence[str],
        current: str,
        about: Sequence[Piece],
        width: int,
        paint: Paint,
        counts: Mapping[str, int] | None = None,
        brief: Sequence[Piece] = (),
    ) -> None:
        """Draw the tabs, and at the right what they are about.

        Args:
            tabs: Their names.
            current: The one that is open.
            about: What they are about.
            width: Cells.
            paint: Colours.
            counts: How much is in some of them, written behind the name.
            brief: What they are about in fewer words, where there is no room for more.
        """
        marks = self.app.no_color
        names = {tab: f"{tab} {n}" if (n := (counts or {}).get(tab)) else tab for tab in tabs}
        loose = sum(width_of(name) + 3 for name in names.values()) + 2
        least = loose - len(names) + _ROOM
        if least + cells_of(about) > width:
            about = brief if least + cells_of(brief) <= width else ()
        said = cells_of(about)
        tight = loose > width or (said > 0 and loose + said + _ROOM > width)
        between: Piece = (" " if tight else " ─", paint.faint)
        pieces: list[Piece] = [("─" if tight else "──", paint.faint)]
        column = width_of(pieces[0][0])
        self._spans = []
        for tab in tabs:
            on = tab == current
            text = f"[{names[tab]}]" if on and marks else f" {names[tab]} "
            self._spans.append((column, column + width_of(text), tab))
            pieces.append((text, paint.tab if on else paint.text))
            column += width_of(text)
            if tab != tabs[-1]:
                gap = between[0].strip() if not tight else ""
                pieces.append((gap, paint.faint))
                column += width_of(gap)
        rest = width - column
        if about and rest >= said + _ROOM:
            pieces += [
                (" ", None),
                ("─" * (rest - said - 5), paint.faint),
                (" ", None),
                *about,
                (" ", None),
                ("──", paint.faint),
            ]
        elif rest > 1:
            pieces += [(" ", None), ("─" * (rest - 1), paint.faint)]
        self.put([strip_of(pieces).adjust_cell_length(width)])

    def jump_spots(self) -> list[tuple[int, int]]:
        """Return where the tabs are."""
        return [(start, 0) for start, _, _ in self._spans]

    def on_click(self, event: events.Click) -> None:
        """Open the tab under the mouse."""
        for start, end, tab in self._spans:
            if start <= event.x < end:
                self.post_message(self.Chosen(tab))
        event.stop()
