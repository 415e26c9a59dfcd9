"""Distributions as strips: a figure's runs as marks on one scale, lanes above each other. Pure."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.compare.figures import amount_text
from perftui.tui.text.fit import fit, fit_figure, shorten_end
from perftui.tui.widgets.draw.canvas import strip_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.strip import Strip

    from perftui.tui.screens.lab.face import FigureLanes, Lane
    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.draw.canvas import Piece

_HEIGHTS = " ▂▄▆█"
"""One run, two, three, four and more in the same cell."""
_MIDDLE, _BOUND = "│", "┊"
_BELOW, _ABOVE = "‹", "›"
"""At the edge: a run that lies beyond the scale."""
_FAR = 3.0
"""So many times the width of the middle half beyond it a run is far off (Tukey's outer fences,
1977), and drawn at the edge."""
_FEW = 4


class Columns(NamedTuple):
    """Cells of the parts of a line."""

    label: int
    name: int
    value: int
    strip: int
    said: int
    wide: bool


class Scale(NamedTuple):
    """From a value to a cell."""

    low: float
    high: float
    cells: int

    def cell(self, value: float) -> int:
        """Return the cell of a value; what is beyond an end is at that end."""
        if self.high <= self.low:
            return self.cells // 2
        part = (value - self.low) / (self.high - self.low)
        return min(max(round(part * (self.cells - 1)), 0), self.cells - 1)

    def holds(self, value: float) -> bool:
        """Whether a value lies within it."""
        return self.high <= self.low or self.low <= value <= self.high


def columns_for(width: int, figures: Sequence[FigureLanes]) -> Columns:
    """Share out a line."""
    wide = width >= 110
    lanes = [lane for figure in figures for lane in figure.lanes]
    name = min(max((len(lane.name) for lane in lanes), default=0), 16 if wide else 8)
    label = max((len(_label(figure, wide)) for figure in figures), default=0)
    label = min(max(label, 8), 20 if wide else 12)
    value = 9
    said = max((len(_said(lane, wide)) for lane in lanes), default=0)
    said = max(min(said, width * 3 // 10), 12)
    strip = max(width - label - name - value - said - 8, 8)
    return Columns(label, name, value, strip, said, wide)


def _label(figure: FigureLanes, wide: bool) -> str:
    return figure.label if wide else figure.short


def _said(lane: Lane, wide: bool) -> str:
    return f"{lane.said}  {lane.within}" if wide and lane.within else lane.said


def scale_of(figure: FigureLanes, cells: int) -> Scale:
    """Return the scale that all lanes share: single runs far off do not squeeze the others."""
    values = [value for lane in figure.lanes for _, value in lane.marks]
    if not values:
        return Scale(0.0, 0.0, cells)
    ends = [end for lane in figure.lanes for end in _fences([value for _, value in lane.marks])]
    ends += [] if figure.bound is None else [figure.bound]
    low, high = min(ends), max(ends)
    # A cell of air at either end, and no noise of a byte blown up to the whole width.
    least = abs(median(values)) * 0.02
    air = max((high - low) * 0.04, (least - (high - low)) / 2, 0.0)
    return Scale(low - air, high + air, cells)


def _fences(values: Sequence[float]) -> tuple[float, ...]:
    """Return from where to where the runs of a lane lie, without those far off."""
    if len(values) < _FEW:
        return tuple(values)
    one, _, three = quantiles(values, n=4, method="inclusive")
    reach = (three - one) * _FAR
    return max(min(values), one - reach), min(max(values), three + reach)


def figure_lines(
    figure: FigureLanes, columns: Columns, chosen: int | None, paint: Paint, *, axis: bool
) -> list[Strip]:
    """Return the lines of a figure: a lane each, and the ends of the scale below if wanted."""
    scale = scale_of(figure, columns.strip)
    lines = []
    for number, lane in enumerate(figure.lanes):
        last = number == len(figure.lanes) - 1
        label = _label(figure, columns.wide) if number == 0 else ""
        ink = figure.ink if last or len(figure.lanes) > 2 else "slate"
        strip = lane_pieces(lane, scale, ink, figure.bound if last else None, chosen, paint)
        said = shorten_end(_said(lane, columns.wide), columns.said)
        lines.append(
            strip_of(
                [
                    (f" {fit(label, columns.label)} ", paint.bright if figure.loud else paint.text),
                    (f"{fit(lane.name, columns.name)} ", paint.dim),
                    (fit(fit_figure(lane.middle, columns.value), columns.value, right=True),
                     paint.bright),
                    ("  ", None),
                    *strip,
                    ("  ", None),
                    (said, paint.named(lane.tone)),
                ]
            )
        )  # fmt: skip
    if axis:
        left = columns.label + columns.name + columns.value + 5
        low, high = (amount_text(end, figure.unit) for end in (scale.low, scale.high))
        gap = max(columns.strip - len(low) - len(high), 1)
        ends = f"{low}{'·' * gap}{high}"
        lines.append(strip_of([(" " * left, None), (ends, paint.faint)]))
    return lines


def lane_pieces(
    lane: Lane, scale: Scale, ink: str, bound: float | None, chosen: int | None, paint: Paint
) -> Iterable[Piece]:
    """Draw a lane: higher where runs meet, shaded where the middle lies with 95 %."""
    counts = [0] * scale.cells
    for _, value in lane.marks:
        counts[scale.cell(value)] += 1
    beyond = {scale.cell(value) for _, value in lane.marks if not scale.holds(value)}
    picked = {scale.cell(value) for row, value in lane.marks if row == chosen}
    middle = None if lane.at is None else scale.cell(lane.at)
    edge = None if bound is None else scale.cell(bound)
    shaded = range(0)
    if lane.spread is not None:
        shaded = range(scale.cell(lane.spread.low), scale.cell(lane.spread.high) + 1)
    colour, ground = paint.named(ink), paint.range_bg
    for cell, count in enumerate(counts):
        char, style = _HEIGHTS[min(count, len(_HEIGHTS) - 1)], colour
        if cell in beyond:
            char = _ABOVE if cell else _BELOW
        if cell in picked:
            style = paint.link
        elif not count and cell == middle:
            char, style = _MIDDLE, paint.bright
        elif count and cell == middle:
            style = paint.bright
        elif not count and cell == edge:
            char, style = _BOUND, paint.dim
        yield char, style + ground if cell in shaded else style
