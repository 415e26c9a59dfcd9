"""The flame of a range against the time before it: what is new, more, less, gone.

Colour says it and so does the mark in front of every name; widths are the larger share.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from perftui.probes.calltree import ROOT
from perftui.probes.profile import NOTHING
from perftui.probes.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text import clean
from perftui.tui.widgets.detail import FrameDetail, percent
from perftui.tui.widgets.diff_layout import diff_icicle
from perftui.tui.widgets.diff_words import (
    Face,
    change_figures,
    diff_label,
    face_of,
    fits,
    fresh_text,
    head_text,
    meanwhile_text,
)
from perftui.tui.widgets.flame_layout import Box, Icicle, lay_out
from perftui.tui.widgets.flame_words import place_of, why_no_weight
from perftui.tui.widgets.icicle_pane import IciclePane, Identity
from perftui.tui.widgets.strips import edge_style, ground_of, line_of

if TYPE_CHECKING:
    from perftui.probes.difference import Difference
    from perftui.tui.view import View

ROOMY = 10
"""Rows from which the phases, imports and calls of the range get a line."""
LEAST_FRAMES = 4
_HUE_MORE, _HUE_LESS, _HUE_SAME = 6, 212, 214


class DiffFlame(IciclePane):
    """One icicle of both sides; above it, what it is about and what ran only then."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._found: Difference | None = None
        self._icicle: Icicle | None = None
        self._faces: dict[int, Face] = {}

    # -- data ------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show another picture; focus and zoom stay on the same frames."""
        found = None if view.against is None else view.against.difference
        if found is None or view.same_stacks(self._view):
            return
        if self._found is not None and found is not self._found:
            self._zoom = _same_node(self._found, found, self._zoom)
            if self._focus is not None:
                node = _same_node(self._found, found, self._focus[0])
                self._focus = (node, self._focus[1])
            self._hover = None
        self._view, self._found = view, found
        self._icicle = diff_icicle(found, view.selection.weight)
        self._faces.clear()
        self.redraw()

    # -- drawing ---------------------------------------------------------------------------

    def build(self) -> list[Strip]:
        """Return the lines of words, breadcrumb, and rows of frames."""
        view, found, icicle = self._view, self._found, self._icicle
        if view is None or found is None or view.against is None:
            return []
        width, height = self.size
        dim, text = self.tone("dim"), self.tone("text")
        strong, rest = head_text(view.against, view)
        lines = [line_of([(" " + strong, self.tone("strong")), ("  " + rest, dim)], width, text)]
        if icicle is None:
            self._rows, self._crumbs = [], []
            self.tell()
            return lines + self.words(*why_no_weight(view.selection.weight))
        if height >= LEAST_FRAMES + 2:
            title, names = fresh_text(view.against, view.selection.weight)
            lines.append(line_of([(f" {title} ", dim), (names, self.tone("warm"))], width, text))
        meanwhile = meanwhile_text(view) if height >= ROOMY else ""
        if meanwhile:
            lines.append(line_of([(" meanwhile: ", dim), (meanwhile, text)], width, text))
        top = self._zoom
        while top != ROOT and not icicle.value.get(top):
            top = found.nodes[top].parent
        self._shown_top = top
        self._rows = lay_out(icicle, top, width)
        share = found.delta(found.nodes[top].total, view.selection.weight)
        words = f"{percent(share.base_share)} → {percent(share.new_share)}"
        lines += self.breadcrumb(len(lines), found.path(top), words)
        lines += self.frame_lines(len(lines), height - len(lines))
        self.tell()
        return lines

    def row_strip(self, row: list[Box], depth: int) -> Strip:
        """Draw one row of frames."""
        found, view = self._found, self._view
        assert found is not None and view is not None
        width, blank = self.size.width, self.tone("text")
        ground = ground_of(blank)
        wanted = view.selection.filter.lower()
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
                level, label = 0, self._root_label(found, view).ljust(room)[:room]
            elif box.kind == "frame":
                place = place_of(node.module, node.file, node.line) if node.file else ""
                label = diff_label(face.mark, clean(node.function), place, room)
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

    def _face(self, node: int) -> Face:
        face = self._faces.get(node)
        if face is None:
            assert self._found is not None and self._view is not None
            delta = self._found.delta(self._found.nodes[node].total, self._view.selection.weight)
            face = self._faces[node] = face_of(delta)
        return face

    def _root_label(self, found: Difference, view: View) -> str:
        weight = view.selection.weight
        base, new = found.whole
        if weight == "grown":
            return f"{format_bytes(new[2])} grown · before {format_bytes(base[2])}"
        index = 1 if weight == "cpu" else 0
        what = "CPU" if weight == "cpu" else "of threads' time"
        now, then = (format_seconds(side[index] / NS_PER_S) for side in (new, base))
        return f"{now} {what} · before {then}"

    # -- looking at frames -----------------------------------------------------------------

    def hint(self) -> str:
        """Say how to read it."""
        hint = "red and + more · blue and - less · new: not before · gone: only before"
        return hint if fits((hint, ""), self.size.width) else "+ more · - less · new · gone"

    def detail(self) -> FrameDetail | None:
        """Return before and during of the frame looked at."""
        found, view = self._found, self._view
        looked: Identity | None = self._hover or self._focus
        if found is None or view is None or looked is None or looked[0] >= len(found.nodes):
            return None
        weight = view.selection.weight
        node = found.nodes[looked[0]]
        figures = change_figures(found, node.total, node.self_, weight)
        share = found.delta(node.total, weight).new_share
        name = "everything" if looked[0] == ROOT else node.function
        return FrameDetail(
            name, node.file, node.line, NOTHING, NOTHING, share, None, weight, (), "", figures
        )

    def parent_of(self, node: int) -> int:
        """Return the caller."""
        return ROOT if self._found is None else self._found.nodes[node].parent

    def name_of(self, node: int) -> str:
        """Return the function of a node."""
        if node == ROOT:
            return "all"
        return "" if self._found is None else self._found.nodes[node].function


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
