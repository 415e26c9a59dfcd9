"""Read what one py-spy recorder wrote: begin and end events become intervals per thread.

py-spy's chrometrace output is one JSON array of `B` and `E` events in time order, written at the
end of the recording. Events appear only when a frame or its line changes, so the array is a
sample-and-hold timeline: a thread was in a stack from the first sample that showed it until the
first sample that showed another one.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.spine.calltree import MAX_DEPTH

if TYPE_CHECKING:
    from perftui.probes.spine.calltree import CallTree, FrameKind

_THREAD = re.compile(r"thread \((0[xX][0-9a-fA-F]+|\d+)\)(?:: (.*))?", re.DOTALL)
_NATIVE = re.compile(r".*\.(?:so|dylib|dll|exe)(?:\.[\w.]+)?|.*\.(?:c|cc|cpp|cxx|h|hpp|rs|s|S)")
_LEAF_SIDE = MAX_DEPTH // 2
_ROOT_SIDE = MAX_DEPTH - _LEAF_SIDE - 1
NS_PER_US = 1000


class SeenStack(NamedTuple):
    """One thread was seen in one stack from t0 to t1."""

    tid: int
    """The OS thread; the pthread identity where py-spy does not know it."""
    name: str
    """Python's name of the thread, "" if it has none."""
    frames: tuple[int, ...]
    """Frame ids of the call tree, outermost first, never empty."""
    t0_ns: int
    t1_ns: int


class Trace(NamedTuple):
    """The parsed output of one recorder."""

    intervals: list[SeenStack]
    """Ordered by t1 within each thread; clipped; consecutive equal stacks are one interval."""
    t0_ns: int
    """First sample that was taken (not clipped); equals t1_ns if there is none."""
    t1_ns: int
    """Moment of the flush, up to which the last stacks are held (not clipped)."""
    truncated: bool
    """The array broke off: the recorder died while it wrote."""
    bad_events: int
    """Events that fit nothing: an end without a begin, an unknown phase, a missing field."""


class _Thread:
    """A thread's stack while the events are replayed."""

    __slots__ = ("frames", "last", "since", "tid_name")

    def __init__(self) -> None:
        self.tid_name: tuple[int, str] | None = None
        self.frames: list[int] = []
        self.since = 0
        self.last: SeenStack | None = None


def load_events(data: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Decode the array, and as much as possible of a broken-off one.

    Returns:
        The events, and whether the array was broken off.
    """
    text = data.decode("utf-8", "replace").strip()
    try:
        events = json.loads(text)
    except ValueError:
        if not text.startswith("["):
            return [], True
    else:
        return (events, False) if isinstance(events, list) else ([], True)
    end = len(text)
    while (end := text.rfind("}", 0, end)) > 0:
        try:
            events = json.loads(text[: end + 1] + "]")
        except ValueError:
            continue
        return events, True
    return [], True


def elide(frames: list[int], tree: CallTree) -> tuple[int, ...]:
    """Keep the root side and the leaf side of a stack deeper than `MAX_DEPTH`."""
    if len(frames) <= MAX_DEPTH:
        return tuple(frames)
    gap = tree.frame_id("…", "", 0, "elided")
    return (*frames[:_ROOT_SIDE], gap, *frames[-_LEAF_SIDE:])


def parse_trace(
    data: bytes,
    tree: CallTree,
    origin_ns: int,
    clip0_ns: int = 0,
    clip1_ns: int = 2**63 - 1,
) -> Trace:
    """Turn a recorder's output into intervals.

    Args:
        data: The chrometrace array, recorded with thread frames (`-t`) and idle threads (`-i`).
        tree: Where the frames are interned.
        origin_ns: The monotonic moment that the recorder's `ts` 0 stands for.
        clip0_ns: Nothing before this moment is returned.
        clip1_ns: Nothing from this moment on is returned.
    """
    events, truncated = load_events(data)
    threads: dict[int, _Thread] = {}
    intervals: list[SeenStack] = []
    bad = 0
    ts = 0
    first: int | None = None

    def close(thread: _Thread, end_us: int) -> None:
        """Write down the stack that ended at `end_us`."""
        if thread.tid_name is None:
            return
        t0 = max(origin_ns + thread.since * NS_PER_US, clip0_ns)
        t1 = min(origin_ns + end_us * NS_PER_US, clip1_ns)
        if t1 <= t0:
            return
        if thread.frames:
            frames = elide(thread.frames, tree)
        else:
            frames = (tree.frame_id("<no Python frame>", "", 0, "native"),)
        now = SeenStack(*thread.tid_name, frames, t0, t1)
        last = thread.last
        if last is not None:
            if last.t1_ns == t0 and last[:3] == now[:3]:
                now = last._replace(t1_ns=t1)
            else:
                intervals.append(last)
        thread.last = now

    for event in events:
        try:
            phase, ident, name = event["ph"], event["tid"], event["name"]
            args = event["args"]
            file, line = args["filename"], int(args["line"] or 0)
            ts = int(event["ts"])
        except (KeyError, TypeError, ValueError):
            bad += 1
            continue
        if first is None:
            first = ts
        thread = threads.get(ident)
        if thread is None:
            thread = threads[ident] = _Thread()
            thread.since = ts
        if ts != thread.since:
            close(thread, ts)
            thread.since = ts
        if phase == "B":
            if thread.tid_name is not None:
                kind: FrameKind = "native" if _NATIVE.fullmatch(file) else "py"
                thread.frames.append(tree.frame_id(name, file, line, kind))
            elif (match := _THREAD.fullmatch(name)) is not None:
                thread.tid_name = (int(match[1], 0), match[2] or "")
            else:
                bad += 1
        elif phase == "E":
            if thread.frames:
                thread.frames.pop()
            elif thread.tid_name is not None:
                thread.tid_name = None
            else:
                bad += 1
        else:
            bad += 1
    for thread in threads.values():
        close(thread, ts)
    intervals.extend(t.last for t in threads.values() if t.last is not None)
    start = ts if first is None else first
    return Trace(
        intervals, origin_ns + start * NS_PER_US, origin_ns + ts * NS_PER_US, truncated, bad
    )
