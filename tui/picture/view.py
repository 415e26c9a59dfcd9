"""What the screen shows: one frozen picture of the session, taken a few times a second.

`Selection` is what the person chose (range, cursor, thread, filter, ...), `View` is what the
reader says about it. Widgets get a View and draw it; none of them asks the reader itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, get_args

from perftui.probes.profile.caused import is_late
from perftui.probes.profile.collected import shares
from perftui.probes.profile.tracks import tracks_of
from perftui.probes.spine.reader import NO_BLAME, TREE
from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture.against import take_against
from perftui.tui.picture.latest import latest_values

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.profile.tracks import Tracks
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import (
        Blame,
        Buckets,
        CallStats,
        Counter,
        Event,
        Import,
        Phase,
        Process,
        ProcessUse,
        Reader,
        RunCost,
        Status,
        Target,
        Task,
        Thread,
        ThreadTree,
    )
    from perftui.probes.spine.records import Alert, LogLine, Plan
    from perftui.tui.picture.against import Against
    from perftui.tui.picture.selection import Selection

Part = Literal[
    "stacks",
    "threads",
    "imports",
    "phases",
    "calls",
    "counters",
    "events",
    "log_lines",
    "heat",
    "process_use",
    "tracks",
]
"""A part of a picture that costs something and that not every tab shows."""
ALL_PARTS: frozenset[Part] = frozenset(get_args(Part))
_Row = TypeVar("_Row", "Phase", "Thread", "Import", "ThreadTree")
HEAT_PER_S = 20
"""Buckets of a column in the heat map."""
HEAT_PERIODS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
"""What a column of the heat map may stand for."""
TIMELINE_MIN_NS = 4 * NS_PER_S
"""The time axis never shows less than this while live, so that a young session does not jump."""


class Playback(NamedTuple):
    """How a recording is being shown."""

    state: Literal["closed", "recording", "interrupted"]
    playing: bool
    speed: float
    """Seconds of the recording per second."""
    salvage: str | None
    """What could not be read, in one line; None if all is there."""


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
    """Value of every metric of the whole tree by name: the newest, or that at the cursor. Without
    what is not known of that moment."""
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
    """Those of the whole session, whatever the axis shows: a new one must not go unseen."""
    processes: tuple[Process, ...]
    heat: Buckets | None = None
    """CPU in HEAT_PER_S buckets a period (`heat_period_s`): whole ones from the session's start."""
    has: frozenset[Part] = ALL_PARTS
    """What was asked for; the other parts are empty without meaning anything."""
    playback: Playback | None = None
    """None for a live session."""
    spikes: tuple[Spike, ...] = ()
    """Jumps and bursts found so far in the whole session, by time."""
    against: Against | None = None
    """The range against the time before it, if that was asked for."""
    process_use: tuple[ProcessUse, ...] = ()
    tree_stacks: tuple[ThreadTree, ...] = ()
    """`stacks`, whatever process is chosen."""
    runs: tuple[RunCost, ...] = ()
    """Of the whole session, of a target that keeps its process."""
    plans: tuple[Plan, ...] = ()
    """Of the whole session: whether there are any decides about a tab."""
    tasks: tuple[Task, ...] = ()
    """Of asyncio, as they stood at the cursor or at the end of the range."""
    blame: Blame = NO_BLAME
    """Who made memory grow in the range, by the looks from inside that ended in it."""
    has_tasks: bool = False
    """Whether the newest list of any process has one."""
    parts: tuple[tuple[str, Buckets], ...] = ()
    """What RSS is made of, by name of part."""
    tracks: Tracks | None = None
    """What groups of threads did over the axis."""
    import_threads: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """Names of the threads whose imports are late, by (pid, tid)."""
    gc_shares: tuple[float, ...] = ()
    """Which share of each column of the axis went into collections of cycles; empty: none."""
    base_rss_bytes: float | None = None
    """RSS at the first reading of the session, whatever the axis shows and however wide it is."""
    known_names: frozenset[str] = frozenset()
    """Of the metrics that were told at any time, whether in `latest` or not."""
    end_cpu_s: float | None = None
    """CPU seconds of the whole session once its target has ended, as the summary has them."""

    def same_stacks(self, other: View | None) -> bool:
        """Tell whether a widget that shows stacks has nothing new to draw: they come once a
        second, pictures more often."""
        return (
            other is not None
            and self.stacks is other.stacks
            and self.tree is other.tree
            and self.against is other.against
            and self.selection == other.selection
            and self.status.state == other.status.state
        )

    @property
    def at_the_end(self) -> bool:
        """Whether `latest` is of the newest moment."""
        return _moment(self.selection, self.status) is None

    @property
    def narrowed(self) -> bool:
        """Whether the tabs are about less than the whole session."""
        selection = self.selection
        around = selection.cursor_ns is not None and selection.around_ns > 0
        return selection.range is not None or around

    def seconds(self, t_ns: int) -> float:
        """Time since the start of the session."""
        return (t_ns - self.status.t_start_ns) / NS_PER_S


def take_view(
    reader: Reader,
    selection: Selection,
    columns: int,
    wants: Collection[Part] = ALL_PARTS,
    before: View | None = None,
) -> View:
    """Ask the reader for what one picture needs.

    Args:
        reader: The live session or a recording.
        selection: What the person chose.
        columns: Cells of the time axis; one bucket each.
        wants: The parts that are shown; nothing else is asked for.
        before: The picture before: of a recording that stands still, its timelines are kept.
    """
    status = reader.status()
    start = status.t_start_ns
    now = min(selection.paused_at_ns or status.t_end_ns, status.t_end_ns)
    axis = selection.axis or (start, max(now, start + TIMELINE_MIN_NS))
    span = selection.range or (start, max(now, start + 1))
    n = max(columns, 1)
    names = reader.metric_names()
    pid = TREE if selection.process is None else selection.process
    latest = latest_values(reader, names, _moment(selection, status), status, pid)
    if (
        before is not None
        and _same_axis(before, status, axis, n)
        and before.selection.process == selection.process
    ):
        rss, cpu = before.rss, before.cpu
        counter_rates, pools, parts = before.counter_rates, before.pools, before.parts
        axis_phases, alerts = before.axis_phases, before.alerts
        gc_shares = before.gc_shares
    else:
        rss = reader.metric("rss_bytes", *axis, n, pid)
        cpu = reader.metric("cpu_percent", *axis, n, pid)
        counter_rates = _metrics(reader, names, "rate:", axis, n)
        own = names if pid == TREE else reader.metric_names(pid)
        pools = _metrics(reader, own, "pool:", axis, n, pid)
        parts = _metrics(reader, own, "part:", axis, n, pid)
        axis_phases = reader.phases(*axis)
        gc_shares = _gc_shares(reader, axis, n, selection)
        alerts = reader.alerts(start, status.t_end_ns + 1)
    imports = _of_process(reader.imports(*span), selection) if "imports" in wants else ()
    tree_stacks = reader.call_tree(*span) if "stacks" in wants else ()
    stacks = _stacks_of(tree_stacks, selection, before)
    against = None
    if selection.against and "stacks" in wants:
        against = take_against(
            reader, selection, start, stacks, before.against if before is not None else None
        )
    return View(
        selection=selection,
        tree=reader.tree,
        target=reader.target(),
        status=status,
        axis=axis,
        range=span,
        rss=rss,
        cpu=cpu,
        counter_rates=counter_rates,
        pools=pools,
        latest=latest,
        peak_rss_bytes=reader.last("high_water_rss_bytes", pid),
        axis_phases=axis_phases,
        phases=_of_process(reader.phases(*span), selection) if "phases" in wants else (),
        threads=_of_process(reader.threads(*span), selection) if "threads" in wants else (),
        stacks=stacks,
        tree_stacks=tree_stacks,
        imports=imports,
        import_threads={
            thread: reader.thread_name(thread)
            for thread in {(row.pid, row.tid) for row in imports if row.tid and is_late(row)}
        },
        calls=reader.calls(*span) if "calls" in wants else (),
        counters=reader.counters(*span) if "counters" in wants else (),
        events=reader.events(*span) if "events" in wants else (),
        log_lines=reader.log_lines(*span) if "log_lines" in wants else (),
        alerts=alerts,
        processes=reader.processes(),
        heat=_heat(reader, selection, status, axis, n) if "heat" in wants else None,
        process_use=reader.process_use(*span) if "process_use" in wants else (),
        has=frozenset(wants),
        runs=reader.runs(start, status.t_end_ns + 1),
        against=against,
        plans=reader.plans(status.t_end_ns + 1),
        tasks=reader.tasks((selection.cursor_ns or span[1]) + 1),
        blame=reader.blame(*span),
        has_tasks=bool(reader.tasks(status.t_end_ns + 1)),
        parts=parts,
        tracks=_tracks(reader, selection, status, axis, n, before) if "tracks" in wants else None,
        gc_shares=gc_shares,
        base_rss_bytes=_base(reader, start, pid, before),
        known_names=frozenset(names),
        end_cpu_s=_end_cpu(reader, status, before),
    )


def _gc_shares(
    reader: Reader, axis: tuple[int, int], columns: int, selection: Selection
) -> tuple[float, ...]:
    """Return the collections of the chosen process, or of the one with most at each moment."""
    pid = selection.process
    rows = [row for row in reader.collected(*axis) if pid is None or row.pid == pid]
    return tuple(shares(rows, *axis, columns)) if rows else ()


def _tracks(
    reader: Reader,
    selection: Selection,
    status: Status,
    axis: tuple[int, int],
    columns: int,
    before: View | None,
) -> Tracks:
    """Return the tracks of the axis; what is known of them goes from picture to picture."""
    known = None if before is None else before.tracks
    return tracks_of(reader, status, axis, columns, process=selection.process, before=known)


def _end_cpu(reader: Reader, status: Status, before: View | None) -> float | None:
    """Return what was used in all, once no more can be: it does not change any more."""
    if status.exit_code is None and status.signal is None and status.state != "exited":
        return None
    if before is not None and before.status == status and before.end_cpu_s is not None:
        return before.end_cpu_s
    from perftui.probes.summary import cpu_seconds

    told = cpu_seconds(reader, ended=True)
    user, system = told["user"], told["system"]
    return None if user is None or system is None else user + system


_FIRST_NS = (NS_PER_S, 10 * NS_PER_S, 600 * NS_PER_S)
"""In which time the first reading may have come; in steps of a twentieth."""


def _base(reader: Reader, start_ns: int, pid: int, before: View | None) -> float | None:
    """Return RSS at the first reading; it does not change from picture to picture."""
    if before is not None and before.base_rss_bytes is not None:
        same = TREE if before.selection.process is None else before.selection.process
        if same == pid:
            return before.base_rss_bytes
    for length_ns in _FIRST_NS:
        found = reader.metric("rss_bytes", start_ns, start_ns + length_ns, 20, pid).last
        first = next((value for value in found if value is not None), None)
        if first is not None:
            return first
    return None


def _of_process(rows: tuple[_Row, ...], selection: Selection) -> tuple[_Row, ...]:
    """Return the rows of the chosen process, or all."""
    if selection.process is None:
        return rows
    return tuple(row for row in rows if row.pid == selection.process)


def _stacks_of(
    rows: tuple[ThreadTree, ...], selection: Selection, before: View | None
) -> tuple[ThreadTree, ...]:
    """The same; a widget that shows stacks knows by identity that there are no new ones."""
    if (
        before is not None
        and before.tree_stacks is rows
        and before.selection.process == selection.process
    ):
        return before.stacks
    return _of_process(rows, selection)


def _same_axis(before: View, status: Status, axis: tuple[int, int], n: int) -> bool:
    """Tell whether the timelines of a recording would come out the same."""
    return (
        status.state == before.status.state == "recording"
        and status.t_end_ns == before.status.t_end_ns
        and axis == before.axis
        and len(before.rss.last) == n
    )


def _metrics(
    reader: Reader,
    names: tuple[str, ...],
    prefix: str,
    axis: tuple[int, int],
    n: int,
    pid: int = TREE,
) -> tuple[tuple[str, Buckets], ...]:
    return tuple(
        (name[len(prefix) :], reader.metric(name, *axis, n, pid))
        for name in names
        if name.startswith(prefix)
    )


def _moment(selection: Selection, status: Status) -> int | None:
    """Return the moment whose values are shown, None for the newest."""
    at = selection.cursor_ns if selection.cursor_ns is not None else selection.paused_at_ns
    return None if at is None or at >= status.t_end_ns else at


def heat_period_s(span_ns: int, columns: int) -> int:
    """Return the seconds of a column of the heat map: 1 if the axis has a cell for each."""
    least = span_ns / NS_PER_S / max(columns, 1)
    longest = HEAT_PERIODS_S[-1]
    return next((p for p in HEAT_PERIODS_S if p >= least), math.ceil(least / longest) * longest)


def _heat(
    reader: Reader, selection: Selection, status: Status, axis: tuple[int, int], columns: int
) -> Buckets:
    """Ask for the periods that the axis shows, whole ones."""
    start = status.t_start_ns
    period = heat_period_s(axis[1] - axis[0], columns) * NS_PER_S
    end = min(axis[1], selection.paused_at_ns or status.t_end_ns, status.t_end_ns)
    first = max(axis[0] - start, 0) // period
    periods = max(-(-(end - start) // period) - first, 1)
    t0 = start + first * period
    pid = TREE if selection.process is None else selection.process
    return reader.metric("cpu_percent", t0, t0 + periods * period, periods * HEAT_PER_S, pid)
