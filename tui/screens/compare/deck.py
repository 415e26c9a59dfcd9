"""The panes of the compare screen, one to a tab: made when their tab is first opened."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from textual.containers import Container

from perftui.tui.screens.compare.keys import TABS
from perftui.tui.screens.tab_panes import TabPanes

if TYPE_CHECKING:
    from textual.widget import Widget

    from perftui.tui.picture.compare_view import CompareView
    from perftui.tui.screens.compare.choices import CompareChoices
    from perftui.tui.widgets.compare.tables import PhaseTable


@runtime_checkable
class ComparePane(Protocol):
    """A widget that shows one side of a comparison."""

    def show(self, view: CompareView) -> None:
        """Show an answer."""
        ...


@runtime_checkable
class RowOpener(Protocol):
    """A table whose chosen row can be opened."""

    def action_activate(self) -> None:
        """Open it."""
        ...


class CompareDeck(Container):
    """Holds the panes; only that of the open tab is seen.

    Args:
        choices: Hears of a phase that is chosen in a pane.
    """

    def __init__(self, choices: CompareChoices) -> None:
        super().__init__(id="panes")
        self._choices = choices
        self.panes = TabPanes(self, TABS[0].name, _make)

    def show(self, view: CompareView) -> None:
        """Show an answer in the open pane."""
        pane = self.panes.attached
        if pane is not None and isinstance(pane, ComparePane):
            pane.show(view)

    def open_row(self) -> None:
        """Open the chosen row of the open table."""
        pane = self.panes.open_one
        if pane is not None and isinstance(pane, RowOpener):
            pane.action_activate()

    def on_phase_table_chosen(self, message: PhaseTable.Chosen) -> None:
        """Restrict everything to a phase; on the chosen one, show all again."""
        self._choices.phase(message.phase)


def _make(tab: str) -> Widget:
    kind = next(each for each in TABS if each.name == tab)
    module = import_module(f"perftui.tui.widgets.{kind.module}")
    return cast("Widget", getattr(module, kind.class_name)())
