"""Boxes to a static SVG: no script, hover texts as titles, right on dark and on light pages.

What a box says and which colour it has is the caller's: a flame graph of one recording and one
of the difference of two are the same drawing with other faces.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.columns import cells_of
from perftui.probes.text.harmless import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from perftui.probes.export.pictures.boxes import FlameBox

WIDTH = 1200
ROW = 18
MARGIN = 12
_FONT = 11
_CELL = _FONT * 0.6021
"""Width of a character of the usual monospaced fonts."""
_TITLE_CHARS = 400
_LABEL_CHARS = 120

_STYLE = """\
text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#14181d}
.bg{fill:#fbfcfd}.head{font-size:14px;font-weight:bold;fill:#0b0e13}.sub{fill:#66707c}.p{fill-opacity:.6}
g:hover>rect{stroke:#0b7683;stroke-width:1.5}
"""
_DARK_STYLE = """\
text{fill:#eef2f6}.bg{fill:#0d1117}.head{fill:#f4f7fa}.sub{fill:#8b95a1}
g:hover>rect{stroke:#56b6c2}
"""


class Face(NamedTuple):
    """How a box looks. Names need not be harmless yet."""

    label: str
    """Written into the box as far as it fits."""
    title: Sequence[str]
    """Lines of the hover text."""
    light: str
    """Colour on a light page, as CSS writes it."""
    dark: str
    place: str = ""
    """Where that is in few words: written behind the label if there is room for it."""


def hsl(degrees: float, saturation: float, lightness: float) -> str:
    """Return a colour as #rrggbb: the one notation that every SVG reader knows."""
    reach = saturation * min(lightness, 1 - lightness)
    parts = []
    for offset in (0, 8, 4):
        k = (offset + degrees / 30) % 12
        parts.append(round(255 * (lightness - reach * max(-1, min(k - 3, 9 - k, 1)))))
    return "#" + "".join(f"{part:02x}" for part in parts)


def shortened(text: str, cells: int) -> str:
    """Return `text` without its middle if it takes more than `cells` columns."""
    if cells_of(text) <= cells:
        return text
    if cells < 1:
        return ""
    tail = (cells - 1) * 2 // 3
    return _taken(text, cells - 1 - tail) + "…" + _taken(text[::-1], tail)[::-1]


def fitted(text: str, cells: int) -> str:
    """Return any text as one harmless line of at most `cells` columns; 64 KiB cost no more."""
    if len(text) > 8 * cells + 64:
        text = text[: 4 * cells + 32] + "…" + text[-4 * cells - 32 :]
    return shortened(clean(text), cells)


def _taken(text: str, cells: int) -> str:
    for at, char in enumerate(text):
        cells -= cells_of(char)
        if cells < 0:
            return text[:at]
    return text


def draw(
    boxes: Iterable[FlameBox],
    face: Callable[[FlameBox], Face],
    title: str,
    lines: Sequence[str] = (),
    *,
    root_on_top: bool = False,
) -> Iterator[str]:
    """Yield the parts of an SVG document.

    Args:
        boxes: As `boxes.lay_out` returns them.
        face: What a box says and which colours it has.
        title: Heading.
        lines: What is told below it: range, samples, what is missing.
        root_on_top: An icicle; else a flame, which grows up from the root.
    """
    boxes = list(boxes)
    faces = [face(box) for box in boxes]
    colours: dict[tuple[str, str], int] = {}
    for each in faces:
        colours.setdefault((each.light, each.dark), len(colours))
    depth = max((box.depth for box in boxes), default=0) + 1
    top = MARGIN + 20 + 15 * len(lines) + 8
    height = top + depth * ROW + MARGIN
    yield from _opening(title, lines, height, colours)
    scale = WIDTH - 2 * MARGIN
    for box, look in zip(boxes, faces, strict=True):
        row = box.depth if root_on_top else depth - 1 - box.depth
        yield _box(box, look, colours[look.light, look.dark], top + row * ROW, scale)
    yield "</svg>\n"


def _opening(
    title: str, lines: Sequence[str], height: int, colours: dict[tuple[str, str], int]
) -> Iterator[str]:
    shown = _text(title, _LABEL_CHARS)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-label="{shown}">\n'
        f"<title>{shown}</title>\n<style>{_STYLE}"
    )
    yield "".join(f".c{index}{{fill:{light}}}" for (light, _), index in colours.items())
    yield f"\n@media (prefers-color-scheme:dark){{{_DARK_STYLE}"
    yield "".join(f".c{index}{{fill:{dark}}}" for (_, dark), index in colours.items())
    yield "}</style>\n"
    yield f'<rect class="bg" width="{WIDTH}" height="{height}"/>\n'
    y = MARGIN + 12
    yield f'<text class="head" x="{MARGIN}" y="{y}">{shown}</text>\n'
    for line in lines:
        y += 16
        yield f'<text class="sub" x="{MARGIN}" y="{y}">{_text(line, 180)}</text>\n'


def _box(box: FlameBox, look: Face, colour: int, y: int, scale: int) -> str:
    x = MARGIN + box.x0 * scale
    # The gap to the right neighbour is what separates frames of one colour.
    width = max((box.x1 - box.x0) * scale - 0.6, 0.4)
    told = "\n".join(_text(line, _TITLE_CHARS) for line in look.title)
    room = int((width - 6) / _CELL)
    label = fitted(look.label, room)
    text = ""
    if cells_of(label) > 2:
        text = escape(label)
        left = room - cells_of(label) - 2
        if look.place and left >= 6:
            place = escape(fitted(look.place, left))
            text += f'<tspan class="p" dx="{_CELL:.1f}">{place}</tspan>'
        text = f'<text x="{x + 3:.2f}" y="{y + 12.5}">{text}</text>'
    return (
        f'<g><title>{told}</title><rect class="c{colour}" x="{x:.2f}" y="{y}" '
        f'width="{width:.2f}" height="{ROW - 1}" rx="1"/>{text}</g>\n'
    )


def _text(text: str, chars: int) -> str:
    return escape(fitted(text, chars))
