"""What goes to the terminal: few codes and few cells, and the picture that was meant."""

from __future__ import annotations

import itertools
import random
import re

from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from perftui.tui.terminal.pen import Pen
from perftui.tui.widgets.draw.canvas import strip_of
from perftui.tui.widgets.draw.changes import JOIN_CELLS, changed_columns

STYLES = [
    None,
    Style(),
    Style(color="#ff0000"),
    Style(color="#ff0000", bgcolor="#0000ff"),
    Style(bgcolor="#0000ff"),
    Style(color="#00ff00", bold=True),
    Style(bold=True, dim=True, bgcolor="#202020"),
    Style(underline=True),
    Style(reverse=True, color="#123456"),
    Style(color="default", bgcolor="default", italic=True),
    Style(color="red", bold=False),
]
TEXTS = ["a", " ", "   ", "█▇▁", "b c", "日本"]

Look = tuple[frozenset[str], str, str]


def as_shown(written: str) -> list[tuple[str, Look]]:
    """Characters and how a terminal shows them, by SGR alone."""
    cells: list[tuple[str, Look]] = []
    attributes: frozenset[str] = frozenset()
    ink = ground = ""
    for found in re.finditer(r"\x1b\[([\d;]*)m|(.)", written):
        if found[2]:
            cells.append((found[2], (attributes, ink, ground)))
            continue
        codes = found[1].split(";")
        while codes:
            code = codes.pop(0)
            if code in ("", "0"):
                attributes, ink, ground = frozenset(), "", ""
            elif code in ("38", "48"):
                rest, codes = codes[:4], codes[4:]
                value = ";".join([code, *rest])
                ink, ground = (value, ground) if code == "38" else (ink, value)
            elif code == "39":
                ink = ""
            elif code == "49":
                ground = ""
            elif 30 <= int(code) < 38:
                ink = code
            else:
                attributes |= {code}
    cells.append(("end", (attributes, ink, ground)))
    return cells


def seen(cell: tuple[str, Look]) -> tuple[str, Look]:
    """The ink of a space is not seen unless something is drawn in it."""
    char, (attributes, _, ground) = cell
    return (char, (attributes, "", ground)) if char == " " and not attributes else cell


def test_every_cell_looks_as_it_would_with_all_its_codes() -> None:
    chance = random.Random(7)
    for _ in range(300):
        pieces = [(chance.choice(TEXTS), chance.choice(STYLES)) for _ in range(12)]
        pen = Pen(ColorSystem.TRUECOLOR)
        tight = "".join(pen.write(*piece) for piece in pieces) + pen.lift()
        whole = "".join(
            text if style is None else Strip.render_style(style, text, ColorSystem.TRUECOLOR)
            for text, style in pieces
        )
        assert list(map(seen, as_shown(tight))) == list(map(seen, as_shown(whole)))
        assert len(tight) <= len(whole)


def test_a_style_that_stays_is_said_once() -> None:
    pen, red = Pen(None), Style(color="#ff0000", bgcolor="#000000")
    assert pen.write("a", red) == "\x1b[38;2;255;0;0;48;2;0;0;0ma"
    assert pen.write("b", red) == "b"
    assert pen.write(" ", Style(color="#00ff00", bgcolor="#000000")) == " "
    assert pen.write("c", Style(color="#ff0000", bgcolor="#101010")) == "\x1b[48;2;16;16;16mc"
    assert pen.write("", None) == ""
    assert pen.lift() == "\x1b[m"
    assert pen.lift() == ""


def cell_list(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(char, part.style) for part in strip for char in part.text]


def test_what_is_not_painted_was_there_before() -> None:
    chance = random.Random(11)
    a, b = Style(color="red"), Style(color="blue")
    for _ in range(400):
        old, new = (
            strip_of(
                (chance.choice("xy█ ") * chance.randint(1, 12), chance.choice((a, b, None)))
                for _ in range(chance.randint(1, 8))
            )
            for _ in range(2)
        )
        spans = changed_columns(old, new)
        before, after = cell_list(old), cell_list(new)
        painted = {column for first, end in spans for column in range(first, end)}
        differing = {
            column
            for column in range(max(len(before), len(after)))
            if before[column : column + 1] != after[column : column + 1]
        }
        assert differing <= painted
        for first, end in spans:
            assert {first, end - 1} <= differing, "nothing is painted beyond what differs"
        for (_, end), (first, _) in itertools.pairwise(spans):
            assert first - end >= JOIN_CELLS
