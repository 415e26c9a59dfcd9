"""The flame of a range against the time before it: what is new, more, less, gone.

Colour says it and so does the mark in front of every name; widths are the larger share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.sums import BYTES, NOTHING, WEIGHT_INDEX
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.widgets.draw.strips import line_of
from perftui.tui.widgets.flame.detail import FrameDetail, percent
from perftui.tui.widgets.flame.diff.boxes import DiffBoxes
from perftui.tui.widgets.flame.diff.words import (
    change_figures,
    fits,
    fresh_text,
    head_text,
    meanwhile_text,
)
from perftui.tui.widgets.flame.layout import lay_out
from perftui.tui.widgets.flame.words import why_no_weight

if TYPE_CHECKING:
    from textual.strip import Strip

    from perftui.probes.profile.difference import Difference
    from perftui.tui.picture.view import View
    from perftui.tui.widgets.flame.icicle import Identity

ROOMY = 10
"""Rows from which the phases, imports and calls of the range get a line."""
LEAST_FRAMES = 4


class DiffFlame(DiffBoxes):
    """One icicle of both sides; above it, what it is about and what ran only then."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None

    # -- data ------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show another picture; focus and zoom stay on the same frames."""
        found = None if view.against is None else view.against.difference
        if found is None or view.same_stacks(self._view):
            return
        self._view = view
        self.take(found, view.selection.weight, view.selection.filter)
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

    def root_label(self, found: Difference) -> str:
        """Say the whole of the range and of the time before it."""
        weight = self._weight
        base, new = found.whole
        index = WEIGHT_INDEX[weight]
        if weight in BYTES:
            return f"{format_bytes(new[index])} {weight} · before {format_bytes(base[index])}"
        what = {"cpu": "CPU", "waiting": "of waiting"}.get(weight, "of threads' time")
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
        name = "everything" if looked[0] == ROOT else self.name_of(looked[0])
        return FrameDetail(
            name, node.file, node.line, NOTHING, NOTHING, share, None, weight, (), "", figures
        )
