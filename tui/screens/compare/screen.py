"""The compare screen: both runs over one axis, and below what changed, from several sides.

All questions are asked on a worker thread, one at a time; the answer is drawn in one batch.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.containers import Container
from textual.widget import Widget

from perftui.probes.compare.comparison import phases_in_all
from perftui.probes.compare.headline import headline
from perftui.tui.picture.compare_view import (
    CompareChoice,
    CompareView,
    take_comparison,
    take_timelines,
    thread_names,
)
from perftui.tui.screens.compare.actions import CompareActions
from perftui.tui.screens.compare.keys import BINDINGS, TABS, compare_hints
from perftui.tui.screens.compare.layout import CompareLayout, plan
from perftui.tui.screens.dialogs.too_small import TooSmall
from perftui.tui.terminal.sizes import LEAST_HEIGHT, LEAST_WIDTH
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_end
from perftui.tui.widgets.bars.footer import KeyFooter
from perftui.tui.widgets.bars.tab_bar import TabBar
from perftui.tui.widgets.charts.compare import band_of, cpu_twin, rss_twin, ticks_line
from perftui.tui.widgets.charts.twin_chart import TwinChart, twin_lines
from perftui.tui.widgets.draw.canvas import Canvas
from perftui.tui.widgets.tables.compare_words import about_pieces, header_strip, note_strip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from perftui.probes.compare.comparison import Comparison, Run
    from perftui.probes.compare.facts import PhaseKey
    from perftui.tui.widgets.bars.filter_bar import FilterBar
    from perftui.tui.widgets.tables.compare_functions import FunctionTable

SAY_S = 4.0


class _Line(Canvas):
    DEFAULT_CSS = """
    _Line { height: 1; width: 100%; }
    _Line.-panel { background: $panel; }
    """


class CompareScreen(CompareActions):
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
        base: Sequence[Run],
        new: Sequence[Run],
        phase: PhaseKey | None = None,
        *,
        on_top: bool = False,
    ) -> None:
        super().__init__()
        self._sides = (tuple(base), tuple(new))
        self._on_top = on_top
        self.choice = CompareChoice(phase=phase)
        self.view: CompareView | None = None
        self.tab = TABS[0].name
        self._known: dict[PhaseKey | None, Comparison] = {}
        self._phases: list[PhaseKey] = []
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="perftui-compare")
        self._open = True
        self._panes: dict[str, Widget] = {}
        self._header = _Line(id="header", classes="-panel")
        self._note = _Line(id="note")
        self._rss = TwinChart(id="rss")
        self._cpu = TwinChart(id="cpu")
        self._bands = (_Line(id="band-base"), _Line(id="band-new"))
        self._axis = _Line(id="axis")
        self._tab_bar = TabBar(id="tabs")
        self._pane_area = Container(id="panes")
        self._footer = KeyFooter(id="keys")
        self._too_small = TooSmall(id="too-small")
        self._fixed: tuple[Widget, ...] = (
            *(self._header, self._note, self._axis),
            *(self._tab_bar, self._pane_area, self._footer),
        )
        self._sized: tuple[Widget, ...] = (self._rss, self._cpu, *self._bands)
        """Parts that get more or fewer rows, or none."""
        self._filter_bar: FilterBar | None = None
        self._answer: tuple[str, float] | None = None
        self._problem = ""
        self._layout_now: CompareLayout | None = None

    def compose(self) -> ComposeResult:
        """Make the parts; panes are made when their tab is opened."""
        yield self._header
        yield self._note
        yield self._rss
        yield self._cpu
        yield from self._bands
        yield self._axis
        yield self._tab_bar
        yield self._pane_area
        yield self._footer
        yield self._too_small

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

    def choose(self, choice: CompareChoice) -> None:
        """Take over a new choice and ask for what it needs."""
        self.choice = choice
        self._draw_words()
        self._picture()

    @work(group="compare", exclusive=True)
    async def _picture(self) -> None:
        """Answer the choice; what takes long for long recordings comes second."""
        choice, columns = self.choice, self._plan().columns
        loop = asyncio.get_running_loop()
        for test in (False, True):
            take = partial(self._take, choice, columns, test=test)
            try:
                view = await loop.run_in_executor(self._pool, take)
            except Exception as error:  # a picture less, not a screen less
                if self._open:
                    self._problem = f"cannot be compared: {type(error).__name__}: {error}"
                    self._draw()
                return
            if not self._open or choice != self.choice:
                return
            self.view, self._problem = view, ""
            self._draw()
            if not view.comparison.functions.can_be_tested:
                return

    def _take(self, choice: CompareChoice, columns: int, *, test: bool) -> CompareView:
        """Answer a choice, on the worker thread."""
        base, new = self._sides
        if not self._phases:
            self._phases = phases_in_all([*base, *new])
        whole = self._known.get(choice.phase)
        if whole is None or (test and whole.functions.can_be_tested):
            whole = take_comparison(base, new, choice.with_(thread=""), test=test)
            self._known[choice.phase] = whole
        shown = self.view.comparison if self.view is not None else None
        before = self.view.choice if self.view is not None else None
        same = before is not None and (before.phase, before.thread) == (choice.phase, choice.thread)
        comparison = shown if same and shown is not None else None
        if comparison is None or (test and comparison.functions.can_be_tested):
            comparison = take_comparison(base, new, choice, whole, test=test)
        return CompareView(
            choice,
            comparison,
            self._known.get(None, whole).phases,
            thread_names(whole),
            *take_timelines(comparison, choice, columns),
        )

    # -- drawing ---------------------------------------------------------------------------

    def _plan(self) -> CompareLayout:
        view = self.view
        phases = view is not None and bool(view.base.phases or view.new.phases)
        return plan(self.app.size.width, self.app.size.height, phases=phases)

    def _draw(self) -> None:
        if not self.is_attached or not self._open:
            return
        width, height = self.app.size
        small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        self._too_small.display = small
        for part in (*self._fixed, *self._sized):
            part.display = not small
        if small:
            self._too_small.refresh()
            return
        layout = self._layout_now = self._plan()
        heights = (layout.rss, layout.cpu, layout.bands // 2, layout.bands // 2)
        for part, rows in zip(self._sized, heights, strict=True):
            part.display = rows > 0
            if rows:
                part.styles.height = rows
        with self.app.batch_update():
            self._draw_words()
            if self.view is not None:
                self._draw_charts(self.view, layout, width)
                pane = self._panes.get(self.tab)
                if pane is not None and pane.is_attached:
                    cast("FunctionTable", pane).show(self.view)

    def _draw_words(self) -> None:
        paint = paint_of(self.app)
        width = self.app.size.width
        view = self.view
        said = self._problem
        if self._answer is not None and time.monotonic() < self._answer[1]:
            said = self._answer[0]
        told = None if view is None else headline(view.comparison)
        self._header.put([header_strip(self._sides, view, told, width, paint)])
        waiting = view is None or view.choice != self.choice
        self._note.put([note_strip(view, told, said, width, paint, waiting=waiting)])
        about = about_pieces(self.choice, self.tab, paint)
        self._tab_bar.show([tab.name for tab in TABS], self.tab, about, width, paint)
        hints = compare_hints(
            phase=self.choice.phase is not None,
            phases=bool(self._phases),
            threads=view is not None and len(view.threads) > 1,
            tab=self.tab,
        )
        self._footer.show(hints, "", width, paint)

    def _draw_charts(self, view: CompareView, layout: CompareLayout, width: int) -> None:
        paint = paint_of(self.app)
        tint = None
        if view.chosen_s is not None:
            first, last = view.axis_s
            scale = layout.columns / max(last - first, 1e-9)
            tint = (
                int((view.chosen_s[0] - first) * scale),
                max(int((view.chosen_s[1] - first) * scale), 1),
            )
        draw = partial(twin_lines, left=layout.left, paint=paint, tint=tint, figures=layout.figures)
        series = (view.base.rss, view.new.rss)
        size = (width, layout.rss)
        self._rss.show(draw(rss_twin(view), series, size=size, inks=("slate", "memory_text")))
        if layout.cpu:
            series, size = (view.base.cpu, view.new.cpu), (width, layout.cpu)
            self._cpu.show(draw(cpu_twin(view), series, size=size, inks=("slate", "cpu_text")))
        axis = (layout.left, layout.columns)
        for band, side, label in zip(
            self._bands, (view.base, view.new), ("base ", "new "), strict=True
        ):
            band.put([band_of(side, label, view, axis, width, paint)])
        self._axis.put([ticks_line(view, *axis, width, paint)])

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size, and ask for as many columns."""
        before = self._layout_now
        self._draw()
        if before is None or self._plan().columns != before.columns:
            self._picture()

    def say(self, text: str) -> None:
        """Answer a key in the second line, for a while."""
        self._answer = (shorten_end(clean(text), 400), time.monotonic() + SAY_S)
        self._draw_words()
        self.set_timer(SAY_S + 0.1, self._draw_words)

    # -- tabs ------------------------------------------------------------------------------

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab, made now if this is the first time."""
        self.tab = name
        pane = self._panes.get(name)
        if pane is None:
            tab = next(tab for tab in TABS if tab.name == name)
            module = import_module(f"perftui.tui.widgets.{tab.module}")
            pane = self._panes[name] = cast("Widget", getattr(module, tab.class_name)())
            self._pane_area.mount(pane)
        for other_name, other in self._panes.items():
            other.display = other_name == name
        self.call_after_refresh(self._pane_opened, pane)

    def _pane_opened(self, pane: Widget) -> None:
        """Fill a pane that has just got its size, and give it the keys."""
        if not pane.is_attached or self._panes.get(self.tab) is not pane:
            return
        if self._filter_bar is None or not self._filter_bar.has_focus_within:
            parts = [w for w in (pane, *pane.walk_children()) if isinstance(w, Widget)]
            self.set_focus(next((part for part in parts if part.can_focus), None))
        self._draw()
