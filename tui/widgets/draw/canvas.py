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
from textual.events import Resize
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from perftui.tui.text.fit import width_of
from perftui.tui.widgets.draw.bare import Backdrop, Filtered, is_bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.style import Style

_MOST_STYLES = 500

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
        self._told_size: Size | None = None
        """By the last `Resize`."""
        self._drawn_size: Size | None = None
        self._on_ground: dict[int, tuple[Style | None, Style]] = {}
        """By identity of a style: itself, so that it lives on, and what it is on our ground."""
        self._filtered: Filtered | None = None
        """Lines that are ready; None: none are, with this size and style."""
        self._bare: bool | None = None
        """Whether there is nothing but the lines; None: not asked with this style."""

    def on_resize(self, event: Resize) -> None:
        """Know that the size was told."""
        self._told_size = event.size

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part; with a new size, see to it that it is told."""
        if self._drawn_size != self.outer_size:
            self._drawn_size = self.outer_size
            self.call_later(self._tell_size)  # behind the `Resize`, if there is one
        if self._bare is None:
            self._bare = is_bare(self)
        return self._bare_lines(crop) if self._bare else super().render_lines(crop)

    def _bare_lines(self, crop: Region) -> list[Strip]:
        """Return what Textual would make of the lines, which is next to nothing."""
        width, ready = self.outer_size.width, self._filtered
        if ready is None or ready.width != width:
            ready = self._filtered = Filtered(width, Backdrop(self))
        lines, filters = self._lines, self.get_line_filters()
        strips = []
        for y in crop.line_range:
            line = lines[y] if y < len(lines) else None
            strip = ready.known(y, line)
            if strip is None:
                strip = ready.keep(y, line, self.render_line(y))
            strips.append(ready.through(strip, filters))
        if crop.column_span != (0, width):
            return [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _set_dirty(self, *regions: Region) -> None:
        if not regions:
            self._filtered = self._bare = None
        super()._set_dirty(*regions)

    def _tell_size(self) -> None:
        """Make up for a `Resize` that does not come.

        Where Textual needs to know a place (the mouse moves, a key is given to a pane) between
        the mounting of a widget and its first layout, it computes all places at once; to the
        layout the widget is then no new one, and it hears nothing. It would stay blank until
        other data come: in a recording that stands still, for good.
        """
        if self._told_size == self.outer_size or not self.is_attached:
            return
        for widget in (self.parent, self):
            if isinstance(widget, Widget) and not isinstance(widget, Screen):
                sizes = (widget.outer_size, widget.virtual_size, widget.container_size)
                widget.post_message(Resize(*sizes))

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
            return self._grounded(self._lines[y])
        return Strip.blank(self.size.width, self._ground)

    def _grounded(self, line: Strip) -> Strip:
        """Return a line on the widget's own background.

        What `Strip.apply_style` does: but that adds two styles for every segment of every line,
        which was half of what a picture cost, and a chart has few styles.
        """
        known, ground = self._on_ground, self._ground
        if len(known) > _MOST_STYLES:
            known.clear()
        segments = []
        for text, style, control in line:
            if control:
                return line.apply_style(ground)
            found = known.get(id(style))
            if found is None:
                found = known[id(style)] = style, ground if style is None else ground + style
            segments.append(Segment(text, found[1]))
        return Strip(segments, line.cell_length)

    @property
    def _ground(self) -> Style:
        """Text and background colour of the widget, looked up once per change of style."""
        if self._own_style is None:
            self._own_style = self.rich_style
        return self._own_style

    def notify_style_update(self) -> None:
        """Look the colours up again."""
        super().notify_style_update()
        self._own_style = self._filtered = self._bare = None
        self._on_ground.clear()


JOIN_CELLS = 8
"""Unchanged stretches shorter than this are painted again: a jump costs about as much."""


def changed_columns(old: Strip, new: Strip) -> list[tuple[int, int]]:
    """Return the stretches of columns [start, end) in which two lines differ."""
    if old is new:
        return []
    before, after = list(old), list(new)
    column = _drop_equal_ends(before, after, same_width=old.cell_length == new.cell_length)
    if not before and not after:
        return []
    if all(len(part.text) == part.cell_length for part in (*before, *after)):
        differing = _differing(before, after, column)
    else:
        differing = _differing_cells(old, new)
    spans: list[tuple[int, int]] = []
    start = end = -JOIN_CELLS
    for first, last in differing:
        if first - end >= JOIN_CELLS:
            if end > start:
                spans.append((start, end))
            start = first
        end = last
    if end > start:
        spans.append((start, end))
    return spans


def _drop_equal_ends(old: list[Segment], new: list[Segment], *, same_width: bool) -> int:
    """Take off the segments in which two lines begin alike, and end alike if they are as wide;
    return the column where they differ first. Mostly a few cells of a line are others."""
    most, equal, column = min(len(old), len(new)), 0, 0
    while equal < most and old[equal] == new[equal]:
        column += old[equal].cell_length
        equal += 1
    del old[:equal], new[:equal]
    while same_width and old and new and old[-1] == new[-1]:
        old.pop()
        new.pop()
    return column


def _differing(
    old: Sequence[Segment], new: Sequence[Segment], column: int
) -> Iterator[tuple[int, int]]:
    """Yield stretches [first, end) that differ, in order; every character takes one cell.

    Goes from border to border of either line's segments: a chart that grew by a column has two
    long runs with another border between them, and nothing to compare cell by cell.
    """
    before, after = _Runs(old), _Runs(new)
    while before.text and after.text:
        cells = min(len(before.text), len(after.text))
        one, other = before.text[:cells], after.text[:cells]
        if before.style is not after.style and before.style != after.style:
            yield column, column + cells
        elif one != other:
            for offset, (was, now) in enumerate(zip(one, other, strict=True)):
                if was != now:
                    yield column + offset, column + offset + 1
        before.drop(cells)
        after.drop(cells)
        column += cells
    rest = max(before.cells_left(), after.cells_left())
    if rest:
        yield column, column + rest


class _Runs:
    """Takes the segments of a line from its left end."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._parts = [(part.text, part.style) for part in reversed(segments) if part.text]
        self.text = ""
        """What is left of the segment at the left end, "" behind the last one."""
        self.style: Style | None = None
        self.drop(0)

    def drop(self, cells: int) -> None:
        """Go on by so many cells of the present segment."""
        self.text = self.text[cells:]
        if not self.text and self._parts:
            self.text, self.style = self._parts.pop()

    def cells_left(self) -> int:
        """Return how many cells come yet."""
        return len(self.text) + sum(len(text) for text, _ in self._parts)


def _differing_cells(old: Strip, new: Strip) -> Iterator[tuple[int, int]]:
    """Yield the columns that differ, where characters may be wide or have no width at all."""
    for column, (one, other) in enumerate(zip_longest(_cells(old), _cells(new))):
        if one != other:
            yield column, column + 1


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
