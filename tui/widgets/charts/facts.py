"""The figures at the right of a chart: what explains its shape. Pure: a View in, words out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.colours.parts import UNTOLD, group_of
from perftui.probes.colours.pools import TELLING_SHARE, pool_colour
from perftui.probes.text.units import (
    NS_PER_S,
    format_bytes,
    format_count,
    format_seconds,
    three_digits,
)
from perftui.tui.text.fit import clean, fit_figure, shorten_middle

if TYPE_CHECKING:
    from rich.style import Style

    from perftui.probes.colours.parts import PartGroup
    from perftui.probes.spine.reader import Buckets, Counter
    from perftui.tui.picture.view import View
    from perftui.tui.terminal.theme import Paint

UNKNOWN = "–"
_TELLING_BYTES = 1_000_000
"""At its peak: a group of parts that is named though nobody knows how much it is now."""
FACTS_WIDTH = 21
"""Cells of the column, the gap to the chart not counted."""


class Fact(NamedTuple):
    """One figure; `colour` is a field of `Paint`."""

    label: str
    value: str
    colour: str = "text"


def fact_pieces(fact: Fact | None, width: int, paint: Paint) -> list[tuple[str, Style | None]]:
    """Return label and value spread over `width` cells."""
    if fact is None:
        return [(" " * width, None)]
    value = fit_figure(fact.value, width)
    label = shorten_middle(fact.label, max(width - len(value) - 1, 0))
    gap = " " * max(width - len(label) - len(value), 0)
    return [(label, paint.dim), (gap, None), (value, paint.named(fact.colour))]


def known(buckets: Buckets) -> list[float]:
    """Return the measured highs of a chart."""
    return [value for value in buckets.high if value is not None]


def telling_pools(view: View) -> tuple[tuple[int, str, Buckets], ...]:
    """Return (index, name, sizes) of the pools worth stacking: those that explain some of RSS.

    An Arrow pool of nothing beside gigabytes of DuckDB's would only paint all of it
    "unexplained".
    """
    highest = max(known(view.rss), default=0.0)
    return tuple(
        (index, name, pool)
        for index, (name, pool) in enumerate(view.pools)
        if max(known(pool), default=0.0) >= TELLING_SHARE * highest > 0
    )


def rss_facts(view: View) -> list[Fact]:
    """Peak, base, what PSS and swap say, and each pool."""
    latest = view.latest
    highs = known(view.rss)
    facts: list[Fact] = []
    peak = max([*highs, view.peak_rss_bytes or 0.0], default=0.0)
    if peak > 0:
        facts.append(Fact("peak", format_bytes(peak), "bright"))
    if view.base_rss_bytes is not None:
        facts.append(Fact("base", format_bytes(view.base_rss_bytes)))
    facts += _part_facts(view) or _pool_facts(view)
    for name, label in (
        ("anon_rss_bytes", "anonymous"),
        ("pss_bytes", "PSS"),
        ("uss_bytes", "USS"),
    ):
        if name in latest:
            facts.append(Fact(label, format_bytes(latest[name]), "dim"))
        elif name in view.known_names:
            facts.append(Fact(label, UNKNOWN, "dim"))
    if latest.get("swap_bytes"):
        facts.append(Fact("swap", format_bytes(latest["swap_bytes"]), "bad"))
    running = sum(1 for process in view.processes if process.t_end_ns is None)
    if len(view.processes) > 1:
        facts.append(Fact("processes", f"{running} of {len(view.processes)}", "dim"))
    return facts


def _part_facts(view: View) -> list[Fact]:
    """Return what RSS is made of, in groups, the largest first; nothing if that was never read."""
    now: dict[PartGroup | None, float] = {}
    for name, _ in view.parts:
        size = view.latest.get(f"part:{name}")
        if size is not None:
            group = group_of(name)
            now[group] = now.get(group, 0.0) + size
    rows = now or _highest_parts(view)
    return [
        Fact(
            UNTOLD if group is None else group.label,
            format_bytes(rows[group]) if now else UNKNOWN,
            "dim" if group is None or not now else group.colour,
        )
        for group in sorted(rows, key=lambda each: -rows[each])
        if rows[group]
    ]


def _highest_parts(view: View) -> dict[PartGroup | None, float]:
    """Return the peaks of the groups that are worth naming."""
    highest: dict[PartGroup | None, float] = {}
    for name, sizes in view.parts:
        group = group_of(name)
        highest[group] = highest.get(group, 0.0) + max(known(sizes), default=0.0)
    return {group: size for group, size in highest.items() if size >= _TELLING_BYTES}


def _pool_facts(view: View) -> list[Fact]:
    """Return what each pool says, where it is not known what RSS is made of."""
    latest = view.latest
    facts = [
        Fact(clean(name), format_bytes(latest[f"pool:{name}"]), pool_colour(name, index))
        for index, (name, _) in enumerate(view.pools)
        if f"pool:{name}" in latest
    ]
    rss = latest.get("rss_bytes")
    if rss is not None and telling_pools(view):
        named = sum(latest.get(f"pool:{name}", 0.0) for name, _ in view.pools)
        facts.append(Fact("unexplained", format_bytes(max(rss - named, 0.0)), "dim"))
    return facts


def cpu_facts(view: View) -> list[Fact]:
    """Threads, CPU time so far, who works hardest and what the main thread waits for."""
    latest = view.latest
    facts: list[Fact] = []
    if "threads" in latest:
        facts.append(Fact("threads", f"{latest['threads']:.0f}"))
    user, system = latest.get("cpu_user_s"), latest.get("cpu_system_s")
    if user is not None and system is not None:
        used_s = user + system
        if view.end_cpu_s is not None and view.at_the_end:
            used_s = view.end_cpu_s  # of threads that had ended before they were read, too
        facts.append(Fact("CPU time", format_seconds(used_s)))
        if user + system > 0:
            facts.append(Fact("in kernel", f"{100 * system / (user + system):.0f} %", "dim"))
    waiting = next((t.waiting for t in view.threads if t.is_python and t.waiting), "")
    if waiting:
        words = clean(waiting).partition(" (")[0].partition(":")[0]
        words = words.removeprefix("waiting in ").removeprefix("waiting for ")
        words = words.removeprefix("waiting on ").removeprefix("waiting ")
        facts.insert(1, Fact("waits for", words))
    if latest.get("io_read_bytes"):
        facts.append(Fact("read", format_bytes(latest["io_read_bytes"]), "dim"))
    return facts


def counter_facts(view: View, name: str) -> list[Fact]:
    """First row, the other counters, and the bytes kept per row."""
    counter = next((c for c in view.counters if c.name == name), None)
    if counter is None:
        return []
    start = view.status.t_start_ns
    single = clean(name.removesuffix("s"))
    first_s = (counter.first_t_ns - start) / NS_PER_S
    facts = [Fact(f"first {single}", format_seconds(first_s))]
    facts += [
        Fact(clean(other.name), format_count(other.total))
        for other in view.counters
        if other.name != name
    ][:1]
    kept = _kept_per_unit(view, counter)
    if kept is not None:
        facts.append(Fact(f"kept per {single}", f"{three_digits(kept)} B", "memory_text"))
    return facts


def _kept_per_unit(view: View, counter: Counter) -> float | None:
    """RSS gained since the first of a counter, per unit; None while it says nothing."""
    now = view.latest.get("rss_bytes")
    span = max(view.rss.t1_ns - view.rss.t0_ns, 1)
    column = (counter.first_t_ns - view.rss.t0_ns) * len(view.rss.last) // span
    if now is None or counter.total <= 0 or not 0 <= column < len(view.rss.last):
        return None
    before = next((v for v in reversed(view.rss.last[: column + 1]) if v is not None), None)
    return None if before is None else max(now - before, 0.0) / counter.total
