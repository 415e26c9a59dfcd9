"""The screen explains itself: a number on each of its parts, and below what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual import events
from textual.screen import ModalScreen
from textual.widgets import Static

from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import shorten_end, wrapped
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.geometry import Region, Size
    from textual.widget import Widget

    from perftui.tui.terminal.theme import Paint

_NOT_PASSED_ON = ("escape", "enter")


class Explained(NamedTuple):
    """A part of a screen, and what it means."""

    part: Widget
    text: str


def explaining_lines(
    texts: Sequence[str], width: int, height: int, paint: Paint
) -> list[list[Piece]]:
    """Return the numbered texts in `height` lines of `width` cells: wrapped while there is room.

    The last line says how to go on.
    """
    room = max(width - 5, 8)
    rows = [wrapped(text, room) for text in texts]
    while sum(map(len, rows)) > height - 1 and any(len(row) > 1 for row in rows):
        longest = max(range(len(rows)), key=lambda n: len(rows[n]))
        cut = rows[longest][: len(rows[longest]) - 1]
        rest = shorten_end(" ".join(rows[longest][len(cut) - 1 :]), room)
        rows[longest] = [*cut[:-1], rest]
    lines: list[list[Piece]] = []
    for number, row in enumerate(rows, 1):
        for at, text in enumerate(row):
            head: list[Piece] = [(" ", None), (f" {number} ", paint.tab)]
            lines.append([*(head if not at else [("    ", None)]), (f" {text}", paint.text)])
    lines = lines[: max(height - 1, 0)]
    said = shorten_end("any key goes on · ? and ? again brings this back", max(width - 2, 4))
    return [*lines, [(" ", None), (said, paint.link)]]


class _Panel(Canvas):
    DEFAULT_CSS = """
    _Panel { position: absolute; background: $panel; }
    """

    def fill(self, texts: Sequence[str], region: Region) -> None:
        lines = explaining_lines(texts, region.width, region.height, paint_of(self.app))
        self.styles.offset = (region.x, region.y)
        self.styles.width, self.styles.height = region.width, region.height
        blank = strip_of([("", None)])
        strips = [strip_of(line).adjust_cell_length(region.width) for line in lines]
        fill = [blank.adjust_cell_length(region.width)] * (region.height - len(strips))
        self.put([*strips, *fill])


class _Badge(Static):
    DEFAULT_CSS = """
    _Badge {
        position: absolute; width: 3; height: 1;
        background: $link; color: $on-link; text-style: bold;
    }
    """


class ExplainedScreen(ModalScreen[None]):
    """Lies over another screen until a key is pressed, which then does what it does there.

    Args:
        parts: What is explained, in the order of the numbers; parts that are not seen are left out.
        panel: Over which the explanations stand.
    """

    CSS = """
    ExplainedScreen { background: $background 0%; }
    """

    STANDS_STILL = True
    """See `dialogs.standing`."""

    def __init__(self, parts: Sequence[Explained], panel: Widget) -> None:
        super().__init__()
        self._parts = [each for each in parts if each.part.display and each.part.region.area]
        self._over = panel
        self._made_for: Size | None = None
        self._panel = _Panel()
        self._badges = [_Badge(f" {number} ") for number in range(1, len(self._parts) + 1)]

    def compose(self) -> ComposeResult:
        """Yield the panel and the numbers."""
        yield self._panel
        yield from self._badges

    def on_mount(self) -> None:
        """Put everything in its place."""
        self._made_for = self.app.size
        self._panel.fill([each.text for each in self._parts], self._over.region)
        for badge, each in zip(self._badges, self._parts, strict=True):
            badge.styles.offset = (each.part.region.x, each.part.region.y)

    def on_resize(self, event: events.Resize) -> None:
        """Give way: the places are other ones now."""
        if self.app.size != self._made_for:
            self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        """Close; the key goes on to the screen below."""
        event.stop()
        event.prevent_default()
        self.dismiss(None)
        if event.key not in _NOT_PASSED_ON:
            self.app.post_message(events.Key(event.key, event.character))

    def on_click(self, event: events.Click) -> None:
        """Close."""
        event.stop()
        self.dismiss(None)
