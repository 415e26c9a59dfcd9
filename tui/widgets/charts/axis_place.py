"""Where the one time axis begins on a line: in charts, in strips, and in panes drawn below them."""

from __future__ import annotations

from perftui.tui.terminal.sizes import WIDE

CHART_LEFT = (9, 11)
"""Columns left of the axis in a chart, on narrow and on wide screens: its labels."""
STRIP_LEFT = 20
"""Columns left of the axis in a strip: its name and its value."""
_STRIP_RIGHT = 1


def strip_columns(width: int) -> int:
    """Return the columns of the axis where charts are strips."""
    return max(width - STRIP_LEFT - _STRIP_RIGHT, 1)


def chart_left(width: int) -> int:
    """Return the first column of the axis in charts."""
    return CHART_LEFT[width >= WIDE]


def axis_left(width: int, columns: int) -> int | None:
    """Return the first column of an axis that has so many, None if they do not fit.

    Args:
        width: Cells of the pane.
        columns: Of the axis, as it is drawn above.
    """
    if columns == strip_columns(width):
        return STRIP_LEFT
    left = chart_left(width)
    return left if left + columns <= width else None
