"""Which charts a person wants to see, and how large: a frozen value to lay screens out by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

Charts = Literal["all", "memory", "cpu", "none"]
CHARTS: tuple[Charts, ...] = get_args(Charts)
MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Panels:
    """What was chosen of the charts."""

    charts: Charts = "all"
    rows: int = 0
    """More rows for the charts than they would get (fewer if negative)."""
    full: bool = False
    """The open tab has the whole height; of the charts a line each is left."""

    def next_charts(self) -> Panels:
        """Show other charts."""
        at = CHARTS.index(self.charts)
        return replace(self, charts=CHARTS[(at + 1) % len(CHARTS)], full=False)

    def resized(self, step: int) -> Panels:
        """Give the charts more rows, or fewer."""
        rows = min(max(self.rows + step, -MOST_ROWS), MOST_ROWS)
        return replace(self, rows=rows, full=False)


USUAL = Panels()
"""Before anything was chosen."""
