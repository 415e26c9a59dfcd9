"""One row of frames, drawn side by side. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from perftui.tui.widgets.draw.strips import edge_style, ground_of, ink_style
from perftui.tui.widgets.flame.words import inside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style


class FrameFace(NamedTuple):
    """What a frame looks like, in the cells [x0, x1)."""

    x0: int
    x1: int
    hue: int
    shade: int
    label: str
    state: str
    """As `ink_style` has it."""


def row_of(faces: Iterable[FrameFace], width: int, blank: Style, *, dark: bool) -> Strip:
    """Draw frames side by side, on the background of `blank`."""
    ground = ground_of(blank)
    segments: list[Segment] = []
    at = 0
    for x0, x1, hue, shade, label, state in faces:
        if x0 > at:
            segments.append(Segment(" " * (x0 - at), blank))
        at = x1
        style = ink_style(hue, shade, state, dark, ground)
        segments.append(Segment("▏", edge_style(style, ground)))
        segments.append(Segment(inside(label, x1 - x0 - 1), style))
    if at < width:
        segments.append(Segment(" " * (width - at), blank))
    return Strip(segments, width)
