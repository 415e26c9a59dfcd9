"""Lines as they go into the picture: on the widget's ground, in its width, through the filters.

What Textual does to a line makes a strip for each step, and adds two styles for every segment;
that was half of what a picture cost. A widget has few styles, and of its lines few change.
"""

from __future__ import annotations

from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import ANSIToTruecolor, DimFilter, Monochrome, NoColor
from textual.strip import Strip
from textual.style import Style as Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual.color import Color
    from textual.filter import LineFilter

_MOST_STYLES = 500
_OF_STYLES = (ANSIToTruecolor, DimFilter, Monochrome, NoColor)
"""Filters that change nothing but styles, each by itself."""
_control_of = itemgetter(2)
_NONE_YET = Strip([])
"""Stands for the line that a row was made of while it was made of none."""


class Finished:
    """Lines that are ready, each as long as it is the same line.

    Args:
        width: Of the widget.
        filters: Bring a line down to what the terminal can show.
        ground: Text and background colour of the widget.
        colours: What is behind the widget, and its own background.
        laid: The lines have their ground already.
    """

    def __init__(
        self,
        width: int,
        filters: Sequence[LineFilter],
        ground: Style,
        colours: tuple[Color, Color],
        *,
        laid: bool,
    ) -> None:
        self.width = width
        self.filters = filters
        self._ground = None if laid else ground
        self._blank = Strip.blank(width, ground)
        below, self._colour = colours
        self._fill = Look(background=below + self._colour).rich_style
        """Of what a line is too short for."""
        self._of_styles = list(takewhile(lambda each: isinstance(each, _OF_STYLES), filters))
        self._others = filters[len(self._of_styles) :]
        self._rows: list[tuple[Strip, Strip]] = []
        """The line that was prepared, and what became of it."""
        self._styles: dict[int, tuple[Style | None, Style | None]] = {}
        """By identity of a style: itself, so that it lives on, and what becomes of it."""

    def show(self, lines: Sequence[Strip], shown: range) -> list[Strip]:
        """Return the rows of a range; those that have no line are blank."""
        rows, blank = self._rows, self._blank
        missing = shown.stop - len(rows)
        if missing > 0:
            rows += [(_NONE_YET, _NONE_YET)] * missing
        for y, line in enumerate(lines[: shown.stop]):
            if rows[y][0] is not line:
                rows[y] = line, self._finish(line)
        for y in range(len(lines), shown.stop):
            if rows[y][0] is not blank:
                rows[y] = blank, self._finish(blank)
        return [strip for _, strip in rows[shown.start : shown.stop]]

    def _finish(self, line: Strip) -> Strip:
        """Return what becomes of a line."""
        segments = list(line)
        if line.cell_length != self.width or any(map(_control_of, segments)):
            return self._finish_odd(line)
        segments = self._styled(segments)
        for each in self._others:
            segments = each.apply(segments, self._colour)
        return Strip(segments, self.width)

    def _styled(self, segments: list[Segment]) -> list[Segment]:
        """Return segments on their ground, through the filters that change styles."""
        known = self._styles
        try:
            return [Segment(text, known[id(style)][1]) for text, style, _ in segments]
        except KeyError:
            if len(known) > _MOST_STYLES:
                known.clear()
            for _, style, _ in segments:
                known[id(style)] = style, self._become(style)
            return self._styled(segments)

    def _become(self, style: Style | None) -> Style | None:
        """Return what becomes of a style."""
        ground = self._ground
        if ground is not None:
            style = ground if style is None else ground + style
        segments = [Segment(" ", style)]
        for each in self._of_styles:
            segments = each.apply(segments, self._colour)
        return segments[0].style

    def _finish_odd(self, line: Strip) -> Strip:
        """Do the same with a line that is not as wide as the widget, or moves the cursor."""
        if self._ground is not None:
            line = line.apply_style(self._ground)
        line = line.adjust_cell_length(self.width, self._fill)
        for each in self.filters:
            line = line.apply_filter(each, self._colour)
        return line
