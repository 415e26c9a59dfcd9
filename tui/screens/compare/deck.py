"""The panes of the compare screen, one to a tab: made when their tab is first opened."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from textual.containers import Container
from textual.widget import Widget

from perftui.tui.screens.compare.keys import TABS

if TYPE_CHECKING:
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
        self.tab = TABS[0].name
        """Name of the open tab."""
        self._made: dict[str, Widget] = {}

    @property
    def pane(self) -> Widget | None:
        """The open pane, None before it was made."""
        return self._made.get(self.tab)

    def beside(self, step: int) -> str:
        """Return the name of the tab that lies `step` further on."""
        names = [tab.name for tab in TABS]
        return names[(names.index(self.tab) + step) % len(names)]

    def open(self, tab: str) -> Widget:
        """Open a tab; returns its pane, which gets its size a moment later."""
        self.tab = tab
        pane = self._made.get(tab)
        if pane is None:
            kind = next(each for each in TABS if each.name == tab)
            module = import_module(f"perftui.tui.widgets.{kind.module}")
            pane = self._made[tab] = cast("Widget", getattr(module, kind.class_name)())
            self.mount(pane)
        for name, each in self._made.items():
            each.display = name == tab
        return pane

    def show(self, view: CompareView) -> None:
        """Show an answer in the open pane."""
        pane = self.pane
        if pane is None or not pane.is_attached:
            return
        if isinstance(pane, ComparePane):
            pane.show(view)

    def open_row(self) -> None:
        """Open the chosen row of the open table."""
        pane = self.pane
        if pane is not None and isinstance(pane, RowOpener):
            pane.action_activate()

    def first_focusable(self) -> Widget | None:
        """Return what of the open pane takes the keys."""
        pane = self.pane
        if pane is None:
            return None
        parts = [part for part in (pane, *pane.walk_children()) if isinstance(part, Widget)]
        return next((part for part in parts if part.can_focus), None)

    def on_phase_table_chosen(self, message: PhaseTable.Chosen) -> None:
        """Restrict everything to a phase; on the chosen one, show all again."""
        self._choices.phase(message.phase)
