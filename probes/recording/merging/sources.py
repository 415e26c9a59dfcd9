"""What is merged: recordings, each with the shift of its clock and of its process ids."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.recording.read.face import RecordedReader

HOST_STEP = 10_000_000
"""Above every pid (4,194,304): process 1234 of the second recording is 10001234."""


class Merged(NamedTuple):
    """One recording of several."""

    reader: RecordedReader
    name: str
    host: str
    boot: str | None
    shift_ns: int
    """Added to its times, they are on the clock of the first."""
    pid_shift: int
    t0_ns: int
    """Begin and end, on the clock of the first."""
    t1_ns: int
    drift_ns: int
    """By so much its clock and the wall clock went apart while it was recorded."""

    def pid(self, pid: int) -> int:
        """Return what a process is called in all of them together."""
        return pid if pid <= TREE else pid + self.pid_shift


def sources_of(readers: Sequence[RecordedReader]) -> tuple[Merged, ...]:
    """Put recordings on the clock of the first one.

    Raises:
        RecordingError: one is still being written, has no clock, is there twice, or has no moment
            in common with any other.
    """
    for reader in readers:
        if reader.state == "recording":
            raise RecordingError(f"{reader.path.name} is still being recorded: merge it later")
    ids = [reader.meta.get("id") for reader in readers]
    if len({reader.path.resolve() for reader in readers}) < len(readers) or (
        all(ids) and len(set(map(str, ids))) < len(ids)
    ):
        raise RecordingError("the same recording is named twice")
    found: list[Merged] = []
    taken: set[int] = set()
    for number, reader in enumerate(readers):
        source = _source(reader, found[0] if found else None)
        pids = _pids(reader)
        _refuse_seen_twice(source, found, pids)
        shift = number * HOST_STEP if pids & taken or _elsewhere(source, found) else 0
        taken |= {pid + shift for pid in pids}
        found.append(source._replace(pid_shift=shift))
    for source in found:
        others = [other for other in found if other is not source]
        if not any(o.t0_ns < source.t1_ns and source.t0_ns < o.t1_ns for o in others):
            raise RecordingError(_apart(source, others[0]))
    return tuple(found)


def _source(reader: RecordedReader, first: Merged | None) -> Merged:
    meta = reader.meta
    status = reader.status()
    anchors = _anchors(reader)
    if not anchors:
        raise RecordingError(f"{reader.path.name} does not tell the time of day: it has no clock")
    recorder = meta.get("recorder")
    boot = recorder.get("boot_id") if isinstance(recorder, dict) else None
    boot = boot if isinstance(boot, str) else None
    shift_ns = 0
    if first is not None and (boot is None or boot != first.boot):
        shift_ns = _offset(anchors) - _offset(_anchors(first.reader))
    offsets = [wall - t for t, wall in anchors]
    host = meta.get("host")
    return Merged(
        reader,
        reader.path.name.removesuffix(".zip").removesuffix(".perftui"),
        host if isinstance(host, str) else "",
        boot,
        shift_ns,
        0,
        status.t_start_ns + shift_ns,
        status.t_end_ns + shift_ns,
        max(offsets) - min(offsets),
    )


def _anchors(reader: RecordedReader) -> list[tuple[int, int]]:
    """Return pairs of the session's clock and the wall clock."""
    table = reader.catalog.whole("clock")
    pairs = list(zip(table["t_ns"].to_pylist(), table["wall_ns"].to_pylist(), strict=True))
    start_ns = reader.status().t_start_ns
    wall = wall_ns(reader.meta, start_ns)
    if wall is not None:
        pairs.append((start_ns, wall))
    return pairs


def _offset(anchors: list[tuple[int, int]]) -> int:
    """Return what to add to the session's clock for the time of day: the middle of all pairs."""
    offsets = sorted(wall - t for t, wall in anchors)
    return offsets[len(offsets) // 2]


def _pids(reader: RecordedReader) -> set[int]:
    return {process.pid for process in reader.processes()} | {reader.target().pid}


def _elsewhere(source: Merged, found: Sequence[Merged]) -> bool:
    """Tell whether its pids are those of another machine."""
    first = found[0] if found else source
    return source.boot is None or source.boot != first.boot


def _refuse_seen_twice(source: Merged, found: Sequence[Merged], pids: set[int]) -> None:
    """Refuse one that shows the same processes at the same time as another: all would count
    twice."""
    for other in found:
        if source.boot is None or source.boot != other.boot:
            continue
        began = {p.pid: (p.t_start_ns, p.t_end_ns) for p in other.reader.processes()}
        for process in source.reader.processes():
            span = began.get(process.pid)
            if span is None:
                continue
            end, other_end = process.t_end_ns or 1 << 62, span[1] or 1 << 62
            if process.t_start_ns < other_end and span[0] < end:
                raise RecordingError(
                    f"{source.name} and {other.name} both show process {process.pid}: the same "
                    "program, recorded twice"
                )


def _apart(source: Merged, other: Merged) -> str:
    first, last = sorted((source, other), key=lambda each: each.t0_ns)
    gap = format_seconds(max(last.t0_ns - first.t1_ns, 0) / NS_PER_S)
    return (
        f"{first.name} ({_day(first)}) and {last.name} ({_day(last)}) have no moment in common: "
        f"{gap} lie between them"
    )


def _day(source: Merged) -> str:
    """Return from when to when, in UTC."""
    start_ns = source.t0_ns - source.shift_ns + _offset(_anchors(source.reader))
    end_ns = start_ns + source.t1_ns - source.t0_ns
    first = datetime.fromtimestamp(start_ns / NS_PER_S, UTC)
    last = datetime.fromtimestamp(end_ns / NS_PER_S, UTC)
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC"


def merged_meta_sources(sources: Sequence[Merged]) -> list[dict[str, Any]]:
    """Return what the result says about where it came from."""
    return [
        {
            "name": source.name,
            "host": source.host or None,
            "shift_ns": source.shift_ns,
            "pid_shift": source.pid_shift,
            "clock_drift_ns": source.drift_ns,
        }
        for source in sources
    ]
