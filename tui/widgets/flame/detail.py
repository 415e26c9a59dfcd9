"""What is this frame? One line of figures, and the source around the line that costs most."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from perftui.probes.profile.place import file_name
from perftui.probes.profile.sums import BYTES, WEIGHT_INDEX
from perftui.probes.spine.calltree import installed_path, own_path
from perftui.probes.text.source_lines import SourceLines
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.draw.strips import LinePane, Part, line_of

if TYPE_CHECKING:
    from textual.strip import Strip

    from perftui.probes.profile.sums import Amount, WeightName


class FrameDetail(NamedTuple):
    """One frame of the flame, ready to be told."""

    function: str
    file: str
    line: int
    self_: Amount
    total: Amount
    share: float
    """Of the thread in the range, 0..1, in the chosen weight."""
    error: float | None
    """Half of the 95 % interval of the share by the number of samples, None if not known."""
    weight: WeightName
    lines: tuple[tuple[int, Amount], ...]
    """Source lines of the frame, hottest first."""
    note: str = ""
    """What kind of time it is, in words, when it is not simply a function."""
    figures: tuple[tuple[str, str], ...] = ()
    """(word, figure) to tell instead of the amounts, the most important first."""


def amount_text(amount: Amount, weight: WeightName) -> str:
    """Say an amount in one weight, with its unit."""
    value = amount[WEIGHT_INDEX[weight]]
    return format_bytes(value) if weight in BYTES else format_seconds(value / NS_PER_S)


def share_error(share: float, samples: float) -> float | None:
    """Return half of the 95 % interval of a share seen in `samples` samples."""
    if samples < 1:
        return None
    return 1.96 * math.sqrt(max(share * (1 - share), 0.25 / samples) / samples)


def percent(share: float) -> str:
    """Format a share as percent: 93 %, 4.2 %, <0.1 %."""
    value = share * 100
    if value >= 9.95 or value == 0:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.05 else "<0.1 %"


def headline(pane: LinePane, frame: FrameDetail) -> list[Part]:
    """Say what a frame is in one line of a pane: name, place, figures."""
    dim, strong, plain = pane.tone("dim"), pane.tone("strong"), pane.tone("text")
    width = pane.size.width
    figures: list[Part] = []
    if frame.figures:
        for n, (word, figure) in enumerate(frame.figures):
            figures += [(f"   {word} ", dim), (figure, plain if n else strong)]
        return _named(pane, frame, figures)
    share: list[Part] = [(percent(frame.share), plain)]
    if frame.error is not None and width >= 100:
        share.append((f" ±{max(frame.error * 100, 0.1):.{0 if frame.error >= 0.01 else 1}f}", dim))
    amounts = {
        "grown": (frame.total.grown_bytes > 0, frame.total, pane.tone("warm")),
        "waiting": (False, frame.total, pane.tone("warm")),
        "touched": (False, frame.total, pane.tone("warm")),
        "wall": (True, frame.total, strong),
        "self": (True, frame.self_, plain),
        "cpu": (True, frame.total, plain),
    }
    for name in sorted(amounts, key=lambda name: name != frame.weight):  # what was asked is first
        always, amount, tone = amounts[name]
        if always or name == frame.weight:
            word = "total" if name == "wall" else name
            said = amount_text(amount, "wall" if name == "self" else cast("WeightName", name))
            figures += [(f"{_GAP}{word} ", dim), (said, tone)]
            figures += [(" ", dim), *share] if name == frame.weight else []
    return _named(pane, frame, figures)


def _named(pane: LinePane, frame: FrameDetail, figures: list[Part]) -> list[Part]:
    """Put name and place before the figures."""
    dim, strong, width = pane.tone("dim"), pane.tone("strong"), pane.size.width
    own = own_path(frame.file)
    place = clean(installed_path(frame.file) or frame.file if own is None else f"perftui/{own}")
    if frame.line and place:
        place += f":{frame.line}"
    name = clean(frame.function)
    if frame.note:
        figures.append(("   " + clean(frame.note), dim))
    # Who it is counts most: figures go, from the last one on, before name and line are cut.
    short = f"{file_name(frame.file)}:{frame.line}" if frame.line and place else ""
    needed = min(width_of(name), _NAME_CELLS) + (width_of(short) + 2 if short else 0) + 1
    figures = _fitting(figures, max(width - needed, width // 2))
    room = max(width - sum(width_of(text) for text, _ in figures) - 1, 16)
    left = room - min(width_of(name), max(room * 2 // 3, room - width_of(short) - 2)) - 2
    if width_of(place) > left and short:
        place = short
    place = shorten_middle(place, left) if left >= 6 else ""
    name = shorten_middle(name, room - width_of(place) - 2 if place else room)
    parts: list[Part] = [(" " + name, strong)]
    if place:
        parts.append(("  " + place, dim))
    return parts + figures


def _fitting(figures: list[Part], room: int) -> list[Part]:
    """Leave out what does not fit, from the end: a word and its figure go together."""
    while figures and sum(width_of(text) for text, _ in figures) > room:
        last = max(n for n, (text, _) in enumerate(figures) if text.startswith(_GAP))
        figures = figures[:last]
    return figures


_NUMBER_CELLS = 7
_GAP = "   "
"""Before the word of each figure."""
_NAME_CELLS = 24
"""A name keeps as many, whatever figures there are."""


class Detail(LinePane, can_focus=False):
    """The detail line and, as height allows, source lines."""

    DEFAULT_CSS = """
    Detail {
        height: 1;
        background: $panel;
    }
    """
    MARKED_SHARE: ClassVar[float] = 0.05
    """Lines with this share of their function get their figure."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._frame: FrameDetail | None = None
        self._hint = ""
        self._source = SourceLines()

    def line_count(self) -> int:
        """Return the lines shown: this widget does not scroll."""
        return self.size.height

    def has_source(self, frame: FrameDetail) -> bool:
        """Tell whether the source of a frame can be had."""
        return bool(frame.line and self._source.get(frame.file, frame.line, 1))

    def tell(self, frame: FrameDetail | None, hint: str = "") -> None:
        """Show a frame, or `hint` when there is none."""
        if frame != self._frame or hint != self._hint:
            self._frame = frame
            self._hint = hint
            self.redraw()

    def build(self) -> list[Strip]:
        """Return the lines."""
        width, text = self.size.width, self.tone("text")
        frame = self._frame
        if frame is None:
            return [line_of([(" " + self._hint, self.tone("dim"))], width, text)]
        lines = [line_of(headline(self, frame), width, text)]
        return lines + self._source_lines(frame, self.size.height - 1)

    def _source_lines(self, frame: FrameDetail, rows: int) -> list[Strip]:
        if rows < 2 or not frame.line:
            return []
        width = self.size.width
        before = min(2, rows - 2)
        found = self._source.get(frame.file, frame.line - before, rows)
        index = WEIGHT_INDEX[frame.weight]
        whole = frame.total[index]
        marks = {
            line: amount
            for line, amount in frame.lines[:4]
            if whole > 0 and amount[index] >= self.MARKED_SHARE * whole
        }
        lines: list[Strip] = []
        for number, code in found:
            amount = marks.get(number)
            mark = "" if amount is None else "  ◀ " + _mark_text(amount, frame.weight)
            made_of = (number, code, mark, number == frame.line, width)
            draw = partial(self._source_line, number, code, mark, width, chosen=made_of[3])
            lines.append(self._kept.line(len(lines), made_of, draw))
        return lines

    def _source_line(self, number: int, code: str, mark: str, width: int, *, chosen: bool) -> Strip:
        """Draw a line of code; it is hot if it has a mark."""
        text = self.tone("text")
        said = shorten_end(clean(code), width - _NUMBER_CELLS - width_of(mark))
        parts: list[Part] = [
            (f" {number:5d} ", self.tone("accent" if chosen else "dim")),
            (said, self.tone("strong") if mark else text),
            (mark, self.tone("warm")),
        ]
        return line_of(parts, width, text)


def _mark_text(amount: Amount, weight: WeightName) -> str:
    if weight in BYTES:
        return f"{amount_text(amount, weight)}, {amount_text(amount, 'wall')}"
    return amount_text(amount, weight)
