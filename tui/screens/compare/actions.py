"""What keys, mouse and commands do on the compare screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen

from perftui.tui.picture.compare_view import ALIGNMENTS, WEIGHTS, CompareChoice, CompareView
from perftui.tui.screens.compare.keys import COMPARE_KEYS, MORE, TABS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.widget import Widget

    from perftui.probes.compare.facts import PhaseKey
    from perftui.tui.widgets.bars.filter_bar import FilterBar
    from perftui.tui.widgets.bars.footer import KeyFooter
    from perftui.tui.widgets.bars.tab_bar import TabBar
    from perftui.tui.widgets.tables.compare_functions import FunctionTable
    from perftui.tui.widgets.tables.compare_tables import PhaseTable


class CompareActions(Screen[None]):
    """The half of the screen that answers the person; `CompareScreen` is the half that draws."""

    choice: CompareChoice
    view: CompareView | None
    tab: str
    _on_top: bool
    _phases: list[PhaseKey]
    _panes: dict[str, Widget]
    _filter_bar: FilterBar | None

    def choose(self, choice: CompareChoice) -> None:
        """Take over a new choice and ask for what it needs."""
        raise NotImplementedError

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Answer a key, for a while."""
        raise NotImplementedError

    # -- tabs ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave tab to the filter while it is typed."""
        typing = self._filter_bar is not None and self._filter_bar.has_focus_within
        return not (typing and action == "next_tab")

    def action_tab(self, name: str) -> None:
        """Open a tab by name."""
        self.open_tab(name)

    def action_next_tab(self, step: int) -> None:
        """Open the tab beside."""
        names = [tab.name for tab in TABS]
        self.open_tab(names[(names.index(self.tab) + step) % len(names)])

    def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        """Open the tab that was clicked."""
        self.open_tab(message.tab)

    async def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """Do what the clicked hint says."""
        await self.run_action(message.action)

    # -- choosing --------------------------------------------------------------------------

    def action_open_row(self) -> None:
        """Open the chosen row of the open table."""
        open_row = getattr(self._panes.get(self.tab), "action_activate", None)
        if callable(open_row):
            open_row()

    def on_phase_table_chosen(self, message: PhaseTable.Chosen) -> None:
        """Restrict everything to a phase; on the chosen one, show all again."""
        self.only(None if message.phase == self.choice.phase else message.phase)

    def only(self, phase: PhaseKey | None) -> None:
        """Restrict everything to a phase, or to nothing."""
        if phase is not None and phase not in self._phases:
            self.say(f"{phase} is not on both sides: nothing to compare it with")
            return
        self.choose(self.choice.with_(phase=phase))

    def action_phase(self, step: int) -> None:
        """Go to the phase beside; after the last, all of it."""
        if not self._phases:
            self.say("no phase is on both sides: `with perftui.phase(name):` names them")
            return
        ring = [None, *self._phases]
        at = ring.index(self.choice.phase) if self.choice.phase in ring else 0
        self.only(ring[(at + step) % len(ring)])

    def action_align(self) -> None:
        """Change how the time axes lie over each other."""
        if self.choice.phase is None:
            self.say("both begin at the start; choose a phase ({ }) to align them at its start")
            return
        at = ALIGNMENTS.index(self.choice.alignment)
        self.choose(self.choice.with_(alignment=ALIGNMENTS[(at + 1) % len(ALIGNMENTS)]))

    def action_weight(self) -> None:
        """Change what widths and shares mean."""
        at = WEIGHTS.index(self.choice.weight)
        self.choose(self.choice.with_(weight=WEIGHTS[(at + 1) % len(WEIGHTS)]))

    def action_thread(self, step: int) -> None:
        """Change the thread that flame and functions are about."""
        if self.view is None:
            return
        ring = ["", *self.view.threads]
        at = ring.index(self.choice.thread) if self.choice.thread in ring else 0
        self.choose(self.choice.with_(thread=ring[(at + step) % len(ring)]))

    def on_function_table_chosen(self, message: FunctionTable.Chosen) -> None:
        """Show in the flame where a function is called."""
        self.choose(self.choice.with_(filter=message.function))
        self.open_tab("Flame")
        self.say(f"{message.function} in the flame; / changes the filter, esc forgets it")

    async def action_filter(self) -> None:
        """Type a filter."""
        if self._filter_bar is None:
            from perftui.tui.widgets.bars.filter_bar import FilterBar

            self._filter_bar = FilterBar(id="filter")
            await self.mount(self._filter_bar, before="#panes")
        self._filter_bar.open(self.choice.filter)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Apply the filter while it is typed."""
        self.choose(self.choice.with_(filter=message.text))

    def action_reset(self) -> None:
        """Forget all choices."""
        self.choose(CompareChoice())

    # -- leaving ---------------------------------------------------------------------------

    def action_back(self) -> None:
        """Clear the filter, then the phase; with nothing left to clear go back."""
        if self.choice.filter:
            self.choose(self.choice.with_(filter=""))
        elif self.choice.phase is not None:
            self.only(None)
        elif self._on_top:
            self.dismiss(None)

    def action_quit_or_ask(self) -> None:
        """Leave."""
        if self._on_top:
            self.dismiss(None)
        else:
            self.app.exit(0)

    def action_help(self) -> None:
        """Show all keys."""
        from perftui.tui.screens.dialogs.help import HelpScreen

        self.app.push_screen(HelpScreen(COMPARE_KEYS, MORE))

    def action_copy(self) -> None:
        """Copy the open tab as text: to the terminal's clipboard and to a file."""
        from perftui.tui.screens.dialogs.pane_copy import copy_pane

        pane = self._panes.get(self.tab)
        if pane is not None:
            self.say(copy_pane(self.app, pane))

    def commands(self) -> Iterator[SystemCommand]:
        """Return what the command palette offers here."""
        for tab in TABS:
            yield SystemCommand(
                f"Tab: {tab.name}", f"key {tab.key}", partial(self.open_tab, tab.name)
            )
        for key in COMPARE_KEYS:
            if key.action:
                yield SystemCommand(
                    f"{key.help[0].upper()}{key.help[1:]}",
                    f"key {key.shown}",
                    self._runner(key.action),
                )

    def _runner(self, action: str) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action)

        return run
