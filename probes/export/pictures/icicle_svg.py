"""icicle-svg: the flame graph with its root on top, as on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from perftui.probes.export.pictures.flamegraph_svg import write_flame

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """Write an icicle graph: callers above, what they called below."""
    write_flame(reader, part, out, root_on_top=True)
