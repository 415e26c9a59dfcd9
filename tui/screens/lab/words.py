"""The lines of the lab's screen around its figures: header, runs, verdict. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.columns import cells_of as cells_in
from perftui.probes.text.units import format_clock
from perftui.tui.screens.lab.face import OVER
from perftui.tui.text.fit import clean, fit, shorten_end, width_of
from perftui.tui.widgets.draw.canvas import cells_of, strip_of
from perftui.tui.widgets.draw.pieces import cut, on_ground, wrapped_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from perftui.tui.screens.lab.face import LabPicture, RunRow
    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.draw.canvas import Piece

_GROUNDS = {"good": "good_bg", "bad": "bad_bg", "warn": "warn_bg"}
_FAILED = "FAILED  "


def header_line(picture: LabPicture, elapsed_s: float, width: int, paint: Paint) -> Strip:
    """`perftui  bench load.py:nightly   against base.json      ● 7 of 10 new 00:12.3`."""
    word, style = {
        "preparing": (f"○ {picture.now}", paint.link),
        "running": (f"● {picture.now}", paint.good),
        "done": ("■ DONE", paint.good),
        "stopped": ("■ STOPPED", paint.warn),
        "failed": ("▲ FAILED", paint.warn),
    }[picture.stage]
    clock = format_clock(elapsed_s)
    right: list[Piece] = [(word, style), (" ", None), (clock, paint.bright), (" ", None)]
    left: list[Piece] = [(" perftui", paint.link)] if width >= 80 else []
    left += [(f"  {picture.command} ", paint.dim)]
    room = width - cells_of(left) - cells_of(right) - 2
    title = shorten_end(clean(picture.title), max(room, 8))
    left.append((title, paint.bright))
    room -= width_of(title) + 3
    if room >= 12 and picture.about:
        left.append((f"   {shorten_end(clean(picture.about), room)}", paint.dim))
    gap = max(width - cells_of(left) - cells_of(right), 1)
    return strip_of([*left, (" " * gap, None), *right]).adjust_cell_length(width)


def made_lines(picture: LabPicture, rows: int, width: int, paint: Paint) -> list[Strip]:
    """What is said before the first run: what is made, and how far that is."""
    names = max((width_of(each.name) for each in picture.made), default=0)
    lines = [strip_of([(" " * width, None)])]
    for each in picture.made:
        pieces: list[Piece] = [(f"  {fit(each.name, names)}  ", paint.bright)]
        pieces.append((clean(each.text), paint.named(each.tone)))
        lines.append(strip_of(cut(pieces, width)).adjust_cell_length(width))
    return lines[:rows]


# -- runs --------------------------------------------------------------------------------------


def run_lines(
    picture: LabPicture, rows: int, chosen: int | None, width: int, paint: Paint
) -> list[Strip]:
    """A rule with headings, and as many runs as there is room for: the chosen one among them."""
    widths = _widths(picture, width)
    head: list[Piece] = [("── ", paint.faint), ("runs ", paint.link)]
    head.append((fit("", widths[0] - 6), None))
    head += [
        (f"  {fit(text, size, right=True)}", paint.dim)
        for text, size in zip(picture.headings, widths[1:], strict=False)
    ]
    head = cut(head, width - 3)
    head.append((" " + "─" * max(width - cells_of(head) - 1, 0), paint.faint))
    lines = [strip_of(head).adjust_cell_length(width)]
    room = rows - 1
    running = picture.stage == "running" and bool(picture.now)
    seen = max(room - int(running), 0)
    first = first_row(len(picture.rows), seen, chosen)
    for at, row in enumerate(picture.rows[first : first + seen], first):
        lines.append(_run_line(row, widths, width, paint, chosen=at == chosen))
    if running and room > 0:
        pieces: list[Piece] = [(fit(f"   {picture.now}", widths[0] + 2), paint.link)]
        pieces.append(("  runs", paint.link))
        lines.append(strip_of(cut(pieces, width)).adjust_cell_length(width))
    return lines


def first_row(count: int, seen: int, chosen: int | None) -> int:
    """Return the first row that is shown: the newest are, unless an earlier one is chosen."""
    last_first = max(count - seen, 0)
    if chosen is None or seen <= 0:
        return last_first
    return min(last_first, max(chosen - seen // 2, 0))


def row_at(picture: LabPicture, rows: int, chosen: int | None, y: int) -> int | None:
    """Return which run a line of the table shows; None for its headings and for what runs now."""
    running = picture.stage == "running" and bool(picture.now)
    seen = max(rows - 1 - int(running), 0)
    at = first_row(len(picture.rows), seen, chosen) + y - 1
    return at if 1 <= y <= seen and at < len(picture.rows) else None


def _widths(picture: LabPicture, width: int) -> list[int]:
    """Return the cells of the names and of as many columns as there is room for."""
    names = [row.name for row in picture.rows] + [picture.now]
    tables = [picture.headings, *(row.cells for row in picture.rows if row.cells)]
    columns = [max(map(cells_in, cells)) for cells in zip(*tables, strict=True)]
    name = max(max(map(cells_in, names), default=0), 8) + 1
    left, shown = width - name - 3, list[int]()
    for size in columns:
        left -= size + 2
        if left < 0:
            break
        shown.append(size)
    return [name, *shown]


def _run_line(
    row: RunRow, widths: Sequence[int], width: int, paint: Paint, *, chosen: bool
) -> Strip:
    ground = paint.range_bg if chosen else None
    plain = paint.dim if row.quiet else paint.text
    ink = paint.bright if chosen else plain
    mark = "▸" if chosen else " "
    pieces: list[Piece] = [(f" {mark} {fit(row.name, widths[0])}", ink)]
    if row.why:
        pieces.append((f"  {_FAILED}{clean(row.why)}", paint.bad))
    for cell, size in zip(row.cells, widths[1:], strict=False):
        pieces.append((f"  {fit(cell, size, right=True)}", plain))
    pieces = cut(pieces, width)
    pieces.append((" " * (width - cells_of(pieces)), None))
    return strip_of(pieces if ground is None else on_ground(pieces, ground))


# -- verdict -----------------------------------------------------------------------------------


def verdict_lines(
    picture: LabPicture, answer: str, rows: int, width: int, paint: Paint
) -> list[Strip]:
    """The verdict as far as it is known; the answer to a key stands in its place for a while."""
    ground = paint.named(_GROUNDS.get(picture.tone, "calm_bg"))
    pieces: list[Piece] = []
    if answer:
        pieces, ground = [(f"· {answer}", paint.link)], paint.named("calm_bg")
    else:
        if picture.verdict:
            so_far = "" if picture.stage in OVER else " so far"
            pieces.append((f"{picture.verdict}{so_far}", paint.named(picture.tone)))
            pieces.append(("  ", None))
        pieces.append((clean(picture.words), paint.bright if picture.verdict else paint.text))
    wrapped = wrapped_pieces(pieces, max(width - 4, 1), rows)
    above = (rows - len(wrapped)) // 2
    lines = []
    for row in range(rows):
        own = wrapped[row - above] if 0 <= row - above < len(wrapped) else []
        text = on_ground([("  ", None), *own], ground)
        lines.append(strip_of([*text, (" " * max(width - cells_of(text), 0), ground)]))
    return lines
