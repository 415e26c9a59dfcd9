"""Words on the screen: made harmless, and made to fit.

Names, arguments and log lines come from the watched program. They may hold escape sequences
that would drive the terminal and bidi marks that would reorder a line; nothing of them reaches
the screen as it is. Widths are terminal cells, not characters.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size

from perftui.probes.text.harmless import clean

__all__ = [
    "ELLIPSIS",
    "clean",
    "fit",
    "fit_figure",
    "shorten_end",
    "shorten_middle",
    "width_of",
    "wrapped",
]

ELLIPSIS = "…"
_ONE_CELL_EACH = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u22ff\u2500-\u25fc\u2800-\u28ff]*"
).fullmatch
"""Matches a text of characters that are never wide and join with no other: nearly all we write."""


def width_of(text: str) -> int:
    """Return the cells that `text` takes."""
    return len(text) if text.isascii() or _ONE_CELL_EACH(text) else cell_len(text)


def shorten_middle(text: str, width: int) -> str:
    """Shorten to at most `width` cells by taking out the middle.

    The end of a long name says most (`…models.delete_table`), so it gets the larger share.
    """
    if width_of(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[: max(width, 0)]
    tail = max((width - 1) * 2 // 3, 1)
    head = width - 1 - tail
    return _start(text, head) + ELLIPSIS + _end(text, tail)


def shorten_end(text: str, width: int) -> str:
    """Shorten to at most `width` cells by taking off the end: for sentences."""
    if width_of(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[: max(width, 0)]
    return _start(text, width - 1).rstrip() + ELLIPSIS


def wrapped(text: str, width: int) -> list[str]:
    """Break `text` into rows of at most `width` cells, at blanks where there are some.

    Nothing of it is lost but the blank at which a row ends.
    """
    rows = []
    while width_of(text) > width:
        row = _start(text, width)
        blank = row.rfind(" ") if text[len(row) : len(row) + 1] != " " else len(row)
        if blank > width // 2:
            row, text = text[:blank], text[blank + 1 :]
        else:
            text = text[len(row) :]
        if not row:
            break
        rows.append(row)
    return [*rows, text]


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Shorten or pad `text` to exactly `width` cells; `right` aligns it to the right."""
    shown = shorten_middle(text, width)
    gap = " " * max(width - width_of(shown), 0)
    return gap + shown if right else shown + gap


def fit_figure(text: str, width: int) -> str:
    """Shorten a figure with its units to at most `width` cells: never through its middle.

    "2 min 18 s" becomes "2 min", then "…": half a figure is another figure.
    """
    while width_of(text) > width and text.count(" ") >= 3:
        text = text.rsplit(" ", 2)[0]
    if width_of(text) <= width:
        return text
    return ELLIPSIS[: max(width, 0)]


def _start(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    kept = set_cell_size(text, width)
    return kept[:-1] if kept and not text.startswith(kept) else kept


def _end(text: str, width: int) -> str:
    if text.isascii():
        return text[len(text) - width :] if width else ""
    cells = 0
    for index in range(len(text) - 1, -1, -1):
        cells += cell_len(text[index])
        if cells > width:
            return text[index + 1 :]
    return text
