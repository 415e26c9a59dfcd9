"""A few lines of words about one thing: headed, wrapped to the width, cut at the height."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from perftui.tui.text.fit import clean
from perftui.tui.widgets.draw.strips import LinePane, Part, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

HEAD_CELLS = 11
"""Words before the text stand in a column of this width."""


class CardLine(NamedTuple):
    """One statement."""

    head: str
    text: str
    tone: str = "text"


class Card(LinePane, can_focus=False):
    """Statements about what is chosen."""

    DEFAULT_CSS = """
    Card {
        height: 1;
        background: $panel;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said: tuple[CardLine, ...] = ()

    def line_count(self) -> int:
        """Return the lines shown: this widget does not scroll."""
        return self.size.height

    def tell(self, said: Sequence[CardLine]) -> None:
        """Show other statements."""
        if tuple(said) != self._said:
            self._said = tuple(said)
            self.redraw()

    def rows_for(self, width: int) -> int:
        """Return the rows that all of it takes."""
        return sum(len(_wrapped(line.text, width)) for line in self._said)

    def build(self) -> list[Strip]:
        """Return the lines."""
        width, fill = self.size.width, self.tone("text")
        lines = []
        for line in self._said:
            for n, text in enumerate(_wrapped(line.text, width)):
                head = f" {line.head if n == 0 else ''}"
                parts: list[Part] = [
                    (head.ljust(HEAD_CELLS), self.tone("dim")),
                    (text, self.tone(line.tone)),
                ]
                lines.append(line_of(parts, width, fill))
        return lines


def _wrapped(text: str, width: int) -> list[str]:
    room = max(width - HEAD_CELLS - 1, 20)
    return textwrap.wrap(clean(text), room, break_on_hyphens=False) or [""]
