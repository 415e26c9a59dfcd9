"""Metrics, counters and pools of a part of a recording as they were read: for counter tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.profile.caused import cause_words
from perftui.probes.recording.format.arrow import compute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.reader import Import, Phase, Reader
    from perftui.probes.spine.records import Alert, Collected


class Track(NamedTuple):
    """The readings of one process, in the order of time."""

    pid: int
    times_ns: list[int]
    rss_bytes: list[int]
    cpu_s: list[float]
    """Cumulative."""


class Amounts(NamedTuple):
    """A counter (cumulative) or a pool (bytes at the moment) of one process."""

    pid: int
    name: str
    times_ns: list[int]
    values: list[float]


def metric_tracks(reader: RecordedReader, part: Slice) -> list[Track]:
    """Return the readings of every process of the part, the target's first."""
    tracks: dict[int, Track] = {}
    columns = ("pid", "t_ns", "rss_bytes", "cpu_s")
    for rows in _rows(reader, part, "metrics", columns):
        for pid, t_ns, rss, cpu_s in rows:
            # Process 0 is the sum over the tree.
            if pid == 0 or rss is None or cpu_s is None:
                continue
            track = tracks.get(pid)
            if track is None:
                track = tracks[pid] = Track(pid, [], [], [])
            track.times_ns.append(t_ns)
            track.rss_bytes.append(rss)
            track.cpu_s.append(cpu_s)
    first = reader.target().pid
    return sorted(tracks.values(), key=lambda track: (track.pid != first, track.times_ns[0]))


def amounts(reader: RecordedReader, part: Slice, table: str, value: str) -> list[Amounts]:
    """Return the rows of the table `counts` or `pools`, by process and name."""
    found: dict[tuple[int, str], Amounts] = {}
    for rows in _rows(reader, part, table, ("pid", "t_ns", "name", value)):
        for pid, t_ns, name, amount in rows:
            mine = found.get((pid, name))
            if mine is None:
                mine = found[pid, name] = Amounts(pid, name, [], [])
            mine.times_ns.append(t_ns)
            mine.values.append(amount)
    return list(found.values())


def _rows(
    reader: RecordedReader, part: Slice, table: str, columns: tuple[str, ...]
) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Yield the rows of each segment, by process and time."""
    pc = compute()
    catalog = reader.catalog
    for segment in catalog.overlapping(table, part.t0_ns, part.t1_ns):
        rows = catalog.load(table, segment, list(columns))
        times = rows["t_ns"]
        inside = pc.and_(pc.greater_equal(times, part.t0_ns), pc.less(times, part.t1_ns))
        if part.pid is not None:
            inside = pc.and_(inside, pc.equal(rows["pid"], part.pid))
        rows = rows.filter(inside).sort_by([("pid", "ascending"), ("t_ns", "ascending")])
        yield zip(*(rows[name].to_pylist() for name in columns), strict=True)


class Happening(NamedTuple):
    """Something that has a name and a time: a phase, an import, an alert, a mark, a call."""

    kind: str
    name: str
    pid: int
    t0_ns: int
    t1_ns: int | None
    """None for a moment."""
    text: str
    """More about it, "" if there is no more."""


def happenings(reader: Reader, part: Slice) -> list[Happening]:
    """Return phases, imports, alerts and marks of the part, cut to it, by their begin."""
    t0, t1 = part.t0_ns, part.t1_ns
    target = reader.target().pid
    found = [_of_phase(phase, part) for phase in reader.phases(t0, t1)]
    found += [_of_import(row, part) for row in reader.imports(t0, t1)]
    alone = (row for row in reader.collected(t0, t1) if row.pause_ns == row.t_ns - row.t0_ns > 0)
    found += [_of_collection(row, part) for row in alone]
    found += [_of_alert(alert, part, target) for alert in reader.alerts(t0, t1)]
    found += [
        Happening("mark", event.text, target, event.t_ns, None, "")
        for event in reader.events(t0, t1)
        if event.kind == "mark"
    ]
    kept = [h for h in found if part.has_process(h.pid) and (h.t1_ns is None or h.t1_ns > h.t0_ns)]
    return sorted(kept, key=lambda h: (h.t0_ns, -(h.t1_ns or h.t0_ns)))


def _of_phase(phase: Phase, part: Slice) -> Happening:
    end = part.t1_ns if phase.t1_ns is None else min(phase.t1_ns, part.t1_ns)
    begin = max(phase.t0_ns, part.t0_ns)
    return Happening("phase", phase.name, phase.pid, begin, end, "")


def _of_import(row: Import, part: Slice) -> Happening:
    begin, end = max(row.t0_ns, part.t0_ns), min(row.t0_ns + row.total_ns, part.t1_ns)
    text = ", ".join(filter(None, ("" if row.ok else "failed", cause_words(row))))
    return Happening("import", row.module, row.pid, begin, end, text)


def _of_collection(row: Collected, part: Slice) -> Happening:
    """Return a collection of cycles that was told by itself; those in steps are a counter."""
    begin, end = max(row.t_ns - row.pause_ns, part.t0_ns), min(row.t_ns, part.t1_ns)
    return Happening("gc", f"generation {row.generation}", row.pid, begin, end, "")


def _of_alert(alert: Alert, part: Slice, pid: int) -> Happening:
    end = part.t1_ns if alert.t_clear_ns is None else min(alert.t_clear_ns, part.t1_ns)
    begin = max(alert.t_onset_ns, part.t0_ns)
    text = f"{alert.severity}: {alert.message}; {alert.evidence}"
    return Happening("alert", alert.kind, pid, begin, max(end, begin + 1), text)
