"""A terminal of sixteen colours: each of ours becomes the one that means the same.

The nearest by number is not the nearest by meaning: amber, the colour of memory, lies nearest to
bright red, that of alerts. What is none of ours is left to be brought down by number.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

from perftui.tui.terminal.theme import DARK, DARK_COLOURS, LIGHT, LIGHT_COLOURS

if TYPE_CHECKING:
    from textual.color import Color as ThemeColor

_BLACK, _RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN, _WHITE = range(8)
_BRIGHT = 8
_DARK = {
    "faint": _BRIGHT,
    "dim": _WHITE,
    "bright": _BRIGHT + _WHITE,
    "memory": _YELLOW,
    "memory-text": _BRIGHT + _YELLOW,
    "cpu": _BRIGHT + _BLUE,
    "cpu-soft": _BLUE,
    "cpu-text": _BRIGHT + _BLUE,
    "rows": _GREEN,
    "rows-soft": _BRIGHT,
    "rows-text": _BRIGHT + _GREEN,
    "good": _BRIGHT + _GREEN,
    "bad": _BRIGHT + _RED,
    "warn": _BRIGHT + _YELLOW,
    "teal": _CYAN,
    "violet": _MAGENTA,
    "indigo": _BRIGHT + _MAGENTA,
    "slate": _BRIGHT,
    "link": _BRIGHT + _CYAN,
}
_LIGHT = {
    **{name: number % _BRIGHT for name, number in _DARK.items()},
    "faint": _WHITE,
    "dim": _BRIGHT,
    "bright": _BLACK,
    "cpu-soft": _BRIGHT + _BLUE,
    "rows-soft": _BRIGHT + _GREEN,
    "indigo": _BRIGHT + _MAGENTA,
    "slate": _WHITE,
}


def _numbers() -> dict[str, int]:
    """Return the number of each colour of ours by its hexadecimal name."""
    found: dict[str, int] = {}
    for theme, colours, numbers in ((DARK, DARK_COLOURS, _DARK), (LIGHT, LIGHT_COLOURS, _LIGHT)):
        found[str(theme.foreground)] = _WHITE if theme.dark else _BLACK
        for name, number in numbers.items():
            found.setdefault(colours[name], number)
    return found


_NUMBERS = _numbers()


@lru_cache(maxsize=1024)
def in_sixteen(style: Style) -> Style:
    """Return a style whose colours of ours are among the sixteen."""
    ink, ground = _of(style.color), _of(style.bgcolor)
    if ink is None and ground is None:
        return style
    return style + Style(color=ink, bgcolor=ground)


def _of(colour: Color | None) -> Color | None:
    if colour is None or colour.triplet is None:
        return None
    number = _NUMBERS.get(colour.triplet.hex)
    return None if number is None else Color.from_ansi(number)


class SixteenColours(LineFilter):
    """Brings finished lines down to sixteen colours."""

    def apply(self, segments: list[Segment], background: ThemeColor) -> list[Segment]:
        """Return the line in colours that keep their meaning."""
        return [
            segment
            if segment.style is None
            else Segment(segment.text, in_sixteen(segment.style), segment.control)
            for segment in segments
        ]
