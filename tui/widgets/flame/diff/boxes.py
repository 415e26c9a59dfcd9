"""The boxes of a difference: what is new, more, less, gone, in one icicle of both sides.

Colour says it and so does the mark in front of every name; widths are the larger share.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from perftui.probes.profile.place import called, file_name
from perftui.probes.spine.calltree import ROOT
from perftui.tui.text.fit import clean
from perftui.tui.widgets.draw.strips import edge_style, ground_of
from perftui.tui.widgets.flame.diff.layout import diff_icicle
from perftui.tui.widgets.flame.diff.words import ChangeFace, diff_label, face_of
from perftui.tui.widgets.flame.icicle import IciclePane
from perftui.tui.widgets.flame.words import place_of

if TYPE_CHECKING:
    from perftui.probes.profile.difference import Difference
    from perftui.probes.profile.sums import WeightName
    from perftui.tui.widgets.flame.layout import Box, Icicle

_HUE_MORE, _HUE_LESS, _HUE_SAME = 6, 212, 214


class DiffBoxes(IciclePane):
    """An icicle of a `Difference`; subclasses say what stands above it and what a frame tells."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._found: Difference | None = None
        self._icicle: Icicle | None = None
        self._weight: WeightName = "wall"
        self._wanted = ""
        self._faces: dict[int, ChangeFace] = {}

    def root_label(self, found: Difference) -> str:
        """Say what the whole of both sides is."""
        raise NotImplementedError

    def take(self, found: Difference, weight: WeightName, wanted: str) -> None:
        """Show another difference; focus and zoom stay on the same frames."""
        if self._found is not None and found is not self._found:
            self._zoom = _same_node(self._found, found, self._zoom)
            if self._focus is not None:
                node = _same_node(self._found, found, self._focus[0])
                self._focus = (node, self._focus[1])
            self._hover = None
        self._found, self._weight, self._wanted = found, weight, wanted.lower()
        self._icicle = diff_icicle(found, weight)
        self._faces.clear()

    # -- drawing ---------------------------------------------------------------------------

    def row_strip(self, row: list[Box], depth: int) -> Strip:
        """Draw one row of frames."""
        found = self._found
        assert found is not None
        width, blank = self.size.width, self.tone("text")
        ground = ground_of(blank)
        wanted = self._wanted
        segments: list[Segment] = []
        at = 0
        for box in row:
            if box.x0 > at:
                segments.append(Segment(" " * (box.x0 - at), blank))
            at = box.x1
            face, room = self._face(box.node), box.x1 - box.x0 - 1
            node = found.nodes[box.node]
            level, label = face.level, "…".ljust(room)[:room]
            if box.node == ROOT:
                level, label = 0, self.root_label(found).ljust(room)[:room]
            elif box.kind == "frame":
                place = place_of(node.module, node.file, node.line) if node.file else ""
                label = diff_label(face.mark, clean(self.name_of(box.node)), place, room)
            else:
                level = 0
            plain = bool(wanted) and wanted not in f"{node.function} {node.file}".lower()
            state = "hot" if self.is_hot(box) else "faint" if plain and box.node != ROOT else ""
            style = diff_ink(level, state, self.is_dark, ground)
            segments.append(Segment("▏", edge_style(style, ground)))
            segments.append(Segment(label, style))
        if at < width:
            segments.append(Segment(" " * (width - at), blank))
        return Strip(segments, width)

    def _face(self, node: int) -> ChangeFace:
        face = self._faces.get(node)
        if face is None:
            assert self._found is not None
            delta = self._found.delta(self._found.nodes[node].total, self._weight)
            face = self._faces[node] = face_of(delta)
        return face

    # -- nodes -----------------------------------------------------------------------------

    def parent_of(self, node: int) -> int:
        """Return the caller."""
        return ROOT if self._found is None else self._found.nodes[node].parent

    def name_of(self, node: int) -> str:
        """Return the function of a node."""
        if node == ROOT:
            return "all"
        if self._found is None:
            return ""
        told = self._found.nodes[node]
        mains = (file_name(told.file),) if told.parent == ROOT else ()
        return called(told.function, told.file, mains)


def _same_node(old: Difference, new: Difference, node: int) -> int:
    """Return where a frame is in a later difference, or its nearest caller that is there."""
    at = ROOT
    name = slice(1, 4) if new.by_line else slice(1, 3)  # function, file, line
    for step in old.path(node) if node < len(old.nodes) else ():
        wanted = old.nodes[step][name]
        below = (c for c in new.nodes[at].children if new.nodes[c][name] == wanted)
        found = next(below, None)
        if found is None:
            break
        at = found
    return at


@lru_cache(maxsize=128)
def diff_ink(level: int, state: str, dark: bool, ground: str) -> Style:
    """Return the style of a change.

    Args:
        level: -3..3, from much less to much more.
        state: "" plain, "hot" looked at, "faint" passed over by the filter.
        dark: Theme.
        ground: Background of the pane as hex; faint frames lean to it.
    """
    hue = _HUE_MORE if level > 0 else _HUE_LESS if level < 0 else _HUE_SAME
    strength = abs(level) / 3
    saturation = 0.12 + 0.40 * strength if level else 0.12
    lightness = (0.29 + 0.12 * strength) if dark else (0.86 - 0.12 * strength)
    text = Color.parse("#eef2f6" if dark else "#14181d")
    if state == "hot":
        lightness += 0.24 if dark else -0.16
        text = Color.parse("#0b0f14" if dark else "#000000")
    color = Color.from_hsl(hue / 360, saturation, lightness)
    if state == "faint":
        base = Color.parse(ground)
        color, text = base.blend(color, 0.30), base.blend(text, 0.55)
    return Style(color=text.rich_color, bgcolor=color.rich_color, bold=state == "hot")
