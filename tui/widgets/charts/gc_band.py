"""Collections of cycles as a band under the timelines: which share of each moment they took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.widgets.draw.blocks import EIGHTHS, eighths
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from perftui.tui.picture.axis_map import AxisMap
    from perftui.tui.picture.view import View
    from perftui.tui.terminal.theme import Paint

TELLING = 0.02
"""Of one column: with less everywhere there is no band."""
MUCH = 0.10
"""From here on a column has the colour of a warning, as the alert has its threshold."""


class GcBand(Canvas):
    """One row: the height is the share of the time, full is all of it."""

    DEFAULT_CSS = """
    GcBand { height: 1; width: 100%; }
    """

    def show(self, view: View, axis: AxisMap, width: int, paint: Paint) -> None:
        """Draw the collections of a picture."""
        self.put([gc_line(view.gc_shares, _cursor(view, axis), axis, width, paint)])


def tells(shares: Sequence[float]) -> bool:
    """Whether there is enough to draw a band."""
    return max(shares, default=0.0) >= TELLING


def _cursor(view: View, axis: AxisMap) -> int | None:
    cursor = view.selection.cursor_ns
    if cursor is None or not axis.t0_ns <= cursor <= axis.t1_ns:
        return None
    return axis.clamped(cursor) - axis.left


def gc_line(
    shares: Sequence[float], cursor: int | None, axis: AxisMap, width: int, paint: Paint
) -> Strip:
    """Build the line; its label has the share at the cursor, a column, if there is one."""
    columns = [*shares[: axis.columns], *[0.0] * (axis.columns - len(shares))]
    label = "gc" if cursor is None else f"gc {columns[cursor]:.0%}"
    pieces: list[Piece] = [((label + " ").rjust(axis.left), paint.dim)]
    for share in columns:
        style = paint.warn if share >= MUCH else paint.slate
        pieces.append((EIGHTHS[eighths(share, 1.0, 1)], style if share > 0 else None))
    pieces.append((" " * max(width - axis.left - axis.columns, 0), None))
    return strip_of(pieces)
