"""What the two halves of a race draw: charts on common axes. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import format_bytes
from perftui.tui.picture.view import TIMELINE_MIN_NS
from perftui.tui.screens.live.layout import live_axis
from perftui.tui.widgets.charts.facts import known
from perftui.tui.widgets.charts.series import Chart, Layer, byte_axis, cpu_chart, held
from perftui.tui.widgets.draw.blocks import nice_top

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.spine.reader import Status
    from perftui.tui.picture.view import View

INKS = (("memory", "memory_text"), ("rows", "rows_text"))
"""By side: the colour of its area and of its figures."""


_LEAST_TOP_BYTES = 100e6
"""The memory axis begins with this: an interpreter that starts is no mountain."""


class Title(NamedTuple):
    """What the border of a half says."""

    name: str
    code: str
    chosen: bool
    empty: str
    """In the middle while there is nothing to draw."""


def common_length_ns(statuses: Iterable[Status]) -> int:
    """The length of the time axis that both halves have: it grows in steps, then it fits."""
    length = TIMELINE_MIN_NS
    for status in statuses:
        start, end = status.t_start_ns, status.t_end_ns
        if status.state in ("live", "starting"):
            start, end = live_axis(start, end)
        length = max(length, end - start)
    return length


def common_top(views: Sequence[View | None]) -> float:
    """The top of the memory axis that both halves have."""
    highs = [high for view in views if view is not None for high in known(view.rss)]
    return nice_top(max([*highs, _LEAST_TOP_BYTES]) * 1.02)


def rss_half(view: View | None, side: int, top: float, title: Title) -> Chart:
    """One half's memory; empty before it begins."""
    ink, text_ink = INKS[side]
    value = None if view is None else view.latest.get("rss_bytes")
    over = view is not None and view.status.state == "exited"
    edge = () if view is None else held(view, view.rss, view.rss.high)
    if over:
        value = max((v for v in edge if v is not None), default=None)
    return Chart(
        title=("▸ " if title.chosen else "") + title.name,
        value="" if value is None else format_bytes(value),
        value_colour=text_ink,
        note="peak" if over and value is not None else "",
        note_colour="dim",
        legend=(),
        layers=(Layer("RSS", ink, edge),) if edge else (),
        top=top,
        axis_text=byte_axis(top),
        facts=(),
        empty=title.empty,
        aside=title.code,
    )


def cpu_half(view: View | None, cores: int | None) -> Chart:
    """One half's CPU against the cores that it may use."""
    if view is not None:
        over = view.status.state == "exited"
        chart = cpu_chart(view, cores)
        return replace(chart, value="" if over else chart.value, facts=(), title="CPU")
    top = 100.0 * (cores or 1)
    note = "" if cores is None else f"of {cores * 100} %"
    return Chart(
        *("CPU", "", "cpu_text", note, "dim", (), (), top),
        axis_text=lambda v: "0" if v == 0 else f"{v:.0f} %",
        facts=(),
    )
