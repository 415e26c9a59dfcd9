"""The Phases tab: what a run consists of, its timed calls and its counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.caused import first_call_words, first_imports_json
from perftui.probes.text.units import NS_PER_S, format_bytes, format_count, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.charts.time_axis import start_text
from perftui.tui.widgets.flame.detail import percent
from perftui.tui.widgets.tables.phase_tree import PhaseLine, phase_lines
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from perftui.probes.spine.reader import CallStats, Counter, RunCost
    from perftui.tui.picture.view import View

_PHASES = (
    Column("phase"),
    Column("start", 9, right=True, rank=5, tone="dim"),
    Column("time", 11, right=True, tone="strong"),
    Column("share", 7, right=True, rank=1),
    Column("cpu", 9, right=True, rank=2, tone="cool"),
    Column("RSS", 9, right=True, rank=3),
    Column("RSS from → to", 21, right=True, rank=6, tone="dim"),
    Column("peak", 9, right=True, rank=4, tone="warm"),
)
_RUNS = (
    Column("run"),
    Column("waited", 9, right=True, tone="strong"),
    Column("spawn", 9, right=True, rank=4, tone="dim"),
    Column("held back", 9, right=True, rank=6, tone="dim"),
    Column("load", 9, right=True, rank=5, tone="dim"),
    Column("worked", 9, right=True, tone="strong"),
    Column("importing", 10, right=True, rank=1, tone="cool"),
    Column("modules", 8, right=True, rank=3, tone="dim"),
    Column("transport", 9, right=True, rank=2, tone="dim"),
)
"""What we waited for, and what it consists of: the columns add up, importing is part of work."""
_CALLS = (
    Column("call"),
    Column("n", 9, right=True),
    Column("first", 9, right=True, tone="strong"),
    Column("warm median", 11, right=True),
    Column("last", 9, right=True, rank=3, tone="dim"),
    Column("first : warm", 12, right=True, rank=1),
    Column("failed", 7, right=True, rank=4, tone="dim"),
)
_COUNTERS = (
    Column("counter"),
    Column("total", 11, right=True, tone="strong"),
    Column("per second", 12, right=True),
    Column("first at", 10, right=True, rank=1, tone="dim"),
)


class PhasesPane(Table):
    """Tree of phases with shares that add up; calls and counters below."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._open: set[Hashable] = set()

    def show(self, view: View) -> None:
        """Show another picture."""
        self._view = view
        wanted = view.selection.filter.lower()
        lines = phase_lines(view.phases, view.range, self._open)
        if wanted:
            lines = [line for line in lines if wanted in line.name.lower()]
        calls = [call for call in view.calls if wanted in call.name.lower()]
        counters = [counter for counter in view.counters if wanted in counter.name.lower()]
        t0, t1 = view.range
        runs = [cost for cost in view.runs if t0 <= cost.run.t_ns <= t1 and not wanted]
        longest = max((cost.run.waited_ns for cost in runs), default=1)
        whole = max(view.range[1] - view.range[0], 1)
        self.fill(
            [
                Section(
                    _RUNS,
                    [("run", cost.run.n) for cost in runs],
                    lambda n: _run_row(runs[n], longest),
                ),
                Section(
                    _PHASES,
                    [line.key for line in lines],
                    lambda n: _phase_row(lines[n], whole, view),
                ),
                _calls_section(calls),
                Section(
                    _COUNTERS,
                    [("count", c.name) for c in counters],
                    lambda n: _counter_row(counters[n], view),
                ),
            ],
            empty=_why_empty(view),
        )

    def activate(self, key: Hashable) -> None:
        """Open or close a row that stands for many phases of a name."""
        self._open ^= {key}
        if self._view is not None:
            self.show(self._view)


def _phase_row(line: PhaseLine, whole: int, view: View) -> Row:
    phase = line.phase
    time = format_seconds(line.duration_ns / NS_PER_S) + (" …" if line.running else "")
    rss = span = peak = start = cpu = ""
    if phase is not None:
        start = start_text(view.seconds(phase.t0_ns))
        before, after = phase.rss_start_bytes, phase.rss_end_bytes
        if before is not None and after is not None:
            rss = ("+" if after >= before else "−") + format_bytes(abs(after - before))
            span = f"{format_bytes(before)} → {format_bytes(after)}"
        elif before is not None:
            span = f"{format_bytes(before)} →"
        if phase.peak_rss_bytes is not None:
            peak = format_bytes(phase.peak_rss_bytes)
    if line.cpu_s is not None:
        cpu = format_seconds(line.cpu_s)
    quiet = phase is None and line.open is None
    share = line.duration_ns / whole
    return Row(
        (line.name, start, time, percent(share), cpu, rss, span, peak),
        ("dim", "", "dim", "dim") if quiet else (),
        indent=2 * line.depth,
        bar=min(share, 1.0),
        bar_tone="row" if quiet else "bar",
        mark="◀ now" if line.is_now else "",
        open=line.open,
    )


def _run_row(cost: RunCost, longest: int) -> Row:
    run = cost.run
    parts = (run.waited_ns, run.spawn_ns, run.held_ns, run.load_ns, run.worked_ns)
    waited, spawn, held, load, worked = (
        "" if part is None else format_seconds(part / NS_PER_S) for part in parts
    )
    return Row(
        (
            f"{run.n}  {'cold: a new program' if run.cold else 'warm: the same process'}",
            waited,
            spawn,
            held,
            load,
            worked,
            format_seconds(cost.imported_ns / NS_PER_S) if cost.modules else "",
            f"{cost.modules:,}" if cost.modules else "",
            format_seconds(cost.transport_ns / NS_PER_S),
        ),
        bar=run.waited_ns / max(longest, 1),
        bar_tone="warmbar" if run.cold else "bar",
        mark="" if run.ok else "failed",
    )


def _calls_section(calls: Sequence[CallStats]) -> Section:
    """A row for every call, and one below it for what its first call imported."""
    rows: list[tuple[CallStats, str]] = []
    for call in calls:
        rows.append((call, ""))
        imported = first_call_words(call.first_ns / NS_PER_S, first_imports_json(call))
        if imported:
            rows.append((call, imported))

    def row(number: int) -> Row:
        call, imported = rows[number]
        if imported:
            return Row((f"first: {imported}",), ("cool",), indent=3, wide=True)
        return _call_row(call)

    return Section(
        _CALLS, [("first" if imported else "call", call.name) for call, imported in rows], row
    )


def _call_row(call: CallStats) -> Row:
    warm = call.warm_median_ns
    ratio = "" if call.ratio is None else f"{call.ratio:.3g} : 1"
    slow_start = call.ratio is not None and call.ratio >= 10
    return Row(
        (
            call.name,
            f"{call.n:,}",
            format_seconds(call.first_ns / NS_PER_S),
            "" if warm is None else format_seconds(warm / NS_PER_S),
            format_seconds(call.last_ns / NS_PER_S),
            ratio,
            str(call.failed) if call.failed else "",
        ),
        ("", "", "", "", "", "warm" if slow_start else "", "bad"),
    )


def _counter_row(counter: Counter, view: View) -> Row:
    rate = "" if counter.per_s is None else f"{format_count(counter.per_s)}/s"
    first = start_text(view.seconds(counter.first_t_ns))
    return Row((counter.name, format_count(counter.total), rate, first), ("", "", "good", ""))


def _why_empty(view: View) -> tuple[str, ...]:
    if view.selection.filter and (view.phases or view.calls or view.counters):
        return (f'no phase matches "{clean(view.selection.filter)}"', "esc clears the filter")
    if not view.target.launched and not view.target.agent:
        return (
            "no phases: the agent is not in this process (attached)",
            "`perftui run`, or attach with --inject (Python 3.14+), to time its phases and calls",
        )
    return (
        "no phases, calls or counters in this range",
        'in the program:  with perftui.phase("load"): ...   perftui.count("rows", n)',
    )
