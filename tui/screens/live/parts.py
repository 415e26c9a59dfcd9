"""The fixed parts of the live screen, from the header to the keys, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.tui.picture.flat import flat_charts
from perftui.tui.picture.rate_of_change import RateOfChange
from perftui.tui.screens.dialogs.too_small import TooSmall
from perftui.tui.screens.live.keys import hints_of
from perftui.tui.screens.live.layout import plan
from perftui.tui.screens.live.panes import FLAME
from perftui.tui.screens.live.words import about, loud_alerts, overlays_of
from perftui.tui.terminal.sizes import LEAST_HEIGHT, LEAST_WIDTH
from perftui.tui.widgets.bars.banner import Banner
from perftui.tui.widgets.bars.footer import KeyFooter, KeyHint
from perftui.tui.widgets.bars.header import HeaderLine
from perftui.tui.widgets.bars.tab_bar import TabBar
from perftui.tui.widgets.bars.verdict_card import VerdictCard
from perftui.tui.widgets.charts.gc_band import GcBand, tells
from perftui.tui.widgets.charts.phase_band import PhaseBand
from perftui.tui.widgets.charts.series import chosen_counter, counter_chart, cpu_chart, rss_chart
from perftui.tui.widgets.charts.time_axis import TimeAxis
from perftui.tui.widgets.charts.timeline import Timeline
from perftui.tui.widgets.draw.bare import Pile, Tray

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

    from perftui.probes.verdict.finding import SessionVerdict
    from perftui.tui.picture.view import View
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.screens.live.deck import PaneDeck
    from perftui.tui.screens.live.layout import LiveLayout
    from perftui.tui.terminal.theme import Paint
    from perftui.tui.widgets.bars.banner import Note


class LiveParts:
    """Owns the widgets around the panes; is told what to show.

    Args:
        deck: The panes, between tabs and keys.
        cores: That the target may use; None if nobody can say.
        leads_back: Leaving leads to the screen below.
    """

    def __init__(self, deck: PaneDeck, cores: int | None, *, leads_back: bool) -> None:
        self._deck = deck
        self._cores = cores
        self._leads_back = leads_back
        self.small = False
        """The terminal is too small: one line says so, and nothing else is drawn."""
        self._rate = RateOfChange()
        self.header = HeaderLine(id="header")
        self.banner = Banner(id="banner")
        self.rss = Timeline(id="rss")
        self.cpu = Timeline(id="cpu")
        self.counter = Timeline(id="counter")
        self.band = PhaseBand(id="band")
        self.gc_band = GcBand(id="gc-band")
        self.time_axis = TimeAxis(id="axis")
        self.tab_bar = TabBar(id="tabs")
        self.body = Tray(id="body")
        self.charts = Pile(id="charts")
        self.tabbed = Pile(id="tabbed")
        self._flat: frozenset[str] = frozenset()
        """Charts that show no more than a line, by the newest picture."""
        self.footer = KeyFooter(id="keys")
        self.card = VerdictCard(id="verdict")
        self.too_small = TooSmall(id="too-small")

    @property
    def above(self) -> tuple[Widget, ...]:
        """What stands above charts and panes, from the top."""
        return (self.header, self.banner)

    @property
    def charted(self) -> tuple[Widget, ...]:
        """The charts, from the top."""
        return (self.rss, self.cpu, self.counter, self.band, self.gc_band, self.time_axis)

    @property
    def below(self) -> tuple[Widget, ...]:
        """What stands below the panes, and what replaces everything in a small terminal."""
        return (self.footer, self.card, self.too_small)

    def fit(self, shown: Shown, note: Note | None, width: int, height: int) -> bool:
        """Share the terminal out; returns whether the charts have got other rows or columns."""
        small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        if small != self.small:
            self.small = small
            for part in (*self.above, self.body, self.footer):
                part.display = not small
            self.too_small.display = small
            shown.layout = None
        view = shown.view
        layout = plan(
            width,
            height,
            counter=view is not None and chosen_counter(view) is not None,
            banner=note is not None,
            phases=view is not None and bool(view.axis_phases),
            collections=view is not None and tells(view.gc_shares),
            chosen=shown.chosen or shown.selection.axis is not None,
            flat=self._flat,
            panels=shown.panels,
        )
        if small:
            shown.layout = layout  # pictures are taken all the same
            self.too_small.refresh()
            return False
        self.banner.display = note is not None
        if layout == shown.layout:
            return False
        shown.layout = layout
        self._give_rows(layout)
        return True

    def _give_rows(self, layout: LiveLayout) -> None:
        """Give every chart its rows; none hides it."""
        self.body.set_class(layout.beside, "-beside")
        self.charts.display = layout.charts > 0
        self.charts.styles.height = "100%" if layout.beside else layout.charts
        self.charts.styles.width = layout.width if layout.beside else "100%"
        for part, rows in (
            (self.rss, layout.rss),
            (self.cpu, layout.cpu),
            (self.counter, layout.counter),
            (self.band, layout.band),
            (self.gc_band, layout.gc_band),
            (self.time_axis, layout.axis),
        ):
            part.display = rows > 0
            if rows:
                part.styles.height = rows

    def draw(self, shown: Shown, note: Note | None, width: int, paint: Paint) -> None:
        """Draw all above the tabs."""
        view, layout, axis = shown.view, shown.layout, shown.axis
        if view is None or layout is None or axis is None or self.small:
            return
        self.header.show(view, width, paint)
        self.banner.show(note, width, paint)
        overlay, on_rss = overlays_of(view, axis)
        figures = layout.figures
        width = layout.width
        still = view.selection.paused_at_ns is not None or shown.ended
        chart = rss_chart(view, None if still or view.playback is not None else self._rate.per_s)
        if layout.rss:
            self.rss.show(chart, axis, on_rss, paint, (width, layout.rss), figures=figures)
        if layout.cpu:
            chart = cpu_chart(view, self._cores)
            self.cpu.show(chart, axis, overlay, paint, (width, layout.cpu), figures=figures)
        counter = chosen_counter(view)
        if layout.counter and counter is not None:
            chart = counter_chart(view, counter)
            size = (width, layout.counter)
            self.counter.show(chart, axis, overlay, paint, size, figures=figures)
        if layout.band:
            self.band.show(view, axis, width, paint)
        if layout.gc_band:
            self.gc_band.show(view, axis, width, paint)
        if layout.axis:
            self.time_axis.show(view, axis, width, paint)

    def draw_card(
        self, verdict: SessionVerdict | None, width: int, paint: Paint, *, typing: bool
    ) -> None:
        """Draw the verdict over the tabs, or nothing; it takes the keys unless a person types."""
        shows = verdict is not None and not self.small
        if verdict is not None and shows:
            self.card.show(verdict, width, paint)
        if shows != self.card.display:
            self.card.display = shows
            if shows and not typing:
                self.card.focus()

    def take(self, view: View) -> None:
        """Hear of a new picture: how fast memory grows is seen from one to the next."""
        self._flat = flat_charts(view, self._flat)
        rss = view.latest.get("rss_bytes")
        if rss is not None:
            self._rate.add(view.status.t_end_ns, rss)

    def draw_tabs(self, shown: Shown, note: str, width: int, paint: Paint) -> None:
        """Draw the names of the tabs, what they are about, and the keys.

        Args:
            shown: What is on the screen.
            note: Stands at the right of the keys.
            width: Cells.
            paint: Colours.
        """
        view, tab = shown.view, self._deck.panes.tab
        if view is None:
            return
        said, brief = (about(view, tab, paint, brief=short) for short in (False, True))
        counts = {"Alerts": len(loud_alerts(view))}
        layout = shown.layout
        beside = layout is not None and layout.beside
        room = width - layout.width if layout is not None and beside else width
        self.tab_bar.show(self._deck.tabs(view), tab, said, room, paint, counts, brief)
        screen = self._deck.screen if self._deck.is_attached else None  # it may be leaving
        hints = hints_of(
            paused=shown.paused,
            ended=shown.ended,
            waiting=shown.state == "waiting",
            chosen=shown.chosen,
            playback=view.playback if shown.replayed else None,
            leads_back=self._leads_back,
            flame=tab == FLAME,
            folded=not view.selection.unfold,
            focused=() if screen is None else _hints_of_focused(screen),
        )
        if screen is not None and not screen.check_action("scrub", ()):  # the pane has these keys
            hints = [hint for hint in hints if not hint.action.startswith("scrub")]
        self.footer.show(hints, note, width, paint)


def _hints_of_focused(screen: Screen[Any]) -> list[KeyHint]:
    """Return what the widget that has the keys says of them."""
    focused = screen.focused
    hints = [KeyHint(*hint) for hint in getattr(focused, "HINTS", ())]
    if getattr(focused, "opens", True):
        return hints
    return [hint for hint in hints if hint.key != "enter"]
