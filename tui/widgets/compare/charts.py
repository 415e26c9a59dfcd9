"""What the charts of a comparison say: titles, axes and figures of both runs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.probes.profile.sums import BYTES
from perftui.probes.text.units import NS_PER_S, format_bytes
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.widgets.charts.facts import Fact
from perftui.tui.widgets.charts.phase_band import band_line_of
from perftui.tui.widgets.charts.series import Chart, byte_axis
from perftui.tui.widgets.charts.time_axis import tick_step_s, tick_text
from perftui.tui.widgets.draw.blocks import nice_top
from perftui.tui.widgets.draw.canvas import strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from perftui.probes.compare.figures import FigureChange
    from perftui.tui.picture.compare_view import CompareView, SideLine
    from perftui.tui.terminal.theme import Paint

LEGEND = (("base", "slate"), ("new, the line", "memory"))
CPU_LEGEND = (("base", "slate"), ("new, the line", "cpu"))


def rss_twin(view: CompareView) -> Chart:
    """Memory of both runs."""
    top = nice_top(1.02 * _highest(view.base.rss, view.new.rss))
    peak = view.comparison.figure("peak_rss")
    value, note, colour = _change(peak)
    return Chart(
        title="RSS",
        value=value,
        value_colour="memory_text",
        note=note,
        note_colour=colour,
        legend=LEGEND,
        layers=(),
        top=top,
        axis_text=byte_axis(top),
        facts=_facts(view, ("peak_rss", "growth", "end_rss"), ("peak", "grew", "end")),
        empty="neither run has a reading of memory here",
    )


def cpu_twin(view: CompareView) -> Chart:
    """CPU of both runs, 100 = one core."""
    highest = _highest(view.base.cpu, view.new.cpu)
    value, note, colour = _change(view.comparison.figure("cpu"))
    return Chart(
        title="CPU",
        value=value,
        value_colour="cpu_text",
        note=note,
        note_colour=colour,
        legend=CPU_LEGEND,
        layers=(),
        top=max(100.0, -(-highest * 0.97 // 100) * 100),
        axis_text=lambda v: "0" if v == 0 else f"{v:.0f} %",
        facts=_facts(view, ("duration", "cpu"), ("took", "CPU")),
        empty="neither run has a reading of CPU here",
    )


def _highest(*sides: Sequence[float | None]) -> float:
    return max((value for side in sides for value in side if value is not None), default=0.0)


def _change(figure: FigureChange | None) -> tuple[str, str, str]:
    if figure is None or figure.change is None:
        return "", "", "dim"
    value = f"{amount_text(figure.base, figure.unit)} → {amount_text(figure.new, figure.unit)}"
    colour = {"worse": "bad", "better": "good"}.get(figure.direction, "dim")
    return value, percent_text(figure.ratio), colour


def _facts(view: CompareView, keys: Sequence[str], labels: Sequence[str]) -> tuple[Fact, ...]:
    facts: list[Fact] = []
    for key, label in zip(keys, labels, strict=True):
        figure = view.comparison.figure(key)
        if figure is None:
            continue
        colour = {"worse": "bad", "better": "good"}.get(figure.direction, "text")
        base, new = amount_text(figure.base, figure.unit), amount_text(figure.new, figure.unit)
        facts.append(Fact(label, f"{new} {percent_text(figure.ratio)}".strip(), colour))
        facts.append(Fact("  base", base, "dim"))
    return tuple(facts)


def band_of(
    side: SideLine, label: str, view: CompareView, axis: tuple[int, int], width: int, paint: Paint
) -> Strip:
    """Draw the phases of one side; `axis` is (first column, columns)."""
    own = axis_map(view, *axis, side.zero_ns)
    return band_line_of(side.phases, side.span[1], own, width, paint, label)


def axis_map(view: CompareView, left: int, columns: int, zero_ns: int = 0) -> AxisMap:
    """Return the common axis on the clock of a side."""
    first, last = (zero_ns + round(edge * NS_PER_S) for edge in view.axis_s)
    return AxisMap(first, last, left, columns)


def ticks_line(view: CompareView, left: int, columns: int, width: int, paint: Paint) -> Strip:
    """Draw the common time axis; 0 is where both are aligned."""
    first, last = view.axis_s
    axis = axis_map(view, left, columns)
    step = tick_step_s(last - first, max(columns // 16, 2))
    cells = [" "] * max(width, 0)
    number = -(-first // step)
    end = left
    while number * step <= last:
        text = tick_text(number * step, step)
        column = axis.clamped(round(number * step * NS_PER_S))
        if column >= end and column + len(text) <= left + columns:
            cells[column : column + len(text)] = text
            end = column + len(text) + 1
        number += 1
    return strip_of([("".join(cells), paint.dim)])


def amount(value: float, weight: str) -> str:
    """Write an amount of a weight."""
    return format_bytes(value) if weight in BYTES else amount_text(value, "s")
