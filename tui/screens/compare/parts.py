"""The fixed parts of the compare screen, from the header to the keys, and how they are drawn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from perftui.probes.compare.headline import headline
from perftui.tui.screens.compare.keys import TABS, compare_hints
from perftui.tui.screens.compare.layout import CompareLayout, plan
from perftui.tui.screens.dialogs.too_small import TooSmall
from perftui.tui.terminal.sizes import LEAST_HEIGHT, LEAST_WIDTH
from perftui.tui.widgets.bars.footer import KeyFooter
from perftui.tui.widgets.bars.tab_bar import TabBar
from perftui.tui.widgets.charts.twin_chart import TwinChart, twin_lines
from perftui.tui.widgets.compare.charts import band_of, cpu_twin, rss_twin, ticks_line
from perftui.tui.widgets.compare.words import about_pieces, header_strip, note_strip
from perftui.tui.widgets.draw.canvas import Canvas

if TYPE_CHECKING:
    from textual.widget import Widget

    from perftui.tui.picture.compare_view import CompareChoice
    from perftui.tui.screens.compare.deck import CompareDeck
    from perftui.tui.screens.compare.taker import ComparisonTaker
    from perftui.tui.terminal.theme import Paint


class TextRow(Canvas):
    """One row of words."""

    DEFAULT_CSS = """
    TextRow { height: 1; width: 100%; }
    TextRow.-panel { background: $panel; }
    """


class CompareParts:
    """Owns the widgets around the panes; is told what to show."""

    def __init__(self, deck: CompareDeck, compared: ComparisonTaker) -> None:
        self._deck = deck
        self._compared = compared
        self.layout: CompareLayout | None = None
        """How the terminal is shared out; None while it is too small."""
        self.header = TextRow(id="header", classes="-panel")
        self.note = TextRow(id="note")
        self.rss = TwinChart(id="rss")
        self.cpu = TwinChart(id="cpu")
        self.band_base = TextRow(id="band-base")
        self.band_new = TextRow(id="band-new")
        self.axis = TextRow(id="axis")
        self.tab_bar = TabBar(id="tabs")
        self.footer = KeyFooter(id="keys")
        self.too_small = TooSmall(id="too-small")

    @property
    def above(self) -> tuple[Widget, ...]:
        """What stands above the panes, from the top."""
        charts = (self.rss, self.cpu, self.band_base, self.band_new, self.axis)
        return (self.header, self.note, *charts, self.tab_bar)

    @property
    def below(self) -> tuple[Widget, ...]:
        """What stands below the panes, and what replaces everything in a small terminal."""
        return (self.footer, self.too_small)

    def plan(self, width: int, height: int) -> CompareLayout:
        """Share the terminal out for the answer that is there."""
        view = self._compared.view
        phases = view is not None and bool(view.base.phases or view.new.phases)
        return plan(width, height, phases=phases)

    def fit(self, width: int, height: int) -> None:
        """Give every part its rows."""
        small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        for part in (*self.above, self._deck, self.footer):
            part.display = not small
        self.too_small.display = small
        if small:
            self.layout = None
            self.too_small.refresh()
            return
        layout = self.layout = self.plan(width, height)
        for part, rows in (
            (self.rss, layout.rss),
            (self.cpu, layout.cpu),
            (self.band_base, layout.bands // 2),
            (self.band_new, layout.bands // 2),
        ):
            part.display = rows > 0
            if rows:
                part.styles.height = rows

    def draw_words(self, choice: CompareChoice, said: str, width: int, paint: Paint) -> None:
        """Draw header, note, tabs and keys.

        Args:
            choice: The newest choice.
            said: The answer to a key or what went wrong; "" for nothing.
            width: Cells.
            paint: Colours.
        """
        view, tab = self._compared.view, self._deck.panes.tab
        told = None if view is None else headline(view.comparison)
        self.header.put([header_strip(self._compared.sides, view, told, width, paint)])
        waiting = view is None or view.choice != choice
        self.note.put([note_strip(view, told, said, width, paint, waiting=waiting)])
        about = about_pieces(choice, tab, paint)
        self.tab_bar.show([each.name for each in TABS], tab, about, width, paint)
        hints = compare_hints(
            phase=choice.phase is not None,
            phases=bool(self._compared.phases),
            threads=view is not None and len(view.threads) > 1,
            tab=tab,
        )
        self.footer.show(hints, "", width, paint)

    def draw_charts(self, width: int, paint: Paint) -> None:
        """Draw all that has a time axis."""
        view, layout = self._compared.view, self.layout
        if view is None or layout is None:
            return
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
        self.rss.show(draw(rss_twin(view), series, size=size, inks=("slate", "memory_text")))
        if layout.cpu:
            series, size = (view.base.cpu, view.new.cpu), (width, layout.cpu)
            self.cpu.show(draw(cpu_twin(view), series, size=size, inks=("slate", "cpu_text")))
        axis = (layout.left, layout.columns)
        self.band_base.put([band_of(view.base, "base ", view, axis, width, paint)])
        self.band_new.put([band_of(view.new, "new ", view, axis, width, paint)])
        self.axis.put([ticks_line(view, *axis, width, paint)])
