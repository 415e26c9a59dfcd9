"""How the rows of the lab's screen are shared out. Pure, for every size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.tui.screens.lab.face import FigureLanes

WIDE = 110
"""From here on a figure says its interval too."""
_LEAST_RUNS = 4
"""Rows of the table of runs, with its headings and the rule above."""


class LabLayout(NamedTuple):
    """Heights in rows; header and footer have one each beside."""

    figures: int
    runs: int
    verdict: int
    axis: bool
    """Below each figure a row that names the ends of its scale."""

    @property
    def rows(self) -> int:
        """All of them."""
        return 2 + self.figures + self.runs + self.verdict


def plan(height: int, lanes: Sequence[int], rows: int) -> LabLayout:
    """Share out a terminal.

    Args:
        height: Cells.
        lanes: Of each figure.
        rows: Of the table of runs, as long as it is.
    """
    verdict = 4 if height >= 36 else 3 if height >= 20 else 2
    free = height - 2 - verdict
    wanted_runs = min(max(rows + 2, _LEAST_RUNS), max(free // 3, _LEAST_RUNS))
    with_axis = sum(count + 1 for count in lanes)
    axis = with_axis <= free - wanted_runs
    figures = with_axis if axis else sum(lanes)
    if not lanes:
        figures = free - wanted_runs
    # What figures do not need is the table's: its runs are what one opens.
    figures = max(min(figures, free - wanted_runs), 0)
    return LabLayout(figures, free - figures, verdict, axis)


def chosen_figures(figures: Sequence[FigureLanes], rows: int, *, axis: bool) -> list[FigureLanes]:
    """Return the figures that there is room for: the loudest, in their own order."""
    left, kept = rows, set()
    for at in sorted(range(len(figures)), key=lambda at: (-figures[at].loud, at)):
        needs = len(figures[at].lanes) + int(axis)
        if needs <= left:
            kept.add(at)
            left -= needs
    return [figure for at, figure in enumerate(figures) if at in kept]
