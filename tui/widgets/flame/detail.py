"""What is this frame? One line of figures, and the source around the line that costs most."""

from __future__ import annotations

import math
import stat
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from perftui.probes.profile.sums import BYTES, WEIGHT_INDEX
from perftui.probes.spine.calltree import installed_path, own_path
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean, shorten_middle
from perftui.tui.widgets.draw.strips import LinePane, Part, line_of

if TYPE_CHECKING:
    from textual.strip import Strip

    from perftui.probes.profile.sums import Amount, WeightName

MAX_SOURCE_BYTES = 1_000_000
_CACHE_FILES = 64


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


class SourceLines:
    """Lines of source files, read once per version of a file.

    Only regular files of moderate size are opened: a recording may name anything.
    """

    def __init__(self) -> None:
        self._files: dict[str, tuple[int, int, tuple[str, ...]]] = {}

    def get(self, file: str, first: int, count: int) -> list[tuple[int, str]]:
        """Return up to `count` (number, text) from line `first`; empty if they cannot be had."""
        lines = self._lines(file)
        first = max(first, 1)
        return [(n, lines[n - 1]) for n in range(first, min(first + count, len(lines) + 1))]

    def _lines(self, file: str) -> tuple[str, ...]:
        if not file or file.startswith("<"):
            return ()
        try:
            path = Path(file)
            info = path.stat()
            if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_SOURCE_BYTES:
                return ()
            known = self._files.get(file)
            if known and known[:2] == (info.st_mtime_ns, info.st_size):
                return known[2]
            raw = path.read_bytes()
        except (OSError, ValueError):
            return ()  # gone, not ours to read, or not a path at all: no source to show
        if b"\0" in raw[:4096]:
            return ()
        lines = tuple(raw.decode("utf-8", "replace").expandtabs(4).splitlines())
        if len(self._files) >= _CACHE_FILES:
            self._files.pop(next(iter(self._files)))
        self._files[file] = (info.st_mtime_ns, info.st_size, lines)
        return lines


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
    if frame.total.grown_bytes > 0 or frame.weight == "grown":
        figures += [
            ("   grown ", dim),
            (format_bytes(frame.total.grown_bytes), pane.tone("warm")),
        ]
        if frame.weight == "grown":
            figures += [(" ", dim), *share]
    if frame.weight in ("waiting", "touched"):
        figures += [
            (f"   {frame.weight} ", dim),
            (amount_text(frame.total, frame.weight), pane.tone("warm")),
            (" ", dim),
            *share,
        ]
    figures += [("   total ", dim), (format_seconds(frame.total.wall_ns / NS_PER_S), strong)]
    if frame.weight == "wall":
        figures += [(" ", dim), *share]
    figures += [("   self ", dim), (format_seconds(frame.self_.wall_ns / NS_PER_S), plain)]
    figures += [("   cpu ", dim), (format_seconds(frame.total.cpu_ns / NS_PER_S), plain)]
    if frame.weight == "cpu":
        figures += [(" ", dim), *share]
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
    room = max(width - sum(len(t) for t, _ in figures) - 3, 16)
    name = shorten_middle(name, max(room * 2 // 3, 12))
    left = room - len(name)
    parts: list[Part] = [(" " + name, strong)]
    if left >= 8:
        parts.append(("  " + shorten_middle(place, left), dim))
    return parts + figures


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
        width, text, dim = self.size.width, self.tone("text"), self.tone("dim")
        before = min(2, rows - 2)
        found = self._source.get(frame.file, frame.line - before, rows)
        index = WEIGHT_INDEX[frame.weight]
        whole = frame.total[index]
        marks = {
            line: amount
            for line, amount in frame.lines[:4]
            if whole > 0 and amount[index] >= self.MARKED_SHARE * whole
        }
        lines = []
        for number, code in found:
            hot = number in marks
            parts: list[Part] = [
                (f" {number:5d} ", self.tone("accent") if number == frame.line else dim),
                (clean(code), self.tone("strong") if hot else text),
            ]
            if hot:
                parts.append(("  ◀ " + _mark_text(marks[number], frame.weight), self.tone("warm")))
            lines.append(line_of(parts, width, text))
        return lines


def _mark_text(amount: Amount, weight: WeightName) -> str:
    if weight in BYTES:
        return f"{amount_text(amount, weight)}, {amount_text(amount, 'wall')}"
    return amount_text(amount, weight)
