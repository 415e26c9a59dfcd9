"""What the screen shows: one frozen picture of the session, taken a few times a second.

`Selection` is what the person chose (range, cursor, thread, filter, ...), `View` is what the
reader says about it. Widgets get a View and draw it; none of them asks the reader itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from perftui.probes.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.calltree import CallTree
    from perftui.probes.reader import (
        Buckets,
        CallStats,
        Counter,
        Event,
        Import,
        Phase,
        Process,
        Reader,
        Status,
        Target,
        Thread,
        ThreadTree,
    )
    from perftui.probes.records import Alert, LogLine

Weight = Literal["wall", "cpu", "grown"]
TIMELINE_MIN_NS = 4 * NS_PER_S
"""The time axis never shows less than this while live, so that a young session does not jump."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the person chose to look at, in absolute nanoseconds; None follows the session."""

    axis: tuple[int, int] | None = None
    """Zoomed time axis; None shows the whole session."""
    range: tuple[int, int] | None = None
    """Range that the tabs show; None shows the whole session."""
    cursor_ns: int | None = None
    paused_at_ns: int | None = None
    """The view stands still at this moment while the probes go on."""
    thread: tuple[int, int] | None = None
    """(pid, tid) chosen with < and >; None shows all threads, hottest first."""
    weight: Weight = "wall"
    by_line: bool = False
    filter: str = ""

    def with_(self, **changes: object) -> Selection:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class View:
    """One picture. `axis` is the time axis of the timelines, `range` what the tabs are about."""

    selection: Selection
    tree: CallTree
    target: Target
    status: Status
    axis: tuple[int, int]
    range: tuple[int, int]
    rss: Buckets
    cpu: Buckets
    counter_rates: tuple[tuple[str, Buckets], ...]
    pools: tuple[tuple[str, Buckets], ...]
    latest: dict[str, float]
    """Newest value of every metric of the whole tree, by name."""
    peak_rss_bytes: float | None
    axis_phases: tuple[Phase, ...]
    phases: tuple[Phase, ...]
    threads: tuple[Thread, ...]
    stacks: tuple[ThreadTree, ...]
    imports: tuple[Import, ...]
    calls: tuple[CallStats, ...]
    counters: tuple[Counter, ...]
    events: tuple[Event, ...]
    log_lines: Sequence[LogLine]
    alerts: tuple[Alert, ...]
    processes: tuple[Process, ...]

    def same_stacks(self, other: View | None) -> bool:
        """Tell whether a widget that shows stacks has nothing new to draw: they come once a
        second, pictures more often."""
        return (
            other is not None
            and self.stacks is other.stacks
            and self.tree is other.tree
            and self.selection == other.selection
            and self.status.state == other.status.state
        )

    def seconds(self, t_ns: int) -> float:
        """Time since the start of the session."""
        return (t_ns - self.status.t_start_ns) / NS_PER_S


def take_view(reader: Reader, selection: Selection, columns: int) -> View:
    """Ask the reader for everything that one picture needs.

    Args:
        reader: The live session or a recording.
        selection: What the person chose.
        columns: Cells of the time axis; one bucket each.
    """
    status = reader.status()
    start = status.t_start_ns
    now = min(selection.paused_at_ns or status.t_end_ns, status.t_end_ns)
    axis = selection.axis or (start, max(now, start + TIMELINE_MIN_NS))
    span = selection.range or (start, max(now, start + 1))
    n = max(columns, 1)
    names = reader.metric_names()
    latest = {name: value for name in names if (value := reader.last(name)) is not None}
    rates = tuple(name for name in names if name.startswith("rate:"))
    pools = tuple(name for name in names if name.startswith("pool:"))
    return View(
        selection=selection,
        tree=reader.tree,
        target=reader.target(),
        status=status,
        axis=axis,
        range=span,
        rss=reader.metric("rss_bytes", *axis, n),
        cpu=reader.metric("cpu_percent", *axis, n),
        counter_rates=tuple((name[5:], reader.metric(name, *axis, n)) for name in rates),
        pools=tuple((name[5:], reader.metric(name, *axis, n)) for name in pools),
        latest=latest,
        peak_rss_bytes=latest.get("high_water_rss_bytes"),
        axis_phases=reader.phases(*axis),
        phases=reader.phases(*span),
        threads=reader.threads(*span),
        stacks=reader.call_tree(*span),
        imports=reader.imports(*span),
        calls=reader.calls(*span),
        counters=reader.counters(*span),
        events=reader.events(*span),
        log_lines=reader.log_lines(*span),
        alerts=reader.alerts(*axis),
        processes=reader.processes(),
    )
