"""Widgets that are nothing but their lines: no border, no padding, no tint.

Around every line of every widget that a change touches Textual asks for a dozen rules of style,
and mixes the backgrounds of all that it lies on; containers are drawn line by line, though their
children cover them. That was a sixth of what a picture cost. Here it is done once per change of
style or size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container, Vertical
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

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
