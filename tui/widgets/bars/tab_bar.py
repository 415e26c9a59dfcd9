"""The names of the panes, and what they are about: weight and range."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from perftui.tui.text.fit import width_of
from perftui.tui.widgets.draw.canvas import Canvas, Piece, cells_of, strip_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.style import Style
    from textual import events

    from perftui.tui.terminal.theme import Paint


_ROOM = 6
"""Cells that lines and blanks take around what the tabs are about."""
_LOOSE, _TIGHT, _DENSE = 3, 2, 1
"""Cells that a tab takes beside its name: blanks and a line, two blanks, one of its neighbour's."""
BEFORE, AFTER = "‹", "›"
"""There are more tabs on this side; a click opens the next of them."""


class TabRow(NamedTuple):
    """Which tabs are seen, and how close they stand."""

    first: int
    end: int
    """One past the last."""
    beside: int
    """Cells that each takes beside its name."""


def fit_tabs(widths: Sequence[int], at: int, room: int, said: int = 0) -> TabRow:
    """Return how tabs are shown: all of them, closer where it is narrow, else those about one.

    Args:
        widths: Cells of the names.
        at: The one that must be seen.
        room: Cells there are.
        said: Cells of what stands at the right; tabs stand closer for its sake.
    """
    for beside in (_LOOSE, _TIGHT):
        if _whole(widths, beside) + (said + _ROOM if said else 0) <= room:
            return TabRow(0, len(widths), beside)
    if _whole(widths, _DENSE) <= room:
        return TabRow(0, len(widths), _DENSE)
    first = 0
    while True:  # as few as can be leave at the left
        end = first + 1
        while end < len(widths) and _part(widths, first, end + 1) <= room:
            end += 1
        if at < end or first >= len(widths) - 1:
            return TabRow(first, end, _DENSE)
        first += 1


def _whole(widths: Sequence[int], beside: int) -> int:
    return sum(widths) + len(widths) * beside + (2 if beside == _LOOSE else 1)


def _part(widths: Sequence[int], first: int, end: int) -> int:
    """Return the cells of some of the tabs, with the signs that there are more."""
    marks = 2 * (first > 0) + 2 * (end < len(widths))
    return sum(widths[first:end]) + end - first + 1 + marks


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
        self._shown: tuple[object, ...] = ()
        """What the line was made of."""

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
        asked = (tabs, current, about, width, paint, counts, brief, self.app.no_color)
        if asked == self._shown:
            return
        self._shown = asked
        names = [f"{tab} {n}" if (n := (counts or {}).get(tab)) else tab for tab in tabs]
        widths = [width_of(name) for name in names]
        least = _whole(widths, _TIGHT) + _ROOM
        if least + cells_of(about) > width:
            about = brief if least + cells_of(brief) <= width else ()
        said = cells_of(about)
        row = fit_tabs(widths, tabs.index(current), width, said)
        pieces = self._tabs(tabs, names, current, row, paint)
        rest = width - cells_of(pieces)
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

    def _tabs(
        self, tabs: Sequence[str], names: Sequence[str], current: str, row: TabRow, paint: Paint
    ) -> list[Piece]:
        """Return the tabs that are seen, and remember where they are."""
        opening, closing = "[]" if self.app.no_color else "  "
        self._spans = []
        pieces: list[Piece] = []
        column = 0

        def put(text: str, style: Style | None, tab: str = "") -> None:
            nonlocal column
            if tab:
                self._spans.append((column, column + width_of(text), tab))
            pieces.append((text, style))
            column += width_of(text)

        if row.first:
            put(BEFORE, paint.link, tabs[row.first - 1])
            put(" ", None)
        elif row.beside > _DENSE:
            put("──" if row.beside == _LOOSE else "─", paint.faint)
        for index in range(row.first, row.end):
            on, last = tabs[index] == current, index == row.end - 1
            style = paint.tab if on else paint.text
            if row.beside > _DENSE:
                text = f"{opening}{names[index]}{closing}" if on else f" {names[index]} "
                put(text, style, tabs[index])
                if not last and row.beside == _LOOSE:
                    put("─", paint.faint)
                continue
            # One blank between two names: it is the open one's, if it is beside it.
            if on and pieces:
                pieces.pop()
                column -= 1
            if on or not pieces:
                put(opening if on else " ", style if on else None)
            put(names[index], style, tabs[index])
            put(closing if on else " ", style if on else None)
        if row.end < len(tabs):
            put(AFTER, paint.link, tabs[row.end])
        return pieces

    def jump_spots(self) -> list[tuple[int, int]]:
        """Return where the tabs are."""
        return [(start, 0) for start, _, _ in self._spans]

    def on_click(self, event: events.Click) -> None:
        """Open the tab under the mouse."""
        for start, end, tab in self._spans:
            if start <= event.x < end:
                self.post_message(self.Chosen(tab))
        event.stop()
