"""A flame of a few rows that only shows: where one program spent a stretch of time.

What runs the program (runpy, the scenario's runner) is always there and says nothing, so the
strip begins as deep as its rows allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.colours.frames import frame_ink
from perftui.probes.profile.sums import MergedTree
from perftui.probes.spine.calltree import ROOT
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of
from perftui.tui.widgets.draw.strips import edge_style, ground_of, ink_style
from perftui.tui.widgets.flame.data import Drawn, prepare
from perftui.tui.widgets.flame.layout import Box, lay_out
from perftui.tui.widgets.flame.threads import pick_thread
from perftui.tui.widgets.flame.words import inside

if TYPE_CHECKING:
    from textual.strip import Strip

    from perftui.tui.picture.view import View

_MOST = 0.85
"""A callee with this share of its caller leads on to what is worth seeing."""


class FlameStrip(Canvas):
    """Shows the hottest thread of a picture."""

    DEFAULT_CSS = """
    FlameStrip { height: 5; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._merged: MergedTree | None = None

    def show(self, view: View | None, size: tuple[int, int]) -> None:
        """Draw `size` (width, height) cells of a picture; None blanks it."""
        width, height = size
        drawn = None if view is None else self._drawn(view)
        if drawn is None or width < 4:
            self.put([strip_of([(" " * width, None)])] * height)
            return
        rows = deepest_rows(drawn, width - 2, height)
        lines = [self._line(drawn, row, depth == 0) for depth, row in enumerate(rows)]
        blank = strip_of([(" " * width, None)])
        self.put(lines + [blank] * (height - len(lines)))

    def _drawn(self, view: View) -> Drawn | None:
        merged = self._merged
        if merged is None or merged.source is not view.tree:
            merged = self._merged = MergedTree(view.tree)
        thread = pick_thread(view, None)
        return None if thread is None else prepare(view, thread, merged)

    def _line(self, drawn: Drawn, row: list[Box], first: bool) -> Strip:
        dark, ground = self.app.current_theme.dark, ground_of(self.rich_style)
        merged = drawn.sums.merged
        pieces: list[Piece] = [(" ", None)]
        at = 0
        for x0, x1, node, kind, _ in row:
            pieces.append((" " * (x0 - at), None))
            at = x1
            hue, shade, label = -1, 2, "…"
            if node == ROOT:
                label = clean(drawn.thread.name)
            else:
                frame = merged.frame(node)
                hue, shade = frame_ink(frame.module, frame.file)
                if kind == "wait":
                    label = drawn.wait_label(node)
                elif kind == "frame":
                    label = drawn.label(node)
            if first and node != ROOT:
                label = f"{clean(drawn.thread.name)} › {label}"
            style = ink_style(hue, shade, "" if kind == "frame" else "wait", dark, ground)
            pieces += [("▏", edge_style(style, ground)), (inside(label, x1 - x0 - 1), style)]
        if not row:
            pieces.append((" ", paint_of(self.app).dim))
        return strip_of(pieces)


def deepest_rows(drawn: Drawn, width: int, height: int) -> list[list[Box]]:
    """Lay out as many rows as there are: the deepest, as far as one callee leads there."""
    top = ROOT
    rows = lay_out(drawn.icicle, top, width)
    while len(rows) > height:
        value = drawn.icicle.value
        below = max(drawn.icicle.children.get(top, ()), key=lambda node: value[node], default=None)
        if below is None or value[below] < _MOST * value[top]:
            break
        top = below
        rows = lay_out(drawn.icicle, top, width)
    return rows[:height]
