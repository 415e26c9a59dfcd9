"""Where the measured thread stood at each reading, as a call tree that detectors can ask.

One thread only, at the pace of the readings: enough to name the line that ran in an alert's span,
too little for a profile. A call that holds the GIL is seen when it lets go of it.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.reader import ThreadTree, Weights

if TYPE_CHECKING:
    from types import FrameType

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Metric

KEPT = 36_000
"""Readings: half an hour at 20 Hz."""
DEEPEST = 200


class _Stood(NamedTuple):
    t0_ns: int
    t1_ns: int
    node: int
    cpu_ns: int
    grown_bytes: int


class Frames:
    """A sink: connect it to the log that the metrics go to.

    Args:
        tree: Where the frames are interned.
        pid: This process.
        thread: Identifier of the thread that is measured (`threading.get_ident`).
    """

    def __init__(self, tree: CallTree, pid: int, thread: int) -> None:
        self._tree = tree
        self._pid = pid
        self._thread = thread
        self._last: Metric | None = None
        self._stood: deque[_Stood] = deque(maxlen=KEPT)

    def ingest(self, batch: Batch) -> None:
        """Take the stack at every reading of this process."""
        for record in (metric for tick in batch.ticks for metric, _ in tick.readings):
            if record.pid == self._pid:
                last, self._last = self._last, record
                frame = sys._current_frames().get(self._thread)
                if last is None or frame is None:
                    return
                passed_ns = record.t_ns - last.t_ns
                cpu_ns = min(round((record.cpu_s - last.cpu_s) * 1e9), passed_ns)
                grown = max(record.rss_bytes - last.rss_bytes, 0)
                node = self._node(frame)
                self._stood.append(_Stood(last.t_ns, record.t_ns, node, cpu_ns, grown))
                return

    def _node(self, frame: FrameType | None) -> int:
        stack: list[int] = []
        while frame is not None and len(stack) < DEEPEST:
            code = frame.f_code
            stack.append(
                self._tree.frame_id(code.co_qualname, code.co_filename, frame.f_lineno or 0)
            )
            frame = frame.f_back
        stack.reverse()
        return self._tree.intern(stack)

    def call_tree(self, t0_ns: int, t1_ns: int) -> list[ThreadTree]:
        """Return where the thread was in a range, as `Reader.call_tree` does."""
        nodes: dict[int, Weights] = {}
        for stood in list(self._stood):
            if stood.t1_ns > t0_ns and stood.t0_ns < t1_ns:
                old = nodes.get(stood.node, Weights(0, 0, 0, 0))
                nodes[stood.node] = Weights(
                    old.wall_ns + stood.t1_ns - stood.t0_ns,
                    old.cpu_ns + stood.cpu_ns,
                    old.grown_bytes + stood.grown_bytes,
                    0,
                )
        if not nodes:
            return []
        walls, cpus, grown = (
            sum(part) for part in zip(*(cell[:3] for cell in nodes.values()), strict=True)
        )
        return [ThreadTree(self._pid, self._thread, "measured", walls, cpus, grown, nodes, "")]
