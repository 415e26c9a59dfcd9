"""The live screen: timelines over one time axis, tabs below, all about one selection.

The screen owns plain objects that do the work: `Shown` is what is on it and what was chosen,
`TimeCursor`, `Ranges`, `Choices`, `Player` and `AlertSpans` change that, `Requests` and
`AlertNews` speak with the session, `OverIt` opens dialogs, `PictureLoop` takes the pictures,
`LiveParts` and `PaneDeck` draw them, each in one batch. Here they are brought together, and hear
of keys, mouse and time. Nothing here measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from perftui.probes.own.collector import spare_what_lives
from perftui.tui.screens.dialogs.standing import stands_still
from perftui.tui.screens.live.actions import actions_of
from perftui.tui.screens.live.acts.choices import Choices
from perftui.tui.screens.live.acts.cursor import TimeCursor
from perftui.tui.screens.live.acts.leaving import Leaving
from perftui.tui.screens.live.acts.news import AlertNews
from perftui.tui.screens.live.acts.over import OverIt
from perftui.tui.screens.live.acts.panels import PanelActs
from perftui.tui.screens.live.acts.player import Player
from perftui.tui.screens.live.acts.ranges import Ranges
from perftui.tui.screens.live.acts.requests import Requests
from perftui.tui.screens.live.acts.session_thread import SessionThread
from perftui.tui.screens.live.acts.shown import Shown
from perftui.tui.screens.live.acts.spans import AlertSpans
from perftui.tui.screens.live.acts.verdict import VerdictTold
from perftui.tui.screens.live.deck import PaneDeck
from perftui.tui.screens.live.keys import LIVE_BINDINGS
from perftui.tui.screens.live.loop import PictureLoop
from perftui.tui.screens.live.palette import commands
from perftui.tui.screens.live.panes import FLAME, PANES, PaneKind
from perftui.tui.screens.live.parts import LiveParts
from perftui.tui.screens.live.typing_bars import TypingBars
from perftui.tui.session.cores import usable_cores
from perftui.tui.terminal.app import TerminalApp
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean
from perftui.tui.text.passing import Passing
from perftui.tui.widgets.bars.banner import Banner, Note, Tone, note_of
from perftui.tui.widgets.draw.bare import Ground

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events
    from textual.app import ComposeResult, SystemCommand
    from textual.binding import BindingType
    from textual.widget import Widget

    from perftui.tui.picture.selection import Selection
    from perftui.tui.picture.view import Part, View
    from perftui.tui.session.face import LiveSession
    from perftui.tui.session.notify import How
    from perftui.tui.terminal.panels import Panels
    from perftui.tui.widgets.bars.filter_bar import FilterBar
    from perftui.tui.widgets.bars.footer import KeyFooter
    from perftui.tui.widgets.bars.go_bar import GoBar
    from perftui.tui.widgets.bars.tab_bar import TabBar
    from perftui.tui.widgets.bars.verdict_card import VerdictCard
    from perftui.tui.widgets.charts.timeline import Timeline
    from perftui.tui.widgets.panes.top import TopPane
    from perftui.tui.widgets.panes.tracks import TrackList

NEWS_EVERY_S = 1.0
ANSWER_S = 4.0
_BEGUN_PICTURES = 3
"""By then everything is loaded that the first minutes need."""
_SIDEWAYS = (FLAME, "Log")
"""Tabs that use the left and right keys while time goes on."""
_NOT_WHILE_TYPING = ("scrub", "leap", "live", "first", "show_alert", "next_tab")


class LiveScreen(Screen[None], Ground):
    """See the module.

    Args:
        session: What to show.
        panes: The tabs.
        notify: How to tell of alerts to a person who looks elsewhere.
        leads_back: There is a screen below: leaving goes back to it, and asks nothing.
        tells_verdict: What happened comes as a card at the end, and at the start of a recording.
    """

    DEFAULT_CSS = """
    LiveScreen { layout: vertical; overflow: hidden; background: $background;
        layers: default card; }
    LiveScreen #body { height: 1fr; width: 100%; layout: vertical; overflow: hidden; }
    LiveScreen #charts { width: 100%; overflow: hidden; }
    LiveScreen #tabbed { height: 1fr; width: 1fr; overflow: hidden; }
    LiveScreen #body.-beside { layout: horizontal; }
    LiveScreen #panes { height: 1fr; width: 100%; overflow: hidden; }
    LiveScreen > TooSmall { display: none; }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = LIVE_BINDINGS

    def __init__(
        self,
        session: LiveSession,
        panes: Sequence[PaneKind] = PANES,
        *,
        notify: How = "off",
        leads_back: bool = False,
        tells_verdict: bool = False,
    ) -> None:
        super().__init__()
        self.session = session
        self._open = True
        self._answer: Passing[Note] = Passing(ANSWER_S)
        self._bars = TypingBars(self)
        self._thread = SessionThread(session, self.say)
        self.shown = shown = Shown(lambda: self.loop.changed())
        self.player = player = Player(shown, self.say)
        self.cursor = TimeCursor(session, shown, player, self._thread, self.say)
        self.ranges = Ranges(shown, player, self.say)
        self.choices = Choices(shown, player, self.say)
        self.spans = AlertSpans(shown, player, self.say, lambda: self.open_tab(FLAME))
        self.requests = Requests(session, shown, self._thread, self.say)
        self.news = AlertNews(shown, self._thread, self.say, self._send, notify)
        self.deck = PaneDeck(panes, self.cursor, self.ranges, self.choices, self.spans)
        cores = usable_cores(session.reader.target().pid or -1)
        self.parts = LiveParts(self.deck, cores, leads_back=leads_back)
        self.panels = PanelActs(shown, self._remember, self.say)
        self.verdict = VerdictTold(
            shown,
            self._thread,
            player,
            self.say,
            self._draw_card,
            self.open_tab,
            by_itself=tells_verdict,
        )
        self.over = OverIt(
            self, session, shown, self.parts, self.deck, self._bars, self.requests, self.say
        )
        self.loop = PictureLoop(
            session,
            shown,
            player,
            self._thread,
            self.say,
            covered=self._covered,
            wants=self._wants,
            draw=self.show_view,
        )
        self.leaving = Leaving(self, self.requests, shown, leads_back=leads_back)
        for name, act in actions_of(self).items():
            setattr(self, f"action_{name}", act)  # where Textual looks for it

    # -- what is there ---------------------------------------------------------------------

    @property
    def selection(self) -> Selection:
        """The newest choice."""
        return self.shown.selection

    @property
    def view(self) -> View | None:
        """The picture that is on the screen."""
        return self.shown.view

    @property
    def pictures(self) -> int:
        """Pictures drawn so far."""
        return self.loop.pictures

    @property
    def tab(self) -> str:
        """Name of the open tab."""
        return self.deck.panes.tab

    def compose(self) -> ComposeResult:
        """Yield the parts; panes are made when their tab is opened."""
        yield from self.parts.above
        with self.parts.body:
            with self.parts.charts:
                yield from self.parts.charted
            with self.parts.tabbed:
                yield self.parts.tab_bar
                yield self.deck
        yield from self.parts.below

    def on_mount(self) -> None:
        """Begin to draw."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        if isinstance(self.app, TerminalApp):
            self.shown.panels = self.app.settings.panels
            if self.app.settings.problem:
                self.call_after_refresh(self.say, self.app.settings.problem, "warn")
        self._lay_out(self.app.size.width, self.app.size.height)
        self.run_worker(self.loop.run(), group="view", exclusive=True)
        self.set_interval(NEWS_EVERY_S, self.news.look)
        self.set_interval(NEWS_EVERY_S, self.verdict.look)

    def on_unmount(self) -> None:
        """Let go of the worker thread."""
        self._open = False
        self.loop.end()
        self._thread.close()

    # -- drawing ---------------------------------------------------------------------------

    def _wants(self) -> frozenset[Part]:
        """Return the parts of a picture that can be seen."""
        wants, layout = self.deck.kind.needs, self.shown.layout
        if self.selection.against and self.tab == FLAME:
            wants |= {"phases", "imports", "calls", "events"}
        if layout is not None and (layout.figures or layout.counter):  # the figures beside charts
            wants |= {"threads", "counters"}
        return wants

    def _covered(self) -> bool:
        """Tell whether the screen must not change: it lies below another one that stands still."""
        return not self.is_current or stands_still(self.app.screen)

    def show_view(self, view: View) -> None:
        """Draw a picture."""
        if self.view is None and view.selection.cursor_ns is not None:
            self.shown.selection = view.selection  # how a recording opens
        self.shown.view = view
        self.parts.take(view)
        self.redraw()
        drawn = self.loop.pictures + 1
        if drawn == _BEGUN_PICTURES and not self.app.is_headless:
            spare_what_lives()
        if drawn == 1:
            self.call_after_refresh(self.over.explain_once)

    def _draw_card(self) -> None:
        """Draw the verdict that there is, or take its card away and give the pane the keys."""
        had = self.parts.card.display
        width, paint = self.app.size.width, paint_of(self.app)
        self.parts.draw_card(self.verdict.card, width, paint, typing=self._bars.typing)
        if had and not self.parts.card.display and not self._bars.typing:
            self.deck.panes.take_keys()

    def _lay_out(self, width: int, height: int) -> None:
        """Give every part its rows."""
        if self.parts.fit(self.shown, self._note(), width, height):
            self.loop.wake()
        if self.parts.small:
            self._bars.hide()

    def _note(self) -> Note | None:
        """Return what the banner says now."""
        answer = self._answer.now
        if answer is not None or self.view is None:
            return answer
        note = note_of(self.view)
        if note is not None and note.opens and self.spans.in_banner is None:
            return note._replace(hint="")
        return note

    def redraw(self) -> None:
        """Draw the picture that is there, in the rows that are needed now."""
        if not self.is_attached or not self._open:
            return
        self._lay_out(self.app.size.width, self.app.size.height)
        self._draw()

    def _draw(self) -> None:
        view = self.view
        if view is None or self.shown.layout is None or self.parts.small:
            return
        with self.app.batch_update():
            self.parts.draw(self.shown, self._note(), self.app.size.width, paint_of(self.app))
            self._draw_tabs()
            if self.deck.panes.open_one is None:
                self.call_after_refresh(self._pane_opened, self.deck.panes.open(self.tab))
            self.deck.show(view)
            self._draw_card()

    def _draw_tabs(self) -> None:
        width, paint = self.app.size.width, paint_of(self.app)
        self.parts.draw_tabs(self.shown, self.loop.note, width, paint)

    def _restyle(self) -> None:
        """Draw in the colours of a new theme."""
        self._draw()
        self.loop.changed()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size at once, and ask for a picture with as many columns."""
        self._lay_out(event.size.width, event.size.height)
        self._draw()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Name the keys of what has them now."""
        if self._open and self.deck.is_attached and not self.parts.small:
            self._draw_tabs()

    def on_screen_resume(self) -> None:
        """Catch up after a dialog."""
        self.loop.changed()

    # -- tabs ------------------------------------------------------------------------------

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab."""
        if name not in self.deck.kinds:
            return
        self.verdict.close()
        with self.app.batch_update():
            pane = self.deck.panes.open(name)
            self._draw_tabs()
        self.call_after_refresh(self._pane_opened, pane)

    def _pane_opened(self, pane: Widget) -> None:
        """Fill a pane that has just got its size, and give it the keys."""
        if self.deck.panes.attached is not pane:
            return
        if not self._bars.typing:
            self.deck.panes.take_keys()
        if self.view is not None:
            self.deck.show(self.view)
        self.loop.wake()

    def action_next_tab(self, step: int) -> None:
        """Open the tab beside."""
        self.open_tab(self.deck.panes.beside(self.deck.tabs(self.view), step))

    # -- keys ------------------------------------------------------------------------------

    def say(self, text: str, tone: Tone = "calm") -> None:
        """Answer a key in the banner, for a few seconds."""
        self._answer.put(Note(tone, "·", "", clean(text)))
        self.redraw()
        self.set_timer(ANSWER_S + 0.05, self.redraw)

    def _remember(self, panels: Panels) -> str:
        return self.app.remember(panels) if isinstance(self.app, TerminalApp) else ""

    def _send(self, sequence: str) -> None:
        if isinstance(self.app, TerminalApp):
            self.app.send(sequence)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys to the widget that has them when they mean something there."""
        if action in _NOT_WHILE_TYPING and self._bars.typing:
            return False
        if action == "scrub":
            return self.tab != "Heat" and (self.shown.still or self.tab not in _SIDEWAYS)
        if action == "show_alert":
            return not self.parts.card.has_focus and self.spans.any_here and not self._on_a_row()
        return True

    def _on_a_row(self) -> bool:
        """Tell whether a person went to a row that enter opens."""
        from perftui.tui.widgets.tables.table import Table

        focused = self.focused
        return isinstance(focused, Table) and focused.opens and focused.cursor is not None

    def action_clear(self) -> None:
        """Send the verdict away, else clear range and cursor, else go back where that leads."""
        if self.verdict.card is not None:
            self.verdict.close()
        elif self.leaving.leads_back and self.ranges.all_clear:
            self.leaving.leave_or_ask()
        else:
            self.ranges.clear()

    def action_ctrl_c(self) -> None:
        """Say what ctrl+c does not do."""
        self.say("ctrl+c does nothing here: q quits, ctrl+p has “interrupt the target”")

    def commands(self) -> Iterator[SystemCommand]:
        """Return what the command palette offers here."""
        return commands(
            self.deck.kinds.values(),
            lambda action: self.call_later(self.run_action, action),
            kept=self.requests.kept is not None,
            replayed=self.shown.replayed,
            alive=self.session.target_alive(),
        )

    # -- messages --------------------------------------------------------------------------

    async def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """Do what the clicked hint says."""
        await self.run_action(message.action)

    def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        """Open the tab that was clicked."""
        self.open_tab(message.tab)

    def on_banner_pressed(self, message: Banner.Pressed) -> None:
        """Answer a click as Enter."""
        self.spans.show_here()

    def on_verdict_card_chosen(self, message: VerdictCard.Chosen) -> None:
        """Go to a finding."""
        self.verdict.go(message.finding)

    def on_verdict_card_moved(self, message: VerdictCard.Moved) -> None:
        """Draw the finding that is chosen now."""
        self._draw_card()

    def on_verdict_card_closed(self, message: VerdictCard.Closed) -> None:
        """Send the verdict away."""
        self.verdict.close()

    def on_go_bar_asked(self, message: GoBar.Asked) -> None:
        """Go to the moment that was typed."""
        self.cursor.go_to(message.text)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Apply the filter while it is typed."""
        self.choices.filter(message.text)

    def on_timeline_range_chosen(self, message: Timeline.RangeChosen) -> None:
        """Take over a dragged range."""
        self.ranges.select(message.t0_ns, message.t1_ns)

    def on_timeline_moment_chosen(self, message: Timeline.MomentChosen) -> None:
        """Set the cursor where the timeline was clicked."""
        self.cursor.point_at(message.t_ns)

    def on_timeline_zoomed(self, message: Timeline.Zoomed) -> None:
        """Zoom the time axis around the mouse."""
        self.ranges.zoom(message.t_ns, message.factor)

    def on_top_pane_chosen(self, message: TopPane.Chosen) -> None:
        """Show in the flame where a function is called."""
        self.choices.function(message.name)
        self.open_tab(FLAME)
        self.deck.seek(message.function, message.file)

    def on_track_list_chosen(self, message: TrackList.Chosen) -> None:
        """Show the flame of a group of threads."""
        self.choices.group(message.name, message.threads)
        self.open_tab(FLAME)
