"""The keys of the race, and how it is run, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll

from perftui.tui.screens.help import HelpScreen
from perftui.tui.screens.race_keys import KEYS
from perftui.tui.theme import paint_of
from perftui.tui.widgets.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from perftui.tui.theme import Paint

_ABOUT = (
    "The sides run one after the other, each in a process of",
    "its own: together they would share cores and caches. The",
    "data are made and read once before, so that neither waits",
    "for the disk. Each side is recorded in full.",
    "",
    "base: RSS when the work begins, imports done. Growth comes",
    "from small runs in fresh processes, after the race. Times",
    "are of single runs: less than 1.5x is not told apart.",
)


def help_lines(paint: Paint) -> list[list[Piece]]:
    """Return the page."""
    lines: list[list[Piece]] = []
    group = ""
    for key in KEYS:
        if key.group != group:
            group = key.group
            if lines:
                lines.append([("", None)])
            lines.append([(f" {group}", paint.bright)])
        lines.append([(f"  {key.shown:<10}", paint.link), (key.help, paint.text)])
    lines += [[("", None)], [(" How it is measured", paint.bright)]]
    lines += [[(f"  {line}", paint.text)] for line in _ABOUT]
    return lines


class _Page(Canvas):
    DEFAULT_CSS = """
    _Page { width: 100%; }
    """

    def on_mount(self) -> None:
        """Draw the page once."""
        lines = help_lines(paint_of(self.app))
        self.styles.height = len(lines)
        self.put([strip_of(line) for line in lines])


class RaceHelp(HelpScreen):
    """Shows the page; any of esc, ? and q closes it."""

    def compose(self) -> ComposeResult:
        """One scrolling page."""
        with VerticalScroll() as page:
            page.border_title = "perftui demo"
            page.border_subtitle = "esc close"
            yield _Page()
