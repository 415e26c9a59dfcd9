"""What tracemalloc found in a window, as a record. It knows files and lines, no functions."""

from __future__ import annotations

from perftui.probes.profile.memory.growth import is_own
from perftui.probes.spine.calltree import Frame, module_of
from perftui.probes.spine.records import BY_TRACEMALLOC, Allocated


def traced_record(t_ns: int, pid: int, t0_ns: int, size: int, blocks: int, stack: str) -> Allocated:
    """Return the record of one traceback.

    Args:
        t_ns: End of the window.
        pid: The process.
        t0_ns: Its begin.
        size: Bytes that came in it and are there at its end, less what went.
        blocks: How many.
        stack: Lines FILE:LINE, innermost first.
    """
    frames = []
    for text in stack.split("\n"):
        file, _, line = text.rpartition(":")
        if line.isdecimal():
            frames.append(Frame("", file, int(line), module_of(file)))
    inner = frames[0] if frames else Frame("", stack[:200], 0, "")
    own = next((frame for frame in frames if is_own(frame)), None)
    return Allocated(
        t0_ns,
        pid,
        t_ns,
        "",
        "",
        inner.file,
        inner.line,
        None if own is None else "",
        None if own is None else own.file,
        None if own is None else own.line,
        size,
        blocks,
        None,
        BY_TRACEMALLOC,
        "\n".join(f"{each.file}:{each.line}" for each in reversed(frames)),
    )
