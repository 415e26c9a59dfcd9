"""The base of everything that is drawn line by line: lines are made once, and only what changed
goes to the terminal.

A subclass calls `put(lines)` with finished strips. Compared with the picture before, only the
columns that differ are repainted: a chart that grew by one column costs one column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Region, Size
from textual.messages import Update
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from perftui.tui.text.fit import width_of
from perftui.tui.widgets.draw.bare import is_bare
from perftui.tui.widgets.draw.changes import changed_columns
from perftui.tui.widgets.draw.finished import Finished
from perftui.tui.widgets.draw.kept_lines import KeptLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style

Piece = tuple[str, "Style | None"]


def strip_of(pieces: Iterable[Piece]) -> Strip:
    """Build a strip of (text, style) pieces; neighbours of one style become one segment."""
    segments: list[Segment] = []
    words, current = "", None
    for text, style in pieces:
        if style is not current and text:
            if words:
                segments.append(Segment(words, current))
            words, current = text, style
        else:
            words += text
    if words:
        segments.append(Segment(words, current))
    line = "".join([part.text for part in segments])
    cells = len(line)
    return Strip(segments, cells if width_of(line) == cells else None)


def cells_of(pieces: Iterable[Piece]) -> int:
    """Return the cells that pieces take."""
    return sum([width_of(text) for text, _ in pieces])


class Canvas(Widget):
    """A widget that shows prepared lines."""

    ALLOW_SELECT = False
    HAS_GROUND: ClassVar[bool] = False
    """Whether the lines have the widget's background already."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Strip] = ()
        self._own_style: Style | None = None
        self._kept = KeptLines()
        """Lines of a subclass that makes them one by one."""
        self._told_size: Size | None = None
        """By the last `Resize`."""
        self._drawn_size: Size | None = None
        self._finished: Finished | None = None
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
        width, filters = self.outer_size.width, self.get_line_filters()
        ready = self._finished
        if ready is None or ready.width != width or ready.filters != filters:
            ready = self._finished = Finished(
                width, filters, self._ground, self.background_colors, laid=self.HAS_GROUND
            )
        strips = ready.show(self._lines, crop.line_range)
        if crop.column_span != (0, width):
            return [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _set_dirty(self, *regions: Region) -> None:
        if not regions:
            self._finished = self._bare = None
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
        before = self._lines
        if len(before) != len(lines):
            self._lines = lines
            self.refresh()
            return
        # A line that was made anew and came out as before stays the one that is ready.
        self._lines = [
            old if old is new or old == new else new for old, new in zip(before, lines, strict=True)
        ]
        changed = [
            Region(start, y, end - start, 1)
            for y, (old, new) in enumerate(zip(before, self._lines, strict=True))
            if old is not new
            for start, end in changed_columns(old, new)
        ]
        if changed:
            self._paint_again(changed)

    def _paint_again(self, changed: Sequence[Region]) -> None:
        """Have the screen paint some cells again.

        `refresh` tells ourselves, and we then tell the screen: a task that wakes up for each
        widget of each picture.
        """
        if not self._bare or not self.is_attached:
            self.refresh(*changed)
            return
        self._dirty_regions.update(changed)
        self._repaint_regions.update(changed)
        if self.display:
            self.screen.post_message(Update(self))

    def render_line(self, y: int) -> Strip:
        """Return the prepared line on the widget's own background."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self._ground)
        line = self._lines[y]
        return line if self.HAS_GROUND else line.apply_style(self._ground)

    @property
    def _ground(self) -> Style:
        """Text and background colour of the widget, looked up once per change of style."""
        if self._own_style is None:
            self._own_style = self.rich_style
        return self._own_style

    def notify_style_update(self) -> None:
        """Look the colours up again."""
        super().notify_style_update()
        self._own_style = self._finished = self._bare = None
        self._kept.clear()
