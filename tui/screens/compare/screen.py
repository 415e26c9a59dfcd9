"""The compare screen: both runs over one axis, and below what changed, from several sides.

All questions are asked on a worker thread, one at a time; the answer is drawn in one batch.
`ComparisonTaker` answers them, `CompareChoices` is what was chosen, `CompareParts` and
`CompareDeck` draw; the screen brings them together.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.screen import Screen

from perftui.tui.screens.compare.choices import CompareChoices
from perftui.tui.screens.compare.deck import CompareDeck
from perftui.tui.screens.compare.keys import BINDINGS, COMPARE_KEYS, MORE, TABS
from perftui.tui.screens.compare.parts import CompareParts
from perftui.tui.screens.compare.taker import ComparisonTaker
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_end
from perftui.tui.text.passing import Passing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from perftui.probes.compare.comparison import ComparedRun
    from perftui.probes.compare.facts import PhaseKey
    from perftui.tui.picture.compare_view import CompareChoice, CompareView
    from perftui.tui.widgets.bars.filter_bar import FilterBar
    from perftui.tui.widgets.bars.footer import KeyFooter
    from perftui.tui.widgets.bars.tab_bar import TabBar
    from perftui.tui.widgets.compare.functions import FunctionTable

SAY_S = 4.0
SAY_MOST = 400
"""Characters of an answer."""


class CompareScreen(Screen[None]):
    """See the module.

    Args:
        base: Runs of the one side.
        new: Runs of the other.
        phase: What to restrict it to at first.
        on_top: There is a screen below to go back to; else leaving ends the application.
    """

    DEFAULT_CSS = """
    CompareScreen { layout: vertical; overflow: hidden; background: $background; }
    CompareScreen #panes { height: 1fr; width: 100%; overflow: hidden; }
    CompareScreen > TooSmall { display: none; }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(
        self,
        base: Sequence[ComparedRun],
        new: Sequence[ComparedRun],
        phase: PhaseKey | None = None,
        *,
        on_top: bool = False,
    ) -> None:
        super().__init__()
        self._on_top = on_top
        self._open = True
        self._problem = ""
        self._answer: Passing[str] = Passing(SAY_S)
        self._filter_bar: FilterBar | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="perftui-compare")
        self._taker = ComparisonTaker(base, new)
        self.choices = CompareChoices(phase, self._taker, self._changed, self.say)
        self.deck = CompareDeck(self.choices)
        self.parts = CompareParts(self.deck, self._taker)
        # Textual finds who carries out an action by the name of the attribute.
        self.action_tab = self.open_tab
        self.action_copy = partial(self.deck.panes.copy, self.say)
        self.action_open_row = self.deck.open_row
        self.action_phase = self.choices.next_phase
        self.action_align = self.choices.align
        self.action_weight = self.choices.weight
        self.action_thread = self.choices.next_thread
        self.action_reset = self.choices.reset

    @property
    def choice(self) -> CompareChoice:
        """The newest choice."""
        return self.choices.now

    @property
    def view(self) -> CompareView | None:
        """The answer that is shown."""
        return self._taker.view

    @property
    def tab(self) -> str:
        """Name of the open tab."""
        return self.deck.panes.tab

    def compose(self) -> ComposeResult:
        """Yield the parts; panes are made when their tab is opened."""
        yield from self.parts.above
        yield self.deck
        yield from self.parts.below

    def on_mount(self) -> None:
        """Begin to compare."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw())
        self.open_tab(self.tab)
        self._draw()
        self._picture()

    def on_unmount(self) -> None:
        """Let go of the worker thread."""
        self._open = False
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- asking ----------------------------------------------------------------------------

    def _changed(self) -> None:
        """Ask for what a new choice needs."""
        self._draw_words()
        self._picture()

    @work(group="compare", exclusive=True)
    async def _picture(self) -> None:
        """Answer the choice; what takes long for long recordings comes second."""
        choice, columns = self.choice, self.parts.plan(*self.app.size).columns
        loop = asyncio.get_running_loop()
        for test in (False, True):
            take = partial(self._taker.take, choice, columns, test=test)
            try:
                view = await loop.run_in_executor(self._pool, take)
            except Exception as error:  # a picture less, not a screen less
                if self._open:
                    self._problem = f"cannot be compared: {type(error).__name__}: {error}"
                    self._draw()
                return
            if not self._open or choice != self.choice:
                return
            self._taker.view, self._problem = view, ""
            self._draw()
            if not view.comparison.functions.can_be_tested:
                return

    # -- drawing ---------------------------------------------------------------------------

    def _draw(self) -> None:
        if not self.is_attached or not self._open:
            return
        width, height = self.app.size
        self.parts.fit(width, height)
        if self.parts.layout is None:
            return
        with self.app.batch_update():
            self._draw_words()
            self.parts.draw_charts(width, paint_of(self.app))
            if self.view is not None:
                self.deck.show(self.view)

    def _draw_words(self) -> None:
        said = self._answer.now or self._problem
        self.parts.draw_words(self.choice, said, self.app.size.width, paint_of(self.app))

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size, and ask for as many columns."""
        before = self.parts.layout
        self._draw()
        if before is None or self.parts.plan(*self.app.size).columns != before.columns:
            self._picture()

    def say(self, text: str) -> None:
        """Answer a key in the second line, for a while."""
        self._answer.put(shorten_end(clean(text), SAY_MOST))
        self._draw_words()
        self.set_timer(SAY_S + 0.1, self._draw_words)

    # -- tabs ------------------------------------------------------------------------------

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab."""
        self.call_after_refresh(self._pane_opened, self.deck.panes.open(name))

    def _pane_opened(self, pane: Widget) -> None:
        """Fill a pane that has just got its size, and give it the keys."""
        if self.deck.panes.attached is not pane:
            return
        if not self._typing:
            self.deck.panes.take_keys()
        self._draw()

    def action_next_tab(self, step: int) -> None:
        """Open the tab beside."""
        self.open_tab(self.deck.panes.beside([tab.name for tab in TABS], step))

    # -- keys ------------------------------------------------------------------------------

    @property
    def _typing(self) -> bool:
        return self._filter_bar is not None and self._filter_bar.has_focus_within

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave tab to the filter while it is typed."""
        return not (self._typing and action == "next_tab")

    async def action_filter(self) -> None:
        """Type a filter."""
        if self._filter_bar is None:
            from perftui.tui.widgets.bars.filter_bar import FilterBar

            self._filter_bar = FilterBar(id="filter")
            await self.mount(self._filter_bar, before="#panes")
        self._filter_bar.open(self.choice.filter)

    def action_back(self) -> None:
        """Clear the filter, then the phase; with nothing left to clear go back."""
        if not self.choices.clear_one() and self._on_top:
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

    def commands(self) -> Iterator[SystemCommand]:
        """Return what the command palette offers here."""

        def command(title: str, about: str, action: str) -> SystemCommand:
            return SystemCommand(title, about, partial(self.call_later, self.run_action, action))

        for tab in TABS:
            yield command(f"Tab: {tab.name}", f"key {tab.key}", f"tab('{tab.name}')")
        for key in COMPARE_KEYS:
            if key.action:
                title = f"{key.help[0].upper()}{key.help[1:]}"
                yield command(title, f"key {key.shown}", key.action)

    # -- messages --------------------------------------------------------------------------

    async def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """Do what the clicked hint says."""
        await self.run_action(message.action)

    def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        """Open the tab that was clicked."""
        self.open_tab(message.tab)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Apply the filter while it is typed."""
        self.choices.filter(message.text)

    def on_function_table_chosen(self, message: FunctionTable.Chosen) -> None:
        """Show in the flame where a function is called."""
        self.choices.function(message.function)
        self.open_tab("Flame")
