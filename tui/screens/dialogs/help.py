"""All keys on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import width_of, wrapped
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.bars.key import Key

_KEY_CELLS = 14
"""Of a row, before what the key does."""
More = tuple[str, Sequence[tuple[str, str]]]
"""A title and (key, what it does) rows that are no bindings; a glyph may name its colour behind a
bar: "■|memory"."""


def help_lines(
    paint: Paint, keys: Sequence[Key], more: Sequence[More], width: int
) -> list[list[Piece]]:
    """Return the page: groups of keys in their order, and what is not a key; nothing is cut."""
    room = max(width - _KEY_CELLS - 1, 8)
    lines: list[list[Piece]] = []
    groups: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        groups.setdefault(key.group, []).append((key.shown, key.help))
    for group, rows in (*groups.items(), *more):
        if lines:
            lines.append([("", None)])
        lines.append([(f" {group}", paint.bright)])
        for shown, said in rows:
            glyph, _, colour = shown.partition("|")
            tone = paint.named(colour) if colour else paint.link
            for row, text in enumerate(wrapped(said, room)):
                head = "" if row else f"  {glyph}"
                gap = " " * max(_KEY_CELLS - width_of(head), 1)
                lines.append([(head + gap, tone), (text, paint.text)])
    return lines


class _Page(Canvas):
    DEFAULT_CSS = """
    _Page { width: 100%; }
    """

    def __init__(self, keys: Sequence[Key], more: Sequence[More]) -> None:
        super().__init__()
        self._keys, self._more = keys, more

    def on_resize(self, event: Resize) -> None:
        """Draw the page in the width that there is."""
        super().on_resize(event)
        lines = help_lines(paint_of(self.app), self._keys, self._more, event.size.width)
        self.styles.height = len(lines)
        self.put([strip_of(line) for line in lines])


class HelpScreen(ModalScreen[bool]):
    """Shows the keys; any of esc, ? and q closes it.

    Args:
        keys: Of the screen.
        more: What is no key.
        explains: The screen below can explain itself: ? asks for that, and the result is True.
    """

    CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen VerticalScroll {
        width: 76; max-width: 100%; height: auto; max-height: 100%; background: $panel;
        border: round $faint; border-title-color: $foreground; padding: 0 1;
        scrollbar-size-vertical: 1; scrollbar-color: $faint; scrollbar-background: $panel;
        border-subtitle-color: $dim;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "close", show=False),
        Binding("question_mark,f1", "explain", "explain", show=False),
    ]

    def __init__(
        self, keys: Sequence[Key], more: Sequence[More], *, explains: bool = False
    ) -> None:
        super().__init__()
        self._keys, self._more = keys, more
        self._explains = explains

    def compose(self) -> ComposeResult:
        """One scrolling page."""
        with VerticalScroll() as page:
            page.border_title = "perftui"
            more = "? the screen explained · " if self._explains else ""
            page.border_subtitle = f"{more}esc close"
            yield _Page(self._keys, self._more)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(False)

    def action_explain(self) -> None:
        """Go back, and have the screen explained if it can."""
        self.dismiss(self._explains)
