"""What the tables of a comparison have in common: when they fill, filter, and tones of change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text
from perftui.tui.widgets.tables.table import Table

if TYPE_CHECKING:
    from textual import events

    from perftui.probes.compare.figures import FigureChange
    from perftui.tui.picture.compare_view import CompareView

TONES = {"worse": "bad", "better": "good", "neutral": "text", "none": "dim"}
"""By direction of a change."""
_WAITING = ("comparing …",)


class CompareTable(Table):
    """A table over a picture of a comparison; filled again when its width changes."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: CompareView | None = None
        self._empty = _WAITING

    def show(self, view: CompareView) -> None:
        """Show another picture."""
        before = self.view
        self.view = view
        same = before is not None and before.comparison is view.comparison
        if not (same and before is not None and before.choice == view.choice):
            self.refill(view)

    def refill(self, view: CompareView) -> None:
        """Put the rows of a picture into the table."""
        raise NotImplementedError

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns for the new width."""
        if self.view is not None:
            self.refill(self.view)


def matches(view: CompareView, *words: str) -> bool:
    """Tell whether the filter lets a row with these words through."""
    wanted = view.choice.filter.lower()
    return not wanted or wanted in " ".join(words).lower()


def tone_of(figure: FigureChange | None) -> str:
    """Return the colour of a figure's change, a tone of `Row`."""
    return "dim" if figure is None else TONES[figure.direction]


def both_of(figure: FigureChange | None) -> str:
    """Return the figure of both sides as words."""
    if figure is None:
        return ""
    return f"{amount_text(figure.base, figure.unit)} → {amount_text(figure.new, figure.unit)}"
