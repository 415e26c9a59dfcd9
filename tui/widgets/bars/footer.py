"""The last line: the keys that do something now. A click on one presses it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from perftui.tui.text.fit import width_of
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from perftui.tui.terminal.theme import Paint


NOTE_WIDTH = 120
"""From here on the word at the right may cost the last hints their place."""


class KeyHint(NamedTuple):
    """A key, what it does, and the action of the screen behind it."""

    key: str
    label: str
    action: str


class KeyFooter(Canvas):
    """Shows as many hints as fit; the last two (help, quit) always."""

    DEFAULT_CSS = """
    KeyFooter { height: 1; width: 100%; dock: bottom; background: $panel; }
    """

    class Chosen(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spans: list[tuple[int, int, str]] = []
        self._shown: tuple[list[KeyHint], str, int, Paint] | None = None
        """What the line was made of."""
        self._placed: tuple[list[KeyHint], int, int, Paint] | None = None
        """What the hints were placed for."""
        self._hints: list[Piece] = []
        self._column = 0
        """Where the hints end."""

    def show(self, hints: Sequence[KeyHint], right: str, width: int, paint: Paint) -> None:
        """Draw the hints, and a word at the right if there is room."""
        asked = (list(hints), right, width, paint)
        if asked == self._shown:
            return
        self._shown = asked
        taken = width_of(right)
        self._place(asked[0], taken, width, paint)
        pieces = [*self._hints]
        rest = width - self._column - 1
        if right and rest >= taken:
            pieces += [(" " * (rest - taken + 1), None), (right, paint.dim)]
        self.put([strip_of(pieces).adjust_cell_length(width)])

    def _place(self, hints: list[KeyHint], taken: int, width: int, paint: Paint) -> None:
        """Place the hints beside a word of so many cells: that word changes more often."""
        asked = (hints, taken, width, paint)
        if asked == self._placed:
            return
        self._placed = asked
        wide = width >= NOTE_WIDTH and taken > 0
        shown = fitting(hints, width - 1 - (taken + 2 if wide else 0))
        pieces: list[Piece] = [(" ", None)]
        column = 1
        self._spans = []
        gap = "   " if sum(_width(hint) + 3 for hint in hints) + 21 + taken < width else "  "
        for hint in shown:
            size = _width(hint)
            self._spans.append((column, column + size, hint.action))
            pieces += [(hint.key, paint.link), (f" {hint.label}", paint.dim), (gap, None)]
            column += size + len(gap)
        self._hints, self._column = pieces, column

    def jump_spots(self) -> list[tuple[int, int]]:
        """Return where the hints are."""
        return [(start, 0) for start, _, _ in self._spans]

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        for start, end, action in self._spans:
            if start <= event.x < end:
                self.post_message(self.Chosen(action))
        event.stop()


@lru_cache(maxsize=256)
def _width(hint: KeyHint) -> int:
    return width_of(hint.key) + 1 + width_of(hint.label)


def fitting(hints: Sequence[KeyHint], width: int) -> list[KeyHint]:
    """Return the hints that fit with two blanks between them; the last two come first."""
    kept = list(hints)
    while len(kept) > 2 and sum(_width(hint) + 2 for hint in kept) > width:
        kept.pop(-3)
    return kept
