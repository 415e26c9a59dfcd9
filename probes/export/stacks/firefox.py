"""The Firefox profiler's processed profile, version 60: threads, memory and CPU tracks, markers.

Readers upgrade older versions, so an older one is read by more of them. Tables are columns, and
threads share them. Times are milliseconds since the begin of the range. A sample stands for the
time from its moment on; its weight is what counts, CPU and waiting; how much CPU it used stands
beside the sample after it, as Firefox itself writes it. What was found out later is a sample that
takes no time on the axis. Where a thread waited, its innermost frame has the kind of waiting for a
category, which the viewer draws and sums up.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

from perftui.probes.export.material.names import plain
from perftui.probes.export.material.pieces import WAITING, pieces
from perftui.probes.export.material.readings import amounts, happenings, metric_tracks
from perftui.probes.export.material.timeline import (
    ThreadTimeline,
    no_stacks,
    process_names,
    timeline,
)
from perftui.probes.export.stacks.firefox_tables import SharedTables
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.export.material.readings import Happening, Track
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader

VERSION = 60
_GECKO_VERSION = 31
_LONGEST_NS = 1_000_000_000
"""A longer stay in one stack is told in pieces, so that a range may begin within it."""

CATEGORIES = (
    ("Other", "grey"),
    ("Python", "yellow"),
    ("Native", "blue"),
    ("Phase", "green"),
    ("Import", "purple"),
    ("Alert", "red"),
    ("Mark", "orange"),
    ("GC", "orange"),
    ("Waiting for a CPU", "brown"),
    ("Waiting for the GIL", "magenta"),
    ("Waiting for a lock", "lightred"),
    ("Waiting for I/O", "lightblue"),
    ("Sleeping", "transparent"),
    ("Waiting for a child process", "darkgrey"),
    ("Waiting", "grey"),
)
_CATEGORY = {name.lower(): number for number, (name, _) in enumerate(CATEGORIES)}
_SHOWN = ["marker-chart", "marker-table", "timeline-overview"]
_LINE, _FILLED = "line-rate", "line-accumulated"


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """See `Exporter.write`. Written thread by thread: never all of it in memory."""
    times = timeline(reader, part, by_line=True, waits=True)
    tables = SharedTables(times, _CATEGORY)
    threads = list(times.threads)
    tracks = metric_tracks(reader, part)
    names = process_names(reader)
    by_pid: dict[int, list[Happening]] = {}
    for happening in happenings(reader, part):
        by_pid.setdefault(happening.pid, []).append(happening)
    first = _first_threads(threads, [*(track.pid for track in tracks), *by_pid], names)
    if not threads:
        raise no_stacks(part)
    out.write(b'{"meta":' + _json(_meta(reader, part)) + b',"libs":[],"pages":[],"threads":[')
    for number, thread in enumerate(threads):
        mine = by_pid.get(thread.pid, []) if first[thread.pid] == number else []
        row = _thread(thread, tables, part, mine, main=first[thread.pid] == number)
        out.write((b",\n" if number else b"\n") + _json(row))
    out.write(b'\n],"counters":[')
    counters = [*_metric_counters(tracks, first, part), *_other_counters(reader, first, part)]
    out.write(b",\n".join(_json(counter) for counter in counters))
    out.write(b'],"shared":' + _json(tables.shared()) + b"}\n")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _ms(ns: int) -> float:
    return ns / 1_000_000


def _meta(reader: RecordedReader, part: Slice) -> dict[str, Any]:
    machine = reader.meta.get("machine")
    machine = machine if isinstance(machine, dict) else {}
    started_ns = wall_ns(reader.meta, part.t0_ns) or 0
    target = reader.target()
    rate_hz = reader.status().stack_rate_hz or 100.0
    meta: dict[str, Any] = {
        "interval": 1000 / rate_hz,
        "startTime": _ms(started_ns),
        "startTimeAsClockMonotonicNanosecondsSinceBoot": part.t0_ns,
        "profilingStartTime": 0,
        "profilingEndTime": _ms(part.t1_ns - part.t0_ns),
        "processType": 0,
        "product": plain(target.title) or "Python",
        "importedFrom": f"perftui {__version__}",
        "arguments": plain(" ".join(target.argv)),
        "stackwalk": 1,
        "debug": False,
        "version": _GECKO_VERSION,
        "preprocessedProfileVersion": VERSION,
        "symbolicated": True,
        "symbolicationNotSupported": True,
        "usesOnlyOneStackType": True,
        "sourceCodeIsNotOnSearchfox": True,
        "keepProfileThreadOrder": True,
        "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "ns"},
        "categories": [
            {"name": name, "color": color, "subcategories": ["Other"]} for name, color in CATEGORIES
        ],
        "markerSchema": [_schema(kind) for kind in ("phase", "import", "gc", "alert", "mark")],
    }
    if isinstance(machine.get("cpu_model"), str):
        meta["CPUName"] = plain(machine["cpu_model"])
    if machine.get("platform") == "linux":
        meta["platform"] = "X11"  # how Firefox calls it
        meta["oscpu"] = plain(
            f"Linux {machine.get('kernel', '')} {machine.get('architecture', '')}"
        )
    if type(machine.get("cpu_count")) is int:
        meta["logicalCPUs"] = machine["cpu_count"]
    if type(machine.get("ram_bytes")) is int:
        meta["mainMemory"] = machine["ram_bytes"]
    return meta


def _schema(kind: str) -> dict[str, Any]:
    label = "{marker.data.name}"
    fields = [{"key": "name", "label": kind.capitalize(), "format": "string"}]
    if kind in ("alert", "import"):
        fields.append({"key": "text", "label": "Details", "format": "string"})
    return {
        "name": kind,
        "tooltipLabel": f"{kind}: {label}",
        "tableLabel": label,
        "chartLabel": label,
        "display": _SHOWN if kind != "import" else _SHOWN[:2],
        "fields": fields,
    }


def _first_threads(
    threads: list[ThreadTimeline], pids: Iterable[int], names: dict[int, str]
) -> dict[int, int]:
    """Return the index of each process's main thread; one without stacks gets an empty thread."""
    for pid in dict.fromkeys(pids):
        if all(thread.pid != pid for thread in threads):
            threads.append(
                ThreadTimeline((pid, pid), "(no stacks)", names.get(pid) or f"process {pid}")
            )
    first: dict[int, int] = {}
    for number, thread in enumerate(threads):
        if thread.pid not in first or thread.tid == thread.pid:
            first[thread.pid] = number
    return first


def _thread(
    thread: ThreadTimeline,
    tables: SharedTables,
    part: Slice,
    markers: Sequence[Happening],
    *,
    main: bool,
) -> dict[str, Any]:
    return {
        "processType": "default",
        "processStartupTime": 0,
        "processShutdownTime": None,
        "registerTime": 0,
        "unregisterTime": None,
        "pausedRanges": [],
        "showMarkersInTimeline": main,
        "name": plain(thread.name),
        "isMainThread": main,
        "processName": plain(thread.process),
        "pid": str(thread.pid),
        "tid": thread.tid,
        "samples": _samples(thread, tables, part.t0_ns),
        "markers": _markers(markers, tables, part.t0_ns),
    }


def _samples(thread: ThreadTimeline, tables: SharedTables, origin_ns: int) -> dict[str, Any]:
    stacks: list[int | None] = []
    times: list[float] = []
    weights: list[float] = []
    cpus: list[int | None] = []
    used: int | None = None  # by the sample before

    def add(t_ns: int, stack: int | None, wall_ns: int, cpu_ns: int) -> None:
        nonlocal used
        stacks.append(stack)
        times.append(_ms(t_ns - origin_ns))
        weights.append(_ms(wall_ns))
        cpus.append(used)
        used = cpu_ns

    last: int | None = None
    for span in thread.with_beside():
        if span.held and last is not None and span.t0_ns > last:
            add(last, None, 0, 0)
        for piece in pieces(span):
            cpu, wall = 0, piece.ns
            if piece.doing == "running":
                cpu, stack = span.cpu_ns, tables.stack(span.stack)
            else:
                stack = tables.waiting(span.stack, WAITING[piece.doing].lower())
            if not span.held:
                last = span.t1_ns if last is None else last
                add(last, stack, wall, cpu)
                continue
            begin, end = piece.t0_ns, piece.t1_ns
            while begin < end:
                until = min(begin + _LONGEST_NS, end)
                shares = [amount * (until - begin) // (end - begin) for amount in (wall, cpu)]
                add(begin, stack, *shares)
                begin, wall, cpu = until, wall - shares[0], cpu - shares[1]
            if wall or cpu:  # shorter than a nanosecond by the clock
                add(begin, stack, wall, cpu)
        if span.held:
            last = max(last or 0, span.t1_ns)
    if last is not None:
        add(last, None, 0, 0)
    return {
        "stack": stacks,
        "time": times,
        "weight": weights,
        "weightType": "tracing-ms",
        "threadCPUDelta": cpus,
        "length": len(stacks),
    }


def _markers(
    happenings: Sequence[Happening], tables: SharedTables, origin_ns: int
) -> dict[str, Any]:
    data = []
    for happening in happenings:
        row = {"type": happening.kind, "name": plain(happening.name)}
        if happening.text:
            row["text"] = plain(happening.text)
        data.append(row)
    return {
        "data": data,
        "name": [tables.string(happening.kind) for happening in happenings],
        "startTime": [_ms(happening.t0_ns - origin_ns) for happening in happenings],
        "endTime": [
            None if happening.t1_ns is None else _ms(happening.t1_ns - origin_ns)
            for happening in happenings
        ],
        "phase": [0 if happening.t1_ns is None else 1 for happening in happenings],
        "category": [_CATEGORY[happening.kind] for happening in happenings],
        "length": len(happenings),
    }


def _counter(
    name: str,
    about: str,
    category: str,
    look: tuple[str, str, str],
    thread: tuple[int, int],
    samples: tuple[list[int], list[Any]],
    origin_ns: int,
) -> dict[str, Any]:
    """Return a counter; `look` is (graph, unit, colour), `thread` (pid, index of its thread)."""
    graph, unit, color = look
    return {
        "name": plain(name),
        "category": category,
        "description": plain(about),
        "color": color,
        # Readers of this version tell the graph by the category, newer ones read it here.
        "display": {
            "graphType": graph,
            "unit": unit,
            "color": color,
            "markerSchemaLocation": None,
            "sortWeight": 20 if category == "Memory" else 40,
            "label": plain(name),
        },
        "pid": str(thread[0]),
        "mainThreadIndex": thread[1],
        "samples": {
            "time": [_ms(t_ns - origin_ns) for t_ns in samples[0]],
            "count": samples[1],
            "length": len(samples[0]),
        },
    }


def _metric_counters(
    tracks: Sequence[Track], first: dict[int, int], part: Slice
) -> list[dict[str, Any]]:
    found = []
    for track in tracks:
        where = (track.pid, first[track.pid])
        deltas = track.rss_bytes[:1] + [b - a for a, b in pairwise(track.rss_bytes)]
        times = track.times_ns
        memory = (_FILLED, "bytes", "orange")
        about = "resident memory"
        found.append(_counter("RSS", about, "Memory", memory, where, (times, deltas), part.t0_ns))
        used = [0.0] + [max(round((b - a) * 1000, 3), 0.0) for a, b in pairwise(track.cpu_s)]
        cpu = (_LINE, "percent", "grey")
        about = "CPU milliseconds used since the reading before"
        found.append(_counter("processCPU", about, "CPU", cpu, where, (times, used), part.t0_ns))
    return found


def _other_counters(
    reader: RecordedReader, first: dict[int, int], part: Slice
) -> list[dict[str, Any]]:
    found = []
    sources = (
        ("counts", "total", "{}", "counted by the program", "Counter", (_LINE, "", "blue")),
        ("pools", "bytes", "{} pool", "given out", "Memory", (_FILLED, "bytes", "purple")),
    )
    for table, column, label, about, category, look in sources:
        for row in amounts(reader, part, table, column):
            if row.pid not in first:
                continue
            values = row.values[:1] + [b - a for a, b in pairwise(row.values)]
            if category == "Counter":
                # What was counted before the range is not a rate within it.
                values[0] = 0
            where = (row.pid, first[row.pid])
            samples = (row.times_ns, values)
            name = label.format(row.name)
            found.append(_counter(name, about, category, look, where, samples, part.t0_ns))
    return found
