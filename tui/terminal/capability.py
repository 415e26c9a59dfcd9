"""What this terminal can show, and the two filters that bring every screen down to it.

Widgets draw as if the terminal could do everything. `AsciiFilter` turns the glyphs of a finished
line into ASCII, `PlainFilter` takes the colours out (NO_COLOR); so no widget has a second way
to draw, and none can forget one.
"""

from __future__ import annotations

import locale
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

from perftui.tui.text.glyphs import ASCII

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.color import Color as ThemeColor


def to_ascii(text: str) -> str:
    """Replace each glyph by an ASCII one; the number of cells stays the same."""
    if text.isascii():
        return text
    text = text.translate(ASCII)
    if text.isascii():
        return text
    from rich.cells import cell_len

    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text)


class AsciiFilter(LineFilter):
    """Keeps a locale that is not UTF-8 from getting bytes that it cannot show."""

    def apply(self, segments: list[Segment], background: ThemeColor) -> list[Segment]:
        """Return the line with ASCII glyphs."""
        return [
            Segment(to_ascii(text), style, control) if not text.isascii() else segment
            for segment in segments
            for text, style, control in (segment,)
        ]


class PlainFilter(LineFilter):
    """NO_COLOR: no colour leaves the program.

    Bold and dim stay. A background that stands out (the open tab, a bar of the flame graph)
    becomes reverse video, so that shapes survive.
    """

    def apply(self, segments: list[Segment], background: ThemeColor) -> list[Segment]:
        """Return the line without colours."""
        ground = background.brightness
        return [
            Segment(text, plain_style(style, ground) if style else style, control)
            for text, style, control in segments
        ]


STANDS_OUT = 0.17
"""Difference of brightness (0..1) above which a background is a shape and not a tint."""


@lru_cache(maxsize=2048)
def plain_style(style: Style, ground_brightness: float) -> Style:
    """Return `style` without colours, reversed where its background carried the meaning."""
    reverse = bool(style.reverse)
    bg = style.bgcolor
    if bg is not None and not bg.is_default:
        red, green, blue = bg.get_truecolor()
        brightness = (299 * red + 587 * green + 114 * blue) / 255_000
        reverse |= abs(brightness - ground_brightness) > STANDS_OUT
    return Style(
        color=Color.default(),
        bgcolor=Color.default(),
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=reverse or None,
        meta=style.meta or None,
    )


def speaks_utf8(env: Mapping[str, str] | None = None) -> bool:
    """Tell whether the locale can show more than ASCII. PERFTUI_ASCII=1 says no."""
    env = os.environ if env is None else env
    if env.get("PERFTUI_ASCII", "") not in ("", "0"):
        return False
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := env.get(name):
            return "utf-8" in value.lower() or "utf8" in value.lower()
    return locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"
