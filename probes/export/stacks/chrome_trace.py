"""Chrome's trace events: what ran as slices, memory and CPU as counters, marks as instants.

Perfetto, chrome://tracing, speedscope and the Firefox profiler read it. Of neighbouring stacks
the common callers are one slice. Events come in the order of time, thread beside thread.
A slice is where a thread was, by the clock: what the own sampler found out later of CPU and memory
has no place in it. Below the innermost function lie slices of what it waited for (category `wait`).
"""

from __future__ import annotations

import json
from array import array
from heapq import merge
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

from perftui.probes.export.material.names import plain
from perftui.probes.export.material.pieces import WAITING, pieces
from perftui.probes.export.material.readings import amounts, happenings, metric_tracks
from perftui.probes.export.material.timeline import process_names, timeline
from perftui.probes.profile.collected import shares_by_process
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.material.timeline import StackTimeline, ThreadTimeline
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.reader import Reader

_AT_ONCE = 2_000
GC_STEP_NS = NS_PER_S // 2
_TRACKS = {
    "phase": (1, "phases"),
    "import": (2, "imports"),
    "alert": (3, "alerts"),
    "gc": (4, "gc"),
}
"""Numbers of rows that are no thread: no thread of a process has so low a number."""

_FIRST_WAIT = -1
"""In place of a node: the first kind of waiting, those after it below."""

_Timed = tuple[int, str]
"""(t_ns, the event as JSON)"""


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """See `Exporter.write`."""
    times = timeline(reader, part, waits=True)
    head = {"displayTimeUnit": "ms", "otherData": {"title": plain(part.title(reader))}}
    out.write(_json(head)[:-1].encode("ascii") + b',"traceEvents":[\n')
    streams = [_slices(times, thread, part.t0_ns) for thread in times.threads]
    streams += [iter(_counters(reader, part)), iter(_happenings(reader, part))]
    lines = _names(reader, part, times)
    for _, text in merge(*streams, key=lambda event: event[0]):
        lines.append(text)
        if len(lines) >= _AT_ONCE:
            out.write((",\n".join(lines) + ",\n").encode("ascii"))
            lines.clear()
    end = {"name": "end of the range", "ph": "i", "s": "g", "cat": "perftui"}
    lines.append(_json({**end, "ts": _us(part.t1_ns - part.t0_ns), "pid": 0, "tid": 0}))
    out.write((",\n".join(lines) + "\n]}\n").encode("ascii"))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _us(ns: int) -> float:
    return ns / 1000


def _names(reader: Reader, part: Slice, times: StackTimeline) -> list[str]:
    """Return the events that name processes and threads."""
    found: list[str] = []

    def name(kind: str, pid: int, tid: int, text: str) -> None:
        event = {"name": kind, "ph": "M", "ts": 0, "pid": pid, "tid": tid}
        found.append(_json({**event, "args": {"name": plain(text)}}))

    for pid, text in process_names(reader).items():
        if part.has_process(pid):
            name("process_name", pid, 0, text)
            for tid, label in _TRACKS.values():
                name("thread_name", pid, tid, label)
    for thread in times.threads:
        name("thread_name", thread.pid, thread.tid, thread.name)
    return found


def _slices(times: StackTimeline, thread: ThreadTimeline, origin_ns: int) -> Iterator[_Timed]:
    """Yield one thread's slices by their begin, the outer before the inner."""
    begins, ends, nodes = array("q"), array("q"), array("q")
    open_: list[tuple[int, int]] = []  # (node, index of its slice)
    last = origin_ns
    waits = list(WAITING)
    waited = -1  # index of the wait that ends where the next one may go on
    for span in thread:
        path = times.path(span.stack)
        kept = 0
        if span.t0_ns == last:
            while kept < min(len(open_), len(path)) and open_[kept][0] == path[kept]:
                kept += 1
        if kept < max(len(open_), len(path)):
            waited = -1
        while len(open_) > kept:
            ends[open_.pop()[1]] = last
        for node in path[kept:]:
            open_.append((node, len(begins)))
            begins.append(span.t0_ns)
            ends.append(span.t1_ns)
            nodes.append(node)
        for piece in pieces(span):
            if piece.doing == "running" or piece.t1_ns == piece.t0_ns:
                continue
            wait = _FIRST_WAIT - waits.index(piece.doing)
            if waited >= 0 and nodes[waited] == wait and ends[waited] == piece.t0_ns:
                ends[waited] = piece.t1_ns
                continue
            waited = len(begins)
            begins.append(piece.t0_ns)
            ends.append(piece.t1_ns)
            nodes.append(wait)
        last = span.t1_ns
    for _, index in open_:
        ends[index] = last
    heads = {
        _FIRST_WAIT - index: _json({"name": words, "cat": "wait", "ph": "X"})[:-1]
        for index, words in enumerate(WAITING.values())
    }
    tail = f'"pid":{thread.pid},"tid":{thread.tid}}}'
    for begin, end, node in zip(begins, ends, nodes, strict=True):
        head = heads.get(node)
        if head is None:
            frame = times.frame(node)
            head = _json({"name": plain(frame.function) or "?", "cat": "py", "ph": "X"})[:-1]
            where = {"file": plain(frame.file), "line": frame.line}
            head += f',"args":{_json(where)}' if frame.file else ""
            heads[node] = head
        yield begin, f'{head},"ts":{_us(begin - origin_ns)},"dur":{_us(end - begin)},{tail}'


def _counters(reader: RecordedReader, part: Slice) -> list[_Timed]:
    """Return the readings of memory, CPU, counters and pools by time."""
    found: list[_Timed] = []

    def add(pid: int, t_ns: int, name: str, values: dict[str, float]) -> None:
        event = {"name": name, "ph": "C", "ts": _us(t_ns - part.t0_ns), "pid": pid, "tid": 0}
        found.append((t_ns, _json({**event, "args": values})))

    for track in metric_tracks(reader, part):
        for t_ns, rss in zip(track.times_ns, track.rss_bytes, strict=True):
            add(track.pid, t_ns, "RSS (MB)", {"rss_mb": rss / 1e6})
        readings = zip(track.times_ns, track.cpu_s, strict=True)
        for (before, cpu0), (t_ns, cpu1) in pairwise(readings):
            if t_ns > before:
                percent = max(cpu1 - cpu0, 0.0) * 100 * NS_PER_S / (t_ns - before)
                # A rate belongs to the time before it.
                add(track.pid, before, "CPU (% of a core)", {"cpu_percent": round(percent, 2)})
    for count in amounts(reader, part, "counts", "total"):
        for t_ns, value in zip(count.times_ns, count.values, strict=True):
            add(count.pid, t_ns, plain(count.name), {"total": value})
    for pool in amounts(reader, part, "pools", "bytes"):
        for t_ns, value in zip(pool.times_ns, pool.values, strict=True):
            add(pool.pid, t_ns, f"{plain(pool.name)} pool (MB)", {"mb": value / 1e6})
    steps = max((part.t1_ns - part.t0_ns) // GC_STEP_NS, 1)
    for pid, row in shares_by_process(
        reader.collected(part.t0_ns, part.t1_ns), part.t0_ns, part.t1_ns, steps
    ).items():
        for n, share in enumerate(row if part.has_process(pid) else ()):
            if share > 0 or (n and row[n - 1] > 0):
                t_ns = part.t0_ns + n * (part.t1_ns - part.t0_ns) // steps
                add(pid, t_ns, "gc (% of the time)", {"gc_percent": round(100 * share, 2)})
    found.sort(key=lambda event: event[0])
    return found


def _happenings(reader: Reader, part: Slice) -> list[_Timed]:
    found: list[_Timed] = []
    for happening in happenings(reader, part):
        event: dict[str, Any] = {
            "name": plain(happening.name),
            "cat": happening.kind,
            "ts": _us(happening.t0_ns - part.t0_ns),
            "pid": happening.pid,
        }
        if happening.text:
            event["args"] = {"text": plain(happening.text)}
        if happening.t1_ns is None:
            event |= {"ph": "i", "s": "p", "tid": 0}
        else:
            tid, _ = _TRACKS[happening.kind]
            event |= {"ph": "X", "tid": tid, "dur": _us(happening.t1_ns - happening.t0_ns)}
        found.append((happening.t0_ns, _json(event)))
    return found
