"""The call tree of a recording: frames and nodes as they were numbered, checked for damage."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from perftui.probes.recording.format.limits import DEPTH, FRAMES, NODES, RecordingError
from perftui.probes.spine.calltree import ROOT, CallTree, Frame, FrameKind

if TYPE_CHECKING:
    from typing import Any

LOST = Frame("<lost>", "", 0, "")
"""Stands for what a damaged recording no longer names."""
_LOST_FRAME = -1
_KINDS = frozenset(get_args(FrameKind))


class RecordedTree(CallTree):
    """A call tree filled from tables; `extend` takes what was recorded since."""

    def __init__(self) -> None:
        super().__init__()
        self._depths = [0]
        self._rows = (0, 0)

    def extend(self, frames: Any, nodes: Any) -> None:
        """Take the rows of the tables `frames` and `nodes` that are new.

        Raises:
            RecordingError: they are not those of a call tree.
        """
        rows = (frames.num_rows, nodes.num_rows)
        if rows == self._rows:
            return
        self._take_frames(frames.slice(self._rows[0]))
        self._take_nodes(nodes.slice(self._rows[1]))
        self._rows = rows

    def _take_frames(self, frames: Any) -> None:
        names = ("frame", "function", "file", "line", "module", "kind")
        known = self._frames
        for index, function, file, line, module, kind in zip(
            *(frames[name].to_pylist() for name in names), strict=True
        ):
            if not 0 < index <= FRAMES:
                raise RecordingError("damaged: a frame has an impossible number")
            while len(known) <= index:
                known.append(LOST)
            known[index] = Frame(function, file, line, module, kind if kind in _KINDS else "py")

    def _take_nodes(self, nodes: Any) -> None:
        parents, frame_of, depths = self._parents, self._frame_of, self._depths
        columns = (nodes[name].to_pylist() for name in ("node", "parent", "frame"))
        for node, parent, frame in zip(*columns, strict=True):
            if not 0 <= parent < node <= NODES or not 0 < frame <= FRAMES:
                raise RecordingError("damaged: the call tree has a node that cannot be")
            while len(parents) <= node:
                self._add_lost()
            depth = depths[parent] + 1
            if depth > DEPTH:
                raise RecordingError(f"damaged: the call tree is deeper than {DEPTH}")
            parents[node], frame_of[node], depths[node] = parent, frame, depth
        self._name_frames(max(frame_of))

    def _add_lost(self) -> None:
        self._parents.append(ROOT)
        self._frame_of.append(_LOST_FRAME)
        self._depths.append(1)

    def _name_frames(self, highest: int) -> None:
        while len(self._frames) <= highest:
            self._frames.append(LOST)

    def parent(self, node: int) -> int:
        """Return the calling node; of a lost one the root."""
        try:
            return self._parents[node]
        except IndexError:
            return ROOT

    def frame(self, node: int) -> Frame:
        """Return the frame that a node stands in, `LOST` if it is not known."""
        try:
            index = self._frame_of[node]
        except IndexError:
            return LOST
        return LOST if index == _LOST_FRAME else self._frames[index]

    def path(self, node: int) -> list[int]:
        """Return the nodes from the outermost frame to `node`, without the root."""
        return super().path(node) if node < len(self._parents) else [node]
