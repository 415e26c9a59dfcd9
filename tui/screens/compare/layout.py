"""How the rows of the compare screen are shared out. Pure, for every size."""

from __future__ import annotations

from typing import NamedTuple

from perftui.tui.terminal.sizes import WIDE
from perftui.tui.widgets.charts.facts import FACTS_WIDTH

LOW = 30
"""Below this height there is one chart."""


class CompareLayout(NamedTuple):
    """Heights in rows, frames included; 0 is not shown."""

    rss: int
    cpu: int
    bands: int
    """Rows of phases: one for each side, or none."""
    left: int
    """First column of the time axis."""
    columns: int
    figures: bool


def plan(width: int, height: int, *, phases: bool) -> CompareLayout:
    """Share out a terminal between charts and tabs."""
    figures = width >= WIDE
    left = 11 if figures else 9
    columns = max(width - left - (FACTS_WIDTH + 4 if figures else 2), 1)
    if height < LOW:
        return CompareLayout(7 if height >= 22 else 5, 0, 0, left, columns, figures)
    bands = 2 if phases else 0
    free = height - 5 - bands  # header, note, axis, tabs, footer
    pane = max(12, free * 52 // 100)
    charts = free - pane
    rss = max((charts + 1) * 3 // 5, 4)
    return CompareLayout(rss, max(charts - rss, 4), bands, left, columns, figures)
