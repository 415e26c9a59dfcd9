"""What the tab panes share: parts of text put together to strips, tones, and scrolling lines.

A pane builds its strips when it gets new data, is resized or changes theme; `render_line` only
indexes. All colours come from the theme; the few `Style` objects there are are kept, because
making one per cell is what costs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from perftui.probes.colours.frames import frame_hsl
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import shorten_end, width_of
from perftui.tui.widgets.draw.canvas import Canvas, cells_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual import events

READING = "reading…"
"""What a pane says before its first picture."""

Part = tuple[str, Style]
"""Text and how it looks."""

_TONES = {
    "strong": "bright",
    "accent": "link",
    "warm": "memory_text",
    "cool": "cpu_text",
    "good": "good",
    "bad": "bad",
    "dim": "dim",
    "faint": "faint",
    "row": "range_bg",
    "panel": "panel_bg",
}
"""Our name of a tone -> the theme's name. "text", "bar" and "warmbar" are made from others."""


def line_of(parts: Iterable[Part], width: int, fill: Style) -> Strip:
    """Put parts side by side into exactly `width` cells: cut at the end, or padded with `fill`."""
    segments: list[Segment] = []
    used = 0
    for text, style in parts:
        if not text:
            continue
        cells = width_of(text)
        if used + cells > width:
            text = shorten_end(text, width - used)
            if text:
                segments.append(Segment(text, style))
                used += width_of(text)
            break
        segments.append(Segment(text, style))
        used += cells
    if used < width:
        segments.append(Segment(" " * (width - used), fill))
    return Strip(segments, width)


def spread(left: Sequence[Part], right: Sequence[Part], width: int, fill: Style) -> Strip:
    """Put `left` and `right` at the ends of a line; `right` goes first when there is no room."""
    gap = width - cells_of(left) - cells_of(right)
    if gap < 1:
        return line_of(left, width, fill)
    return line_of([*left, (" " * gap, fill), *right], width, fill)


class LinePane(Canvas, can_focus=True):
    """Lines with a scroll position of their own (a scroll bar would cost a column and a layout)."""

    HAS_GROUND = True
    DEFAULT_CSS = """
    LinePane {
        height: 1fr;
        width: 1fr;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.top = 0
        """First line of the data that is shown."""
        self._tones: dict[tuple[str, str], Style] = {}
        self._dark: bool | None = None
        """Whether the theme is dark; None: not asked with this style."""

    # -- colours ---------------------------------------------------------------------------

    def tone(self, name: str, ground: str = "") -> Style:
        """Return the style of a tone, on the background of the tone `ground` if one is given."""
        found = self._tones.get((name, ground))
        if found is None:
            found = self._style_of(name)
            if ground:
                found += Style(bgcolor=self._style_of(ground).bgcolor)
            self._tones[name, ground] = found
        return found

    def _style_of(self, name: str) -> Style:
        base = self.rich_style
        paint = paint_of(self.app)
        if name in ("bar", "warmbar"):
            ink = paint.rows if name == "bar" else paint.memory
            return base + Style(bgcolor=_mixed(base, ink, 0.27 if name == "bar" else 0.42))
        found = _TONES.get(name)
        return base + paint.named(found) if found else base

    @property
    def is_dark(self) -> bool:
        """Whether the theme is dark."""
        if self._dark is None:
            self._dark = self.app.current_theme.dark
        return self._dark

    def notify_style_update(self) -> None:
        """Forget the styles of the old theme and draw again."""
        super().notify_style_update()
        self._tones.clear()
        self._dark = None
        if self.is_attached and self.size.width:
            self.call_next(self.redraw)

    # -- drawing ---------------------------------------------------------------------------

    def build(self) -> list[Strip]:
        """Return the lines for the present size. Subclasses say how."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Build the lines again; what changed is painted."""
        width, height = self.size
        if self.is_attached and width and height:
            lines = self.build()[:height]
            blank = line_of((), width, self.tone("text"))
            self.put(lines + [blank] * (height - len(lines)))

    def on_resize(self, event: events.Resize) -> None:
        """Build for the new size."""
        self.redraw()

    def words(self, *sentences: str) -> list[Strip]:
        """Return lines that say something in words, for when there is nothing to draw."""
        width, text = self.size.width, self.tone("dim")
        lines = ["", *("  " + sentence for sentence in sentences)]
        return [line_of([(line, text)], width, text) for line in lines]

    # -- scrolling -------------------------------------------------------------------------

    def line_count(self) -> int:
        """Return how many lines the data has."""
        raise NotImplementedError

    def page(self) -> int:
        """Return how many lines of data are seen at once."""
        return max(self.size.height, 1)

    def move_top(self, top: int) -> None:
        """Scroll so that line `top` is the first one shown."""
        top = max(0, min(top, self.line_count() - self.page()))
        if top != self.top:
            self.top = top
            self.redraw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        event.prevent_default()
        self.move_top(self.top + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        event.prevent_default()
        self.move_top(self.top - 3)


def _mixed(base: Style, ink: Style, share: float) -> str:
    """Return the background of `base` with a share of the ink's colour in it, as hex."""
    if ink.color is None or ink.color.triplet is None:
        return ground_of(base)
    ground = Color.parse(ground_of(base))
    return ground.blend(Color.parse(ink.color.triplet.hex), share).hex


@lru_cache(maxsize=512)
def ink_style(hue: int, shade: int, state: str, dark: bool, ground: str) -> Style:
    """Return the style of a frame.

    Args:
        hue: Index from `frame_ink`, -1 for slate.
        shade: Index from `frame_ink`.
        state: "" plain, "hot" under the mouse or chosen, "match" found by the filter,
            "faint" not found, "wait" the part that waits.
        dark: Theme.
        ground: Background of the pane as hex; separators and faint frames lean to it.
    """
    degrees, saturation, lightness = frame_hsl(hue, shade, dark)
    text = Color.parse("#eef2f6" if dark else "#14181d")
    bold = False
    if state == "hot":
        lightness += 0.24 if dark else -0.16
        text, bold = Color.parse("#0b0f14" if dark else "#000000"), True
    elif state == "match":
        lightness += 0.04 if dark else -0.06
        bold = True
    elif state == "wait":
        lightness += -0.13 if dark else 0.07
        saturation *= 0.7
        text = Color.parse("#b9c2cc" if dark else "#3c444d")
    color = Color.from_hsl(degrees / 360, saturation, lightness)
    if state == "faint":
        base = Color.parse(ground)
        color = base.blend(color, 0.30)
        text = base.blend(text, 0.55)
    return Style(color=text.rich_color, bgcolor=color.rich_color, bold=bold)


@lru_cache(maxsize=512)
def edge_style(style: Style, ground: str) -> Style:
    """Return the style of a frame's left edge: a thin gap, and a line where there is no colour."""
    return Style(color=ground, bgcolor=style.bgcolor)


def ground_of(style: Style) -> str:
    """Return the background of a style as hex."""
    if style.bgcolor is None or style.bgcolor.triplet is None:
        return "#000000"
    return style.bgcolor.triplet.hex
