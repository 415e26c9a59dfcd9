"""flamegraph-svg and icicle-svg: one picture of where the time went, for a page or a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from perftui.probes.colours.frames import frame_hsl, frame_ink
from perftui.probes.export.material.error import ExportError
from perftui.probes.export.material.names import short_file
from perftui.probes.export.pictures.boxes import ROOT, lay_out
from perftui.probes.export.pictures.drawing import Face, draw, hsl
from perftui.probes.export.pictures.tree import flame_of
from perftui.probes.profile.place import is_installed, place_of
from perftui.probes.text.units import NS_PER_S, format_seconds, three_digits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.pictures.boxes import FlameBox
    from perftui.probes.export.pictures.tree import StackFlame
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.calltree import Frame

_ROOT_COLOURS = ("#d9dfe6", "#2a323d")
_THREAD_COLOURS = ("#c6ced8", "#3a4450")
_REST_COLOURS = ("#e6eaef", "#20272f")


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """Write a flame graph: callers below, what they called above."""
    write_flame(reader, part, out, root_on_top=False)


def write_flame(reader: RecordedReader, part: Slice, out: BinaryIO, *, root_on_top: bool) -> None:
    """Write the stacks of a part of a recording as SVG.

    Raises:
        ExportError: it has none.
    """
    flame = flame_of(reader, part)
    if not flame.wall_ns:
        raise ExportError("there are no stacks in this range: nothing to draw")
    boxes = lay_out(flame.tree)
    lines = _told(reader, part, flame)
    faces = _Faces(flame)
    for text in draw(boxes, faces.face, part.title(reader), lines, root_on_top=root_on_top):
        out.write(text.encode())


def _told(reader: RecordedReader, part: Slice, flame: StackFlame) -> list[str]:
    """Return what is said below the heading: what this is, and how far to trust it."""
    status = reader.status()
    told = [f"{format_seconds(flame.wall_ns / NS_PER_S)} of sampled thread time"]
    count = len(flame.threads)
    told.append(f"{count} thread" if count == 1 else f"{count} threads")
    if status.stack_rate_hz is not None:
        told.append(f"{three_digits(status.stack_rate_hz)} samples/s")
    if status.stack_coverage is not None:
        told.append(f"coverage {status.stack_coverage * 100:.0f} %")
    if status.torn_share is not None:
        told.append(f"torn {status.torn_share * 100:.1f} %")
    lines = [" · ".join(told)]
    title = reader.target().title
    lines.insert(0, f"{title} · {format_seconds(part.duration_s)}")
    if reader.salvage is not None:
        lines.append(reader.salvage)
    return lines


class _Faces:
    """What the boxes of one flame graph say."""

    def __init__(self, flame: StackFlame) -> None:
        self._flame = flame

    def face(self, box: FlameBox) -> Face:
        flame = self._flame
        whole_ns = flame.wall_ns
        share = f"{_s(box.value)}, {_percent(box.value, whole_ns)} of {_s(whole_ns)}"
        if box.more:
            word = "function" if box.more == 1 else "functions"
            label = f"+{box.more} more"
            return Face(
                label, [f"{box.more} {word}, each too narrow to draw", share], *_REST_COLOURS
            )
        if box.node == ROOT:
            told = ["all threads", _s(whole_ns)]
            return Face("all threads", told, *_ROOT_COLOURS, _s(whole_ns))
        thread = flame.threads.get(box.node)
        if thread is not None:
            told = [f"{thread.name}, thread {thread.thread[1]} of {thread.process}", share]
            return Face(thread.name, told, *_THREAD_COLOURS, _s(box.value))
        frame = flame.frames[box.node]
        own = flame.own.get(box.node, 0)
        told = [frame.function, *_places(frame), share]
        if own:
            told.append(f"itself {_s(own)}, {_percent(own, whole_ns)}")
        return Face(
            frame.function,
            told,
            *frame_colours(frame),
            place_of(frame.module, frame.file, frame.line),
        )


def frame_colours(frame: Frame) -> tuple[str, str]:
    """Return the colour of a frame on a light and on a dark page."""
    ink = frame_ink(frame.module, frame.file)
    return hsl(*frame_hsl(*ink, dark=False)), hsl(*frame_hsl(*ink, dark=True))


def shown_file(file: str) -> str:
    """Return a source file: one's own in full, others without the folder they are installed in."""
    return short_file(file) if is_installed(file) else file


def _places(frame: Frame) -> Sequence[str]:
    if not frame.file:
        return ()
    file = shown_file(frame.file)
    return (f"{file}:{frame.line}" if frame.line else file,)


def _s(ns: float) -> str:
    return format_seconds(ns / NS_PER_S)


def _percent(part: float, whole: float) -> str:
    return f"{part * 100 / whole:.1f} %"
