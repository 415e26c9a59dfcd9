"""How the rows and columns of the live screen are shared out. Pure, for every size."""

from __future__ import annotations

from typing import NamedTuple

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture.view import TIMELINE_MIN_NS
from perftui.tui.terminal.sizes import WIDE
from perftui.tui.widgets.charts.facts import FACTS_WIDTH


class LiveLayout(NamedTuple):
    """Heights in rows, frames included; 0 is not shown."""

    rss: int
    cpu: int
    counter: int
    band: int
    axis: int
    left: int
    """First column of the time axis."""
    columns: int
    figures: bool

    @property
    def charts(self) -> int:
        """Rows above the tabs."""
        return self.rss + self.cpu + self.counter + self.band + self.axis


def plan(
    width: int, height: int, *, counter: bool, banner: bool, phases: bool, chosen: bool
) -> LiveLayout:
    """Share out a terminal.

    Args:
        width: Cells.
        height: Cells.
        counter: There is a counter to draw.
        banner: The banner takes a row.
        phases: There are phases to name.
        chosen: A range or a cursor has to be seen: where phases and time axis share one row,
            the axis gets it.
    """
    figures = width >= WIDE
    left = 11 if figures else 9
    right = FACTS_WIDTH + 4 if figures else 2
    columns = max(width - left - right, 1)
    if height < 30:
        rss = 7 if height >= 24 else 6 if height >= 20 else 5
        rss += max(height - 24, 0) // 3
        axis = int(chosen or not phases)
        return LiveLayout(rss, 0, 0, 1 - axis, axis, left, columns, figures)
    band = int(phases)
    free = height - 3 - int(banner) - 1 - band  # header, tabs, footer; axis
    pane = max(10, free * 43 // 100)
    charts = free - pane
    third = 5 if counter and charts >= 17 else 0
    second = 6 if charts >= 20 else 5
    first = charts - second - third
    if first > 14:  # a tall terminal: let the others grow too
        more = (first - 14) // 2
        second += more // 2 + more % 2
        third += more // 2 if third else 0
        first = charts - second - third
    return LiveLayout(first, second, third, band, 1, left, columns, figures)


GROWTH = 1.06
"""How much longer the live time axis gets at a time."""


def live_axis(t_start_ns: int, t_now_ns: int) -> tuple[int, int]:
    """Return an axis for a session that goes on: it grows in steps.

    A column then stands for the same stretch of time from one picture to the next, so that
    only the newest columns change: the picture is calm, and little goes over the wire.
    """
    length = float(TIMELINE_MIN_NS)
    while length < t_now_ns - t_start_ns:
        length *= GROWTH
    return t_start_ns, t_start_ns + round(length)


def zoomed_axis(
    axis: tuple[int, int], t_ns: int, factor: float, whole: tuple[int, int]
) -> tuple[int, int] | None:
    """Zoom an axis around a moment; None once it shows the whole session again."""
    least = NS_PER_S // 5
    t0, t1 = axis
    length = max((t1 - t0) * factor, least)
    if length >= whole[1] - whole[0]:
        return None
    share = min(max((t_ns - t0) / max(t1 - t0, 1), 0.0), 1.0)
    new0 = round(t_ns - share * length)
    new0 = min(max(new0, whole[0]), whole[1] - round(length))
    return new0, new0 + round(length)
