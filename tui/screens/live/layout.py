"""How the rows and columns of the live screen are shared out. Pure, for every size."""

from __future__ import annotations

from typing import NamedTuple

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture.view import TIMELINE_MIN_NS
from perftui.tui.terminal.panels import USUAL, Panels
from perftui.tui.terminal.sizes import BESIDE, WIDE
from perftui.tui.widgets.charts.axis_place import CHART_LEFT, STRIP_LEFT, strip_columns
from perftui.tui.widgets.charts.facts import FACTS_WIDTH

LEAST_CHART = 3
"""Rows of a chart with its frame: what a flat line needs."""
LEAST_PANE = 8
"""Rows that the tabs keep, however large a person makes the charts."""


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
    width: int
    """Of the charts."""
    beside: bool = False
    """The charts stand left of the tabs, and not above."""
    gc_band: int = 0

    @property
    def charts(self) -> int:
        """Rows of the charts."""
        return self.rss + self.cpu + self.counter + self.band + self.gc_band + self.axis


def plan(
    width: int,
    height: int,
    *,
    counter: bool,
    banner: bool,
    phases: bool,
    chosen: bool,
    flat: frozenset[str] = frozenset(),
    panels: Panels = USUAL,
    collections: bool = False,
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
        flat: Charts ("rss", "cpu") that show no more than a line.
        panels: What the person chose.
        collections: There are collections of cycles to draw.
    """
    free = height - 3 - int(banner)  # header, tabs, footer
    memory, cpu = panels.charts in ("all", "memory"), panels.charts in ("all", "cpu")
    if panels.full or panels.charts == "none":
        return _strips(width, height, cpu=cpu, memory=memory, none=panels.charts == "none")
    if width >= BESIDE:
        return _beside(width, free, counter, phases, panels, collections)
    figures = width >= WIDE
    left, columns = _columns(width, figures)
    if height < 30:
        axis = int(chosen or not phases)
        rows = 7 if height >= 24 else 6 if height >= 20 else 5
        rows += max(height - 24, 0) // 3
        name = "rss" if memory else "cpu"
        rows = _sized(LEAST_CHART if name in flat else rows, panels.rows, free - 1)
        rss, second = (rows, 0) if memory else (0, rows)
        return LiveLayout(rss, second, 0, 1 - axis, axis, left, columns, figures, width)
    band, of_gc = int(phases), int(collections)
    free -= 1 + band + of_gc  # axis
    pane = max(10, free * 43 // 100)
    charts = _sized(free - pane, panels.rows, free)
    third = 5 if counter and charts >= 17 and panels.charts == "all" else 0
    second = 6 if charts >= 20 else 5 if charts >= 10 else LEAST_CHART
    second = second if charts >= 2 * LEAST_CHART else 0
    first = charts - second - third
    if first > 14:  # a tall terminal: let the others grow too
        more = (first - 14) // 2
        second += more // 2 + more % 2
        third += more // 2 if third else 0
        first = charts - second - third
    # What is hidden, and what a flat chart does not need, is the tabs'.
    if not memory:
        first, second = 0, min(max(second, 8), charts)
    if not cpu:
        second = 0
    if "rss" in flat:
        first = min(first, max(LEAST_CHART + panels.rows, LEAST_CHART))
    if "cpu" in flat:
        second = min(second, LEAST_CHART)
    return LiveLayout(first, second, third, band, 1, left, columns, figures, width, gc_band=of_gc)


def _columns(width: int, figures: bool) -> tuple[int, int]:
    """Return (first column of the time axis, its columns)."""
    left = CHART_LEFT[figures]
    right = FACTS_WIDTH + 4 if figures else 2
    return left, max(width - left - right, 1)


def _sized(rows: int, more: int, free: int) -> int:
    """Return rows for the charts, as the person changed them."""
    return max(min(rows + more, free - LEAST_PANE), LEAST_CHART)


def _strips(width: int, height: int, *, cpu: bool, memory: bool, none: bool) -> LiveLayout:
    """Leave the charts a line each; a small terminal has room for one."""
    both = height >= 20
    rss = int(memory and not none)
    second = int(cpu and not none and (both or not rss))
    columns = strip_columns(width)
    return LiveLayout(rss, second, 0, 0, 0, STRIP_LEFT, columns, False, width)


def _beside(
    width: int, free: int, counter: bool, phases: bool, panels: Panels, collections: bool
) -> LiveLayout:
    """Give the charts the left of a wide terminal, from top to bottom."""
    cells = min(max(width * 9 // 20, 90), width - 100)
    left, columns = _columns(cells, True)
    band, of_gc = int(phases), int(collections)
    rows = free + 1 - 1 - band - of_gc  # the tabs' line is not above them; axis
    memory, cpu = panels.charts in ("all", "memory"), panels.charts in ("all", "cpu")
    third = rows // 5 if counter and panels.charts == "all" and rows >= 20 else 0
    both = rows - third
    second = 0 if not cpu else both
    if cpu and memory:
        second = min(max(both * 2 // 5 - panels.rows, LEAST_CHART), both - LEAST_CHART)
    first = rows - second - third if memory else 0
    return LiveLayout(first, second, third, band, 1, left, columns, True, cells, True, of_gc)


GROWTH = 1.06
"""How much longer the live time axis gets at a time."""
LEAST_GROWTH_NS = 3 * NS_PER_S
"""And by how much at the least: a young session would have another axis in each picture, and
nothing of the one before could be kept."""


def live_axis(t_start_ns: int, t_now_ns: int) -> tuple[int, int]:
    """Return an axis for a session that goes on: it grows in steps.

    A column then stands for the same stretch of time from one picture to the next, so that
    only the newest columns change: the picture is calm, and little goes over the wire.
    """
    length = float(TIMELINE_MIN_NS)
    while length < t_now_ns - t_start_ns:
        length = max(length * GROWTH, length + LEAST_GROWTH_NS)
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
