"""A table that formats only the rows it shows: 40 rows cost the same out of 50 or 50,000.

Rows come by index from a function. What is chosen is remembered by the row's key, not its
number, so that it stays chosen while a live table is sorted anew several times a second. On
small widths columns leave in the order of their rank.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message

from perftui.tui.text.fit import clean, fit, fit_figure, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.draw.strips import READING, LinePane, Part, line_of, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from rich.style import Style
    from textual import events
    from textual.strip import Strip

_FIGURE = re.compile(r"[+−-]?[\d.]+ (?:ns|µs|ms|s|min|h|B|[kMGTP]B|%)(?: \d+ (?:s|min))?")
"""A figure with its unit: never cut through the middle."""
MIN_FLEXIBLE = 32
"""The column that takes what is left gets at least this before other columns leave."""


class Column(NamedTuple):
    """One column."""

    title: str
    width: int = 0
    """Cells; 0 takes what is left (one such column per section)."""
    right: bool = False
    rank: int = 0
    """On small widths the highest rank leaves first; 0 stays always."""
    tone: str = "text"
    words: bool = False
    """Too long a text loses its end, as sentences may, and not its middle, as names do."""


class Row(NamedTuple):
    """One row: a cell per column."""

    cells: tuple[str, ...]
    tones: tuple[str, ...] = ()
    """Tone per column; "" or missing takes the column's."""
    indent: int = 0
    """Cells before the first cell's text."""
    bar: float = 0.0
    """Share of the flexible column that is tinted, as a bar behind the text."""
    bar_tone: str = "bar"
    mark: str = ""
    """Follows the first cell's text, e.g. "◀ now"."""
    open: bool | None = None
    """A tree row that can be closed (True) or opened (False)."""
    wide: bool = False
    """The first cell has the whole width: words about the row above."""


class Section(NamedTuple):
    """Rows below one header."""

    columns: tuple[Column, ...]
    keys: Sequence[Hashable]
    """Identity of every row, unique in the whole table."""
    row: Callable[[int], Row]
    sorted_by: int = -1
    """Column whose title gets the ▼."""


class _Line(NamedTuple):
    section: int
    row: int
    """Row of the section, -1 its header, -2 a blank line."""


class Table(LinePane):
    """Sections of rows with a cursor. `fill` gives it data, `Activated` tells of enter or click."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("pageup", "move_page(-1)", "page up", show=False),
        Binding("pagedown", "move_page(1)", "page down", show=False),
        Binding("ctrl+home", "move(-1000000000)", "first", show=False),
        Binding("ctrl+end", "move(1000000000)", "last", show=False),
        Binding("enter", "activate", "open", show=False),
    ]

    HINTS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("↑↓", "rows", "focused.move(1)"),
        ("enter", "open", "focused.activate"),
    )
    """Key, what it does, and its action: named below while the keys are here."""

    opens: ClassVar[bool] = True
    """Whether enter on a row does something."""

    class Activated(Message):
        """A row was clicked twice or enter was pressed on it."""

        def __init__(self, table: Table, key: Hashable) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class Moved(Message):
        """The cursor went to another row."""

        def __init__(self, table: Table, key: Hashable) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class TitleClicked(Message):
        """The title of a column was clicked."""

        def __init__(self, table: Table, section: int, column: int) -> None:
            super().__init__()
            self.table = table
            self.section = section
            self.column = column

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor: Hashable | None = None
        """Key of the chosen row."""
        self._sections: tuple[Section, ...] = ()
        self._head: tuple[str, str] = ("", "")
        self._empty: tuple[str, ...] = (READING,)
        self._plan: list[_Line] = []
        self._where: dict[Hashable, int] = {}
        """Key -> line of the plan."""

    def fill(
        self,
        sections: Sequence[Section],
        *,
        head: tuple[str, str] = ("", ""),
        empty: Sequence[str] = (),
    ) -> None:
        """Show other data.

        Args:
            sections: What there is; sections without rows are left out.
            head: A line above it all: the important word, and the rest.
            empty: What to say if there is no row at all.
        """
        y = self._cursor_line()
        was_seen = y is not None and self.top <= y < self.top + self.page()
        self._sections = tuple(section for section in sections if section.keys)
        self._head = head
        self._empty = tuple(empty)
        self._plan = []
        self._where = {}
        pinned = len(self._sections) == 1
        for number, section in enumerate(self._sections):
            if not pinned:
                if number:
                    self._plan.append(_Line(number, -2))
                self._plan.append(_Line(number, -1))
            for index, key in enumerate(section.keys):
                self._where[key] = len(self._plan)
                self._plan.append(_Line(number, index))
        if self.cursor is not None and self.cursor not in self._where:
            self.cursor = None
        if was_seen:
            self._show_cursor()
        self.top = max(0, min(self.top, self.line_count() - self.page()))
        self.redraw()

    # -- drawing ---------------------------------------------------------------------------

    def line_count(self) -> int:
        """Return rows, and headers if there is more than one section."""
        return len(self._plan)

    def page(self) -> int:
        """Return the lines between the fixed top lines and the end."""
        return max(self.size.height - self._fixed(), 1)

    def _fixed(self) -> int:
        return (1 if self._head[0] else 0) + (1 if len(self._sections) == 1 else 0)

    def build(self) -> list[Strip]:
        """Return head, header, and the rows that are seen."""
        width, height = self.size
        self.top = max(0, min(self.top, self.line_count() - self.page()))
        lines: list[Strip] = []
        blank = self.tone("text")
        if self._head[0]:
            strong, dim = self.tone("strong"), self.tone("dim")
            hidden = self.line_count() - self.page()
            seen = f"{self.top + 1}–{self.top + self.page()} of {self.line_count()} "
            right: list[Part] = [(seen, dim)] if hidden > 0 else []
            left: list[Part] = [(" " + self._head[0], strong), ("  " + self._head[1], dim)]
            lines.append(spread(left, right, width, blank))
        if not self._plan:
            return [*lines, *self.words(*self._empty)]
        layouts = [_widths(section.columns, width - 2) for section in self._sections]
        if len(self._sections) == 1:
            lines.append(self._header(0, layouts[0]))
        for line in self._plan[self.top : self.top + height - len(lines)]:
            if line.row == -2:
                lines.append(line_of((), width, blank))
            elif line.row == -1:
                lines.append(self._header(line.section, layouts[line.section]))
            else:
                lines.append(self._row_line(len(lines), line, layouts[line.section]))
        return lines

    def _row_line(self, y: int, line: _Line, widths: Sequence[int]) -> Strip:
        """Return a row, drawn again if it says something else than what stood there."""
        section = self._sections[line.section]
        row = section.row(line.row)
        chosen = self.cursor is not None and section.keys[line.row] == self.cursor
        made_of = (row, chosen, section.columns, widths)
        draw = partial(self._row, row, section.columns, widths, chosen=chosen)
        return self._kept.line(y, made_of, draw)

    def _header(self, number: int, widths: Sequence[int]) -> Strip:
        section = self._sections[number]
        dim = self.tone("dim")
        parts: list[Part] = [(" ", dim)]
        gaps = _gaps(section.columns, widths)
        for index, (column, cells) in enumerate(zip(section.columns, widths, strict=True)):
            if cells:
                title = column.title + ("▼" if index == section.sorted_by else "")
                tone = self.tone("accent") if index == section.sorted_by else dim
                parts.append((fit(title, cells, right=column.right), tone))
                parts.append((" " * gaps[index], dim))
        return line_of(parts, self.size.width, dim)

    def _row(
        self, row: Row, columns: Sequence[Column], widths: Sequence[int], *, chosen: bool
    ) -> Strip:
        ground = "row" if chosen else ""
        plain = self.tone("text", ground)
        parts: list[Part] = [("▌" if chosen else " ", self.tone("accent", ground))]
        if row.wide:
            room = self.size.width - 1 - row.indent
            words = shorten_end(clean(row.cells[0]), room)
            paint = self.tone((row.tones or ("dim",))[0], ground)
            parts += [(" " * row.indent, plain), (words, paint)]
            return line_of(parts, self.size.width, plain)
        gaps = _gaps(columns, widths)
        for index, (column, cells) in enumerate(zip(columns, widths, strict=True)):
            if not cells:
                continue
            tone = (row.tones[index] if index < len(row.tones) else "") or column.tone
            style = self.tone(tone, ground)
            text = clean(row.cells[index])
            if column.words:
                text = shorten_end(text, cells)
            elif _FIGURE.fullmatch(text):
                text = fit_figure(text, cells)
            if index == 0:
                text = self._first_cell(row, text, cells)
            if column.width == 0 and row.bar > 0:
                self._barred(parts, fit(text, cells), row, tone, style)
            else:
                parts.append((fit(text, cells, right=column.right), style))
            parts.append((" " * gaps[index], plain))
        return line_of(parts, self.size.width, plain)

    @staticmethod
    def _first_cell(row: Row, text: str, cells: int) -> str:
        sign = "" if row.open is None else "▾ " if row.open else "▸ "
        mark = f"  {row.mark}" if row.mark else ""
        indent = min(row.indent, cells // 2)
        room = cells - indent - width_of(sign) - width_of(mark)
        return " " * indent + sign + shorten_middle(text, max(room, 4)) + mark

    def _barred(self, parts: list[Part], text: str, row: Row, tone: str, style: Style) -> None:
        """Append text with a bar behind it that starts at the row's indent."""
        indent = min(row.indent, len(text) // 2) if row.cells else 0
        cells = max(round((len(text) - indent) * min(row.bar, 1.0)), 1)
        split = _char_at(text, indent), _char_at(text, indent + cells)
        parts.append((text[: split[0]], style))
        parts.append((text[split[0] : split[1]], self.tone(tone, row.bar_tone)))
        parts.append((text[split[1] :], style))

    # -- the cursor ------------------------------------------------------------------------

    def _cursor_line(self) -> int | None:
        return self._where.get(self.cursor) if self.cursor is not None else None

    def _show_cursor(self) -> None:
        y = self._cursor_line()
        if y is not None:
            page = self.page()
            self.top = max(min(self.top, y), y - page + 1)

    def choose(self, key: Hashable) -> None:
        """Put the cursor on a row, if it is there."""
        if key in self._where:
            if key != self.cursor:
                self.post_message(self.Moved(self, key))
            self.cursor = key
            self._show_cursor()
            self.redraw()

    def _choose_line(self, y: int, step: int) -> None:
        """Put the cursor on line `y` or the nearest row from there in the direction of `step`."""
        y = max(0, min(y, len(self._plan) - 1))
        for candidates in (range(y, len(self._plan) if step > 0 else -1, step), range(y, -1, -1)):
            for each in candidates:
                line = self._plan[each]
                if line.row >= 0:
                    self.choose(self._sections[line.section].keys[line.row])
                    return

    def action_move(self, step: int) -> None:
        """Move the cursor by rows."""
        if self._plan:
            here = self._cursor_line()
            start = self.top if here is None else here + step
            self._choose_line(start, 1 if step > 0 else -1)

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        here = self._cursor_line()
        if self._plan:
            start = (self.top if here is None else here) + pages * self.page()
            self._choose_line(start, 1 if pages > 0 else -1)

    def action_activate(self) -> None:
        """Open the chosen row."""
        if self._cursor_line() is not None and self.cursor is not None:
            self.activate(self.cursor)

    def activate(self, key: Hashable) -> None:
        """Tell that a row was opened; trees override this to fold and unfold."""
        self.post_message(self.Activated(self, key))

    def jump_spots(self) -> list[tuple[int, int]]:
        """Return the rows that are seen."""
        seen = self._plan[self.top : self.top + self.page()]
        return [(0, self._fixed() + y) for y, line in enumerate(seen) if line.row >= 0]

    def on_click(self, event: events.Click) -> None:
        """Choose a row; on the chosen row, open it; on a title, tell which."""
        y = event.y - self._fixed()
        if y == -1 and len(self._sections) == 1:
            self._click_title(0, event.x)
            return
        if not 0 <= y + self.top < len(self._plan) or y < 0:
            return
        line = self._plan[y + self.top]
        if line.row == -1:
            self._click_title(line.section, event.x)
        elif line.row >= 0:
            key = self._sections[line.section].keys[line.row]
            if key == self.cursor:
                self.activate(key)
            else:
                self.choose(key)

    def _click_title(self, number: int, x: int) -> None:
        section = self._sections[number]
        at = 1
        widths = _widths(section.columns, self.size.width - 2)
        gaps = _gaps(section.columns, widths)
        for index, cells in enumerate(widths):
            if cells:
                if at <= x <= at + cells:
                    self.post_message(self.TitleClicked(self, number, index))
                    return
                at += cells + gaps[index]


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the cells of every column, 0 for those that leave on this width."""
    shown = set(range(len(columns)))

    def fixed() -> int:
        gaps = _gaps(columns, [int(i in shown) for i in range(len(columns))])
        return sum(columns[i].width for i in shown) + sum(gaps)

    def taken() -> int:
        flexible = any(columns[i].width == 0 for i in shown)
        return fixed() + (MIN_FLEXIBLE if flexible else 0)

    while taken() > width:
        ranked = [i for i in shown if columns[i].rank > 0]
        if not ranked:
            break
        shown.remove(max(ranked, key=lambda i: (columns[i].rank, i)))
    left = width - fixed()
    return [
        0 if i not in shown else (column.width or max(left, 4)) for i, column in enumerate(columns)
    ]


def _gaps(columns: Sequence[Column], widths: Sequence[int]) -> list[int]:
    """Return the blanks behind every column: two where a figure would meet a word."""
    shown = [i for i, cells in enumerate(widths) if cells]
    gaps = [0] * len(columns)
    for place, i in enumerate(shown):
        after = columns[shown[place + 1]] if place + 1 < len(shown) else None
        gaps[i] = 2 if columns[i].right and after is not None and not after.right else 1
    return gaps


def _char_at(text: str, cells: int) -> int:
    """Return the index of the character at a cell."""
    if text.isascii():
        return cells
    at = 0
    for index, char in enumerate(text):
        if at >= cells:
            return index
        at += width_of(char)
    return len(text)
