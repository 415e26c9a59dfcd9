"""Widgets that are nothing but their lines: no border, no padding, no tint.

Around every line of every widget that a change touches Textual asks for a dozen rules of style,
and mixes the backgrounds of all that it lies on; containers are drawn line by line, though their
children cover them. That was a sixth of what a picture cost. Here it is done once per change of
style or size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container, Vertical
from textual.style import Style
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.color import Color
    from textual.filter import LineFilter
    from textual.geometry import Region
    from textual.strip import Strip


def is_bare(widget: Widget) -> bool:
    """Tell whether the lines of a widget are all that is drawn of it; links are not looked for."""
    styles = widget.styles
    return not (
        any(styles.gutter)
        or any(kind for kind, _ in styles.outline)
        or styles.tint.a
        or styles.has_rule("hatch")
        or widget.opacity != 1
        or styles.text_opacity != 1
    )


class Ground(Widget):
    """What others lie on; put it behind a container among the bases of a class, whose style
    sheet is that of the first.

    Its lines are made once, and again when it has been refreshed or has another size or style.
    """

    _ground_lines: tuple[Region, Sequence[LineFilter], list[Strip]] | None = None
    """The last part of it that was asked for, through which filters, and its lines."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part."""
        kept, filters = self._ground_lines, self.get_line_filters()
        if kept is not None and kept[0] == crop and kept[1] == filters:
            return kept[2]
        lines = super().render_lines(crop)
        self._ground_lines = crop, filters, lines
        return lines

    def _set_dirty(self, *regions: Region) -> None:
        self._ground_lines = None
        super()._set_dirty(*regions)

    def notify_style_update(self) -> None:
        """Make the lines again."""
        super().notify_style_update()
        self._ground_lines = None


class Tray(Container, Ground):
    """A container that is covered by what it contains."""


class Pile(Vertical, Ground):
    """The same, its children one above the other."""


class Backdrop:
    """What a bare widget needs besides its lines, as of one style."""

    __slots__ = ("colour", "fill")

    def __init__(self, widget: Widget) -> None:
        below, self.colour = widget.background_colors
        self.fill = Style(background=below + self.colour).rich_style
        """Of what a line is too short for."""


class Filtered:
    """Lines as they go into the picture, each as long as it is the same line.

    Args:
        width: Cells.
        backdrop: Of the widget.
    """

    def __init__(self, width: int, backdrop: Backdrop) -> None:
        self.width = width
        self._fill = backdrop.fill
        self._colour: Color = backdrop.colour
        self._known: dict[int, tuple[Strip | None, Strip]] = {}
        """By row: the line that was prepared, and what it is on the widget's ground."""

    def known(self, y: int, line: Strip | None) -> Strip | None:
        """Return a line that was made before, if it was made of the same one."""
        found = self._known.get(y)
        return found[1] if found is not None and found[0] is line else None

    def keep(self, y: int, line: Strip | None, made: Strip) -> Strip:
        """Return a line that was just made, in the width of the widget; keep it."""
        made = made.adjust_cell_length(self.width, self._fill)
        self._known[y] = line, made
        return made

    def through(self, strip: Strip, filters: Sequence[LineFilter]) -> Strip:
        """Return a line as the terminal can show it."""
        for each in filters:
            strip = strip.apply_filter(each, self._colour)
        return strip
