"""What is said instead of a picture when the terminal cannot hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from perftui.tui.terminal.sizes import LEAST_HEIGHT, LEAST_WIDTH
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import shorten_end

if TYPE_CHECKING:
    from textual.app import RenderResult


class TooSmall(Widget):
    """Stands alone on the screen: one calm line."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TooSmall { width: 100%; height: 1fr; }
    """

    def render(self) -> RenderResult:
        """Lines come from `render_line`."""
        return ""

    def render_line(self, y: int) -> Strip:
        """Return the line in the middle, or a blank one."""
        width, height = self.size
        if y != max((height - 1) // 2, 0):
            return Strip.blank(width, self.rich_style)
        size = self.app.size
        text = (
            f"perftui needs {LEAST_WIDTH}×{LEAST_HEIGHT}; this is {size.width}×{size.height}"
            " · measuring goes on · q quit"
        )
        if len(text) > width - 2:
            text = f"needs {LEAST_WIDTH}×{LEAST_HEIGHT}, is {size.width}×{size.height}"
        text = shorten_end(text, width)
        style = self.rich_style + paint_of(self.app).dim
        return Strip([Segment(text.center(width), style)], width)
