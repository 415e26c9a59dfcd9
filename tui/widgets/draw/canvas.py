"""The base of everything that is drawn line by line: lines are made once, and only what changed
goes to the terminal.

A subclass calls `put(lines)` with finished strips. Compared with the picture before, only the
columns that differ are repainted: a chart that grew by one column costs one column.
"""

from __future__ import annotations

from itertools import repeat, zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from perftui.tui.text.fit import width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style

Piece = tuple[str, "Style | None"]


def strip_of(pieces: Iterable[Piece]) -> Strip:
    """Build a strip of (text, style) pieces; neighbours of one style become one segment."""
    segments: list[Segment] = []
    words: list[str] = []
    current: Style | None = None
    for text, style in pieces:
        if not text:
            continue
        if words and style is not current and style != current:
            segments.append(Segment("".join(words), current))
            words = []
        current = style
        words.append(text)
    if words:
        segments.append(Segment("".join(words), current))
    return Strip(segments)


def cells_of(pieces: Iterable[Piece]) -> int:
    """Return the cells that pieces take."""
    return sum(width_of(text) for text, _ in pieces)


class Canvas(Widget):
    """A widget that shows prepared lines."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Strip] = ()
        self._own_style: Style | None = None

    def put(self, lines: Sequence[Strip]) -> None:
        """Show these lines from now on."""
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.refresh()
            return
        changed = [
            Region(start, y, end - start, 1)
            for y, (old, new) in enumerate(zip(before, lines, strict=True))
            for start, end in changed_columns(old, new)
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """Return the prepared line on the widget's own background."""
        if y < len(self._lines):
            return self._lines[y].apply_style(self._ground)
        return Strip.blank(self.size.width, self._ground)

    @property
    def _ground(self) -> Style:
        """Text and background colour of the widget, looked up once per change of style."""
        if self._own_style is None:
            self._own_style = self.rich_style
        return self._own_style

    def notify_style_update(self) -> None:
        """Look the colours up again."""
        super().notify_style_update()
        self._own_style = None


JOIN_CELLS = 8
"""Unchanged stretches shorter than this are painted again: a jump costs about as much."""


def changed_columns(old: Strip, new: Strip) -> list[tuple[int, int]]:
    """Return the stretches of columns [start, end) in which two lines differ."""
    if old is new or list(old) == list(new):
        return []
    before, after = _cells(old), _cells(new)
    spans: list[tuple[int, int]] = []
    start = end = -JOIN_CELLS
    for column, (one, other) in enumerate(zip_longest(before, after)):
        if one != other:
            if column - end >= JOIN_CELLS:
                if end > start:
                    spans.append((start, end))
                start = column
            end = column + 1
    if end > start:
        spans.append((start, end))
    return spans


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """Return what stands in each cell; both cells of a wide character hold it."""
    cells: list[tuple[str, Style | None]] = []
    for segment in strip:
        text, style = segment.text, segment.style
        if len(text) == segment.cell_length:
            cells.extend(zip(text, repeat(style)))
            continue
        for char in text:
            width = cell_len(char)
            if width == 0 and cells:
                cells[-1] = (cells[-1][0] + char, style)
            cells.extend([(char, style)] * width)
    return cells
