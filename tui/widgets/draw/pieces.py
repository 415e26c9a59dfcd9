"""Pieces of styled text: cut, wrapped between words, laid on a ground. Pure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from perftui.tui.text.fit import ELLIPSIS, shorten_end, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style

    from perftui.tui.widgets.draw.canvas import Piece


def cut(pieces: Iterable[Piece], width: int) -> list[Piece]:
    """Cut pieces at the end to at most `width` cells."""
    kept: list[Piece] = []
    used = 0
    for text, style in pieces:
        room = width - used
        if width_of(text) > room:
            kept.append((shorten_end(text, room), style))
            break
        kept.append((text, style))
        used += width_of(text)
    return kept


def on_ground(pieces: Iterable[Piece], ground: Style) -> list[Piece]:
    """Lay pieces on a background."""
    return [(text, ground + style if style else ground) for text, style in pieces]


def wrapped_pieces(pieces: Iterable[Piece], width: int, rows: int) -> list[list[Piece]]:
    """Break pieces into at most `rows` lines between words; each word keeps its style."""
    kept = list(pieces)
    text = "".join(word for word, _ in kept)
    styles = [style for word, style in kept for _ in word]
    lines: list[list[Piece]] = []
    at = 0
    for line in textwrap.wrap(text, width, drop_whitespace=True, fix_sentence_endings=False):
        start = text.index(line, at)
        at = start + len(line)
        lines.append([(char, style) for char, style in zip(line, styles[start:at], strict=True)])
    if len(lines) > rows:
        last = lines[rows - 1][: width - 1]
        lines = [*lines[: rows - 1], [*last, (ELLIPSIS, last[-1][1])]]
    return lines
