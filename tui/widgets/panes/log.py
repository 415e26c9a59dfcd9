"""The Log tab: what the target wrote, as it writes it, and what perftui had to say meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from perftui.probes.spine.records import Notice
from perftui.probes.text.units import format_clock
from perftui.tui.text.fit import clean, width_of, wrapped
from perftui.tui.text.log_level import level_of, tone_of
from perftui.tui.widgets.draw.strips import READING, LinePane, Part, line_of, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual import events
    from textual.strip import Strip

    from perftui.probes.spine.records import LogLine, Severity
    from perftui.tui.picture.view import View

_STEP = 12
"""Cells that one horizontal step moves."""
_HEAD_CELLS = 12
"""Cells of time and mark."""
_TONES: dict[Severity, str] = {"info": "accent", "warn": "warm", "critical": "bad"}


class LogPane(LinePane):
    """Lines with their time; what stderr complains of is marked with `!`, what perftui says itself
    (a right that is missing, a stall, what to do about it) with `▲`.

    Follows the end until scrolled up. Lines wrap until one scrolls sideways: then they are cut.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_by(-1)", "up", show=False),
        Binding("down", "scroll_by(1)", "down", show=False),
        Binding("pageup", "page_by(-1)", "page up", show=False),
        Binding("pagedown", "page_by(1)", "page down", show=False),
        Binding("ctrl+home", "scroll_by(-1000000000)", "first", show=False),
        Binding("ctrl+end,G", "follow", "follow the end", show=False),
        Binding("left,ctrl+left", "sideways(-1)", "left", show=False),
        Binding("right,ctrl+right", "sideways(1)", "right", show=False),
    ]

    HINTS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("↑↓", "lines", "focused.scroll_by(1)"),
        ("G", "follow", "focused.follow"),
    )
    """Key, what it does, and its action: named below while the keys are here."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.following = True
        """Whether new lines scroll the pane."""
        self.column = 0
        """Cells that are cut off at the left."""
        self._view: View | None = None
        self._shown: Sequence[LogLine | Notice] = ()

    def show(self, view: View) -> None:
        """Show another picture; the lines that were seen stay where they are."""
        anchor = self._shown[self.top] if not self.following and self._shown else None
        self._view = view
        lines = _lines_of(view)
        wanted = view.selection.filter.lower()
        if wanted:
            lines = [line for line in lines if wanted in line.text.lower()]
        self._shown = lines
        if anchor is not None:
            self.top = _index_of(lines, anchor)
        self.redraw()

    def line_count(self) -> int:
        """Return the lines that pass the filter."""
        return len(self._shown)

    def page(self) -> int:
        """Return the lines of the log that are seen below the head line."""
        return max(len(self._fitting(self.top)), 1)

    def build(self) -> list[Strip]:
        """Return head and lines."""
        view, width = self._view, self.size.width
        text, dim = self.tone("text"), self.tone("dim")
        if view is None:
            return self.words(READING)
        if not self._shown:
            return self.words(*_why_empty(view))
        last = self._last_top()
        self.top = last if self.following else min(self.top, last)
        errors = sum(
            1 for line in self._shown if not isinstance(line, Notice) and line.stream == "stderr"
        )
        loud = sum(1 for line in self._shown if _complains(line))
        said = sum(1 for line in self._shown if isinstance(line, Notice))
        count = len(self._shown) - said
        left: list[Part] = [
            (f" {count:,} {'line' if count == 1 else 'lines'}", self.tone("strong"))
        ]
        marked = f", {loud:,} of them marked !" if loud < errors else " (!)"
        left.append((f"  {errors:,} on stderr{marked}" if errors else "  none on stderr", dim))
        if said:
            left.append((f"  {said:,} of perftui ▲", dim))
        if self.column:
            left.append((f"  from column {self.column + 1}", dim))
        state = "following" if self.following else "G follows the end"
        right = [(state + " ", self.tone("accent") if self.following else dim)]
        lines = [spread(left, right, width, text)]
        for line in self._fitting(self.top):
            lines += self._line(view, line, width)
        return lines

    def _rows(self, line: LogLine | Notice) -> list[str]:
        """Return the rows of a line: one where it is cut."""
        words = clean(line.text)
        if self.column:
            return [words[self.column :]]
        # No line takes more than a page: the next ones are to be seen too.
        return wrapped(words, self._room())[: max(self.size.height - 1, 1)]

    def _room(self) -> int:
        return max(self.size.width - _HEAD_CELLS, 8)

    def _fitting(self, top: int) -> Sequence[LogLine | Notice]:
        """Return the lines that are seen from line `top` on."""
        rows = max(self.size.height - 1, 1)
        end = top
        while end < len(self._shown) and rows > 0:
            rows -= len(self._rows(self._shown[end]))
            end += 1
        return self._shown[top:end]

    def _last_top(self) -> int:
        """Return the first line that is seen when the end is: all of the last is in sight."""
        rows = max(self.size.height - 1, 1)
        top = len(self._shown)
        while top > 0:
            rows -= len(self._rows(self._shown[top - 1]))
            if rows < 0:
                break
            top -= 1
        return min(top, max(len(self._shown) - 1, 0))

    def _line(self, view: View, line: LogLine | Notice, width: int) -> list[Strip]:
        ink = self._ink(line)
        mark: Part = ("│ ", self.tone("faint"))
        if isinstance(line, Notice):
            mark = ("▲ ", ink)
        elif _complains(line):
            mark = ("! ", self.tone("bad"))
        head = f" {format_clock(view.seconds(line.t_ns))} "
        strips = []
        for number, words in enumerate(self._rows(line)):
            parts: list[Part] = [
                (head if not number else " " * len(head), self.tone("dim")),
                mark if not number else ("  ", self.tone("faint")),
                (words, ink),
            ]
            strips.append(line_of(parts, width, self.tone("text")))
        return strips

    def _ink(self, line: LogLine | Notice) -> Style:
        if isinstance(line, Notice):
            return self.tone(_TONES[line.severity])
        tone = tone_of(clean(line.text[:200]))
        if tone in ("bad", "warn"):
            return self.tone("bad" if tone == "bad" else "warm")
        return self.tone("strong" if _complains(line) else "text")

    # -- keys and mouse --------------------------------------------------------------------

    def move_top(self, top: int) -> None:
        """Scroll; being at the end means following it."""
        last = self._last_top()
        self.top = max(0, min(top, last))
        self.following = self.top == last
        self.redraw()

    def action_scroll_by(self, lines: int) -> None:
        """Scroll by lines."""
        self.move_top(self.top + lines)

    def action_page_by(self, pages: int) -> None:
        """Scroll by pages."""
        self.move_top(self.top + pages * self.page())

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.move_top(self.line_count())

    def action_sideways(self, steps: int) -> None:
        """Scroll sideways: long lines are cut then, not wrapped."""
        longest = max((width_of(clean(line.text)) for line in self._seen()), default=0)
        room = max(self.size.width - 12, 1)
        self.column = max(0, min(self.column + steps * _STEP, max(longest - room, 0)))
        self.redraw()

    def _seen(self) -> Sequence[LogLine | Notice]:
        return self._fitting(self.top)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Scroll sideways."""
        event.stop()
        self.action_sideways(1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Scroll sideways."""
        event.stop()
        self.action_sideways(-1)


def _lines_of(view: View) -> Sequence[LogLine | Notice]:
    """Return what the target wrote in the range, and what perftui said in it, by time."""
    start, (first, last) = view.status.t_start_ns, view.range
    said = [
        notice._replace(t_ns=max(notice.t_ns, start))  # what was said before its first moment
        for notice in view.status.notices
        if first <= max(notice.t_ns, start) <= last
    ]
    if not said:
        return view.log_lines
    return sorted([*view.log_lines, *said], key=lambda line: line.t_ns)


def _complains(line: LogLine | Notice) -> bool:
    """Tell whether a line of stderr is one to look at: many loggers write all levels there."""
    if isinstance(line, Notice) or line.stream != "stderr":
        return False
    return level_of(clean(line.text[:200])) != "calm"


def _index_of(lines: Sequence[LogLine | Notice], anchor: LogLine | Notice) -> int:
    """Return where a line is now; lines before it may have been dropped or filtered."""
    for index, line in enumerate(lines):
        if line is anchor or line == anchor or line.t_ns > anchor.t_ns:
            return index
    return max(len(lines) - 1, 0)


def _why_empty(view: View) -> tuple[str, ...]:
    if view.log_lines:
        return (f'no line holds "{clean(view.selection.filter)}"', "esc clears the filter")
    if not view.target.launched:
        return ("no output: it goes where the process was started (attached)",)
    if view.narrowed:
        return ("the program wrote nothing in this range", "esc clears the range")
    return ("the program has written nothing yet",)
