"""What each timeline shows: a View in, a `Chart` out. Pure, so that tests can read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from perftui.probes.answers.holding import PART_NS
from perftui.probes.colours.parts import GROUPS, UNTOLD, group_of
from perftui.probes.colours.pools import TELLING_SHARE, pool_colour
from perftui.probes.text.units import NS_PER_S, format_bytes, format_count, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.charts.facts import (
    Fact,
    counter_facts,
    cpu_facts,
    known,
    rss_facts,
    telling_pools,
)
from perftui.tui.widgets.draw.blocks import hold_until, nice_top

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.colours.parts import PartGroup
    from perftui.probes.spine.reader import Buckets
    from perftui.tui.picture.view import View

OVER_CORES = 1.5
"""A reading above the cores that there are by no more than this is one that came a moment late;
with more, the recording is of a machine with more cores."""
HOLD_NS = round(1.5 * NS_PER_S)
"""A value is carried over holes up to this long (slow metrics come once a second)."""

Line = tuple["float | None", ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One area: its upper edge per column. `colour` is a field of `Paint`."""

    name: str
    colour: str
    edge: Line


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that a timeline draws, in words and numbers."""

    title: str
    value: str
    value_colour: str
    note: str
    """After the value: the rate of change, or what 100 % is."""
    note_colour: str
    legend: tuple[tuple[str, str], ...]
    """(name, colour) per layer, empty for a single one."""
    layers: tuple[Layer, ...]
    top: float
    axis_text: Callable[[float], str]
    facts: tuple[Fact, ...]
    empty: str = ""
    """What to say while there is nothing to draw."""
    aside: str = ""
    """At the right of the title, where there is room: a line of code."""


def held(
    view: View, buckets: Buckets, measured: Sequence[float | None], hold_ns: int = HOLD_NS
) -> Line:
    """Carry values over holes shorter than `hold_ns`, and on to now; end at the pause."""
    n = len(measured)
    step = max((buckets.t1_ns - buckets.t0_ns) // max(n, 1), 1)
    shown = min(view.selection.paused_at_ns or view.status.t_end_ns, view.status.t_end_ns)
    newest = (shown - buckets.t0_ns) // step
    line = hold_until(measured, newest, max(hold_ns // step, 1))
    if view.selection.paused_at_ns is not None and newest + 1 < n:
        line[max(newest + 1, 0) :] = [None] * (n - max(newest + 1, 0))
    return tuple(line)


def at_cursor(view: View, buckets: Buckets) -> float | None:
    """Return the value under the cursor."""
    cursor = view.selection.cursor_ns
    n = len(buckets.last)
    if cursor is None or not buckets.t0_ns <= cursor <= buckets.t1_ns or n == 0:
        return None
    line = held(view, buckets, buckets.high)
    column = min((cursor - buckets.t0_ns) * n // max(buckets.t1_ns - buckets.t0_ns, 1), n - 1)
    if line[column] is None and cursor >= view.status.t_end_ns - HOLD_NS:
        # At the end: the last of the living, its end may have been seen a moment later.
        return next((value for value in reversed(line[: column + 1]) if value is not None), None)
    return line[column]


def _current(view: View, buckets: Buckets, name: str) -> float | None:
    """Return the value that the title names: at the cursor, at the pause, or the newest."""
    if view.selection.cursor_ns is not None:
        return at_cursor(view, buckets)
    if view.selection.paused_at_ns is not None:
        return next((v for v in reversed(buckets.last) if v is not None), None)
    return view.latest.get(name)


def rss_chart(view: View, rate_per_s: float | None) -> Chart:
    """Memory, its pools stacked if they are known."""
    value = _current(view, view.rss, "rss_bytes")
    rss = held(view, view.rss, view.rss.high)
    parts = _part_layers(view, rss)
    layers = parts or [
        Layer(clean(name), pool_colour(name, index), held(view, pool, pool.last))
        for index, name, pool in telling_pools(view)
    ]
    legend = tuple((layer.name, layer.colour) for layer in layers)
    if layers:
        layers = _stack(layers, rss)
        legend += ((UNTOLD if parts else "unexplained", "slate"),)
    layers.append(Layer("RSS", "slate" if layers else "memory", rss))
    highest = max(known(view.rss), default=0.0)
    note, colour = _change(rate_per_s, value)
    return Chart(
        title=_of_whom("RSS", view),
        value="" if value is None else format_bytes(value),
        value_colour="memory_text",
        note=note,
        note_colour=colour,
        legend=legend,
        layers=tuple(layers),
        top=nice_top(highest * 1.02),
        axis_text=byte_axis(nice_top(highest * 1.02)),
        facts=tuple(rss_facts(view)),
        empty="waiting for the first reading" if view.status.state != "exited" else "no reading",
    )


def _part_layers(view: View, rss: Line) -> list[Layer]:
    """Return what RSS is made of in groups, those that are worth drawing; nothing if not known."""
    highest = max(filter(None, rss), default=0.0)
    lines: dict[PartGroup | None, list[Line]] = {}
    for name, sizes in view.parts:
        lines.setdefault(group_of(name), []).append(sizes.last)
    layers = []
    for group in GROUPS:
        several = lines.get(group)
        if several is None:
            continue
        whole = reduce(_sum, several)
        most = max(filter(None, whole), default=0.0)
        if most >= TELLING_SHARE * highest > 0:
            edge = held(view, view.parts[0][1], whole, PART_NS)
            layers.append(Layer(group.label, group.colour, edge))
    return layers


def _sum(one: Line, other: Line) -> Line:
    """Add two lines up; what is known of one alone counts."""
    return tuple(
        [
            more if size is None else size if more is None else size + more
            for size, more in zip(one, other, strict=True)
        ]
    )


def _of_whom(title: str, view: View) -> str:
    pid = view.selection.process
    return title if pid is None else f"{title} of process {pid}"


def _stack(layers: list[Layer], rss: Line) -> list[Layer]:
    """Turn pool sizes into edges; no pool is drawn above RSS (it may be swapped or untouched)."""
    below = [0.0] * len(rss)
    stacked = []
    for layer in layers:
        edges = [base + (size or 0.0) for base, size in zip(below, layer.edge, strict=True)]
        below = [
            base if total is None else total if edge > total else edge
            for base, edge, total in zip(below, edges, rss, strict=True)
        ]
        stacked.append(Layer(layer.name, layer.colour, tuple(below)))
    return stacked


def _change(rate_per_s: float | None, value: float | None) -> tuple[str, str]:
    """Name the rate of change if it is one: above 0.5 % of the value and 100 kB a second."""
    if rate_per_s is None or value is None or abs(rate_per_s) < max(0.005 * value, 1e5):
        return "", "dim"
    if rate_per_s > 0:
        fast = rate_per_s > 0.03 * value
        return f"▲ +{format_bytes(rate_per_s)}/s", "bad" if fast else "memory_text"
    return f"▼ −{format_bytes(-rate_per_s)}/s", "good"


def cpu_chart(view: View, cores: int | None) -> Chart:
    """CPU of the tree, 100 = one core, against the cores that it may use."""
    most = OVER_CORES * (cores or 0) * 100
    cpu = view.cpu
    if cores is not None and cores * 100 < max(known(cpu), default=0.0) <= most:
        cpu = _at_most(cpu, cores * 100.0)  # ticks of 10 ms, booked a moment late
    value = _current(view, cpu, "cpu_percent")
    if value is not None and cores is not None and value <= most:
        value = min(value, cores * 100.0)
    highest = max(known(cpu), default=0.0)
    top = max(100.0, -(-highest * 0.97 // 100) * 100)
    if cores is not None:
        top = min(top, cores * 100.0) if highest <= cores * 105 else top
    if cores is not None and cores <= 4:
        top = max(top, cores * 100.0)
    return Chart(
        title=_of_whom("CPU", view),
        value="" if value is None else f"{value:.0f} %",
        value_colour="cpu_text",
        note="" if cores is None else f"of {cores * 100} %",
        note_colour="dim",
        legend=(),
        layers=_envelope(view, cpu, "cpu", "cpu_soft"),
        top=top,
        axis_text=lambda v: "0" if v == 0 else f"{v:.0f} %",
        facts=tuple(cpu_facts(view)),
    )


def _at_most(buckets: Buckets, most: float) -> Buckets:
    low, high, last = (
        tuple(value if value is None else min(value, most) for value in values)
        for values in (buckets.low, buckets.high, buckets.last)
    )
    return buckets._replace(low=low, high=high, last=last)


def _envelope(view: View, buckets: Buckets, colour: str, soft: str) -> tuple[Layer, ...]:
    """Draw a jumping figure honestly: solid to its low, soft from there to its high."""
    return (
        Layer("low", colour, held(view, buckets, buckets.low)),
        Layer("high", soft, held(view, buckets, buckets.high)),
    )


def chosen_counter(view: View) -> str | None:
    """Return the counter worth a timeline: rows if there are any, else the first."""
    names = [name for name, _ in view.counter_rates]
    for wanted in ("rows", "row", "records", "items", "batches", "bytes"):
        if wanted in names:
            return wanted
    return names[0] if names else None


def counter_chart(view: View, name: str) -> Chart:
    """Units per second of one counter."""
    buckets = next(rate for rate_name, rate in view.counter_rates if rate_name == name)
    counter = next((c for c in view.counters if c.name == name), None)
    rate = _current(view, buckets, f"rate:{name}")
    total = view.latest.get(f"count:{name}", counter.total if counter else None)
    is_bytes = name.lower().endswith("bytes")
    number = format_bytes if is_bytes else format_count
    highest = max(known(buckets), default=0.0)
    return Chart(
        title=clean(name),
        value="" if total is None else number(total),
        value_colour="rows_text",
        note="" if rate is None else _per_second(number(rate)),
        note_colour="dim",
        legend=(),
        layers=_envelope(view, buckets, "rows", "rows_soft"),
        top=nice_top(highest * 1.02),
        axis_text=lambda v: "0" if v == 0 else _per_second(number(v)),
        facts=tuple(counter_facts(view, name)),
    )


def _per_second(number: str) -> str:
    """Join a number and "/s": 412 k/s, 82 MB/s, 25 /s."""
    return f"{number}/s" if " " in number else f"{number} /s"


def byte_axis(top: float) -> Callable[[float], str]:
    """Return a formatter that writes every label of an axis in the unit of its top."""
    index = 0
    scaled = top
    while scaled >= 999.5 and index < 5:
        scaled /= 1000
        index += 1
    unit = ("B", "kB", "MB", "GB", "TB", "PB")[index]
    digits = 0 if scaled >= 10 or index == 0 else 1

    def text(value: float) -> str:
        if value == 0:
            return "0"
        return f"{value / 1000**index:.{digits}f} {unit}"

    return text


def exit_words(view: View) -> tuple[str, str]:
    """Say how the target ended: "exited with 3", "after 12.4 s · CPU 10.1 s · peak 1.21 GB"."""
    status = view.status
    if status.signal is not None:
        import signal as signals

        try:
            name = signals.Signals(status.signal).name
        except ValueError:
            name = f"signal {status.signal}"
        how = f"killed by {name}"
    elif status.exit_code is not None:
        how = "finished" if status.exit_code == 0 else f"exited with {status.exit_code}"
    else:
        how = "ended"
    parts = [f"after {format_seconds((status.t_end_ns - status.t_start_ns) / NS_PER_S)}"]
    if view.end_cpu_s is not None:
        parts.append(f"CPU {format_seconds(view.end_cpu_s)}")
    peak = max([*known(view.rss), view.peak_rss_bytes or 0.0], default=0.0)
    if peak > 0:
        parts.append(f"peak {format_bytes(peak)}")
    return how, " · ".join(parts)
