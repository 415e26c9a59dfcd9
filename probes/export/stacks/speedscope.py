"""speedscope's own format: a sampled profile per thread, in the order of time.

A sample is a stack and its weight in seconds: CPU and waiting, as all sums have them. Times between
samples are drawn as an empty stack, which is in no frame's sum. The axis of the viewer is the sum
of the weights, so where the own sampler knows better than by the clock what a stack took, a place
on it may be some milliseconds off.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

from perftui.probes.export.material.names import plain
from perftui.probes.export.material.timeline import check_any, timeline
from perftui.probes.text.units import NS_PER_S
from perftui.probes.version import __version__

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.material.timeline import StackTimeline, ThreadTimeline
    from perftui.probes.recording.read.face import RecordedReader

_AT_ONCE = 50_000
_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


class _Frames:
    """The frames that profiles share; a function is one frame wherever it is called."""

    def __init__(self, times: StackTimeline, by_line: bool) -> None:
        self._times = times
        self._by_line = by_line
        self._ids: dict[tuple[str, str, int], int] = {}
        self._paths: dict[int, str] = {}
        self.rows: list[dict[str, Any]] = []

    def path(self, stack: int) -> str:
        """Return the frames of a stack, outermost first, as JSON: most stacks come often."""
        found = self._paths.get(stack)
        if found is None:
            ids = [self._id(node) for node in self._times.path(stack)]
            found = self._paths[stack] = _json(ids)
        return found

    def _id(self, node: int) -> int:
        frame = self._times.frame(node)
        key = (frame.function, frame.file, frame.line if self._by_line else 0)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self.rows)
            row: dict[str, Any] = {"name": plain(frame.function) or "?"}
            if frame.file:
                row["file"] = plain(frame.file)
            if self._by_line and frame.line > 0:
                row["line"] = frame.line
            self.rows.append(row)
        return found


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """See `Exporter.write`. Written thread by thread: never all of it in memory."""
    times = timeline(reader, part)
    check_any(times, part)
    frames = _Frames(times, part.by_line)
    head = {
        "$schema": _SCHEMA,
        "exporter": f"perftui {__version__}",
        "name": plain(part.title(reader)),
        "activeProfileIndex": 0,
    }
    out.write(_json(head)[:-1].encode("ascii") + b',"profiles":[')
    for number, thread in enumerate(times.threads):
        if number:
            out.write(b",")
        _write_profile(thread, frames, part.t0_ns, out)
    out.write(f'\n],"shared":{_json({"frames": frames.rows})}}}\n'.encode("ascii"))


def _write_profile(thread: ThreadTimeline, frames: _Frames, origin_ns: int, out: BinaryIO) -> None:
    samples: list[str] = []
    weights: list[float] = []
    first: int | None = None
    last = 0
    for span in thread.with_beside():
        if span.held:
            if first is None:
                first = last = span.t0_ns
            if span.t0_ns > last:
                samples.append("[]")
                weights.append((span.t0_ns - last) / NS_PER_S)
            last = max(last, span.t1_ns)
        if span.wall_ns > 0:
            samples.append(frames.path(span.stack))
            weights.append(span.wall_ns / NS_PER_S)
    start_s = ((first or origin_ns) - origin_ns) / NS_PER_S
    head = {
        "type": "sampled",
        "name": plain(thread.label),
        "unit": "seconds",
        "startValue": start_s,
        "endValue": start_s + sum(weights),
    }
    out.write(f'\n{_json(head)[:-1]},"samples":['.encode("ascii"))
    for at in range(0, len(samples), _AT_ONCE):
        if at:
            out.write(b",")
        out.write(",".join(samples[at : at + _AT_ONCE]).encode("ascii"))
    out.write(f'],"weights":{_json(weights)}}}'.encode("ascii"))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
