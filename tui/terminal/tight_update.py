"""Sends only the cells that changed.

Textual 8 knows which stretches of a line are dirty, but sends each line from the left edge of
its widget up to the end of the stretch. Our widgets are as wide as the screen, so the newest
column of a chart would cost the whole line. This cuts the left part off too, and the terminal
keeps its colours from one piece to the next (see `pen`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual._compositor import ChopsUpdate

from perftui.tui.terminal.pen import Pen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.style import Style
    from textual.strip import Strip


class TightUpdate(ChopsUpdate):
    """A `ChopsUpdate` whose output begins where the change begins."""

    @classmethod
    def of(cls, update: ChopsUpdate) -> TightUpdate:
        """Take over what an update knows."""
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """Return cursor movements and cells, for the terminal as it is."""
        written: list[str] = []
        pen = Pen(console._color_system)
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                start = max(x1, x)
                part = part_of(strip, start - x, min(end, x2) - x)
                written.append(f"\x1b[{y + 1};{start + 1}H")
                written += [pen.write(text, style) for text, style in part]
        written.append(pen.lift())
        return "".join(written)


def part_of(strip: Strip, start: int, end: int) -> list[tuple[str, Style | None]]:
    """Return what stands in the cells [start, end) of a line."""
    parts: list[tuple[str, Style | None]] = []
    at = 0
    for text, style, _ in strip:
        begin, at = at, at + len(text)
        if begin < end and at > start:
            parts.append((text[start - begin if begin < start else 0 : end - begin], style))
    if at == strip.cell_length:  # every character takes one cell
        return parts
    return [(text, style) for text, style, _ in strip.crop(start, end)]
