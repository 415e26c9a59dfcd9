"""The live screen: timelines over one time axis, tabs below, all about one selection.

One loop asks the reader for a picture on a worker thread, a few times a second and at once
after a key, never two at a time; the picture is drawn in one batch. Nothing here measures.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container
from textual.widget import Widget

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture import choosing
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.picture.play_clock import PlayClock
from perftui.tui.picture.rate_of_change import RateOfChange
from perftui.tui.picture.refresh_pace import RefreshPace
from perftui.tui.picture.selection import Selection
from perftui.tui.picture.view import Part, Playback, View, take_view
from perftui.tui.screens.dialogs.too_small import TooSmall
from perftui.tui.screens.live.actions import LiveActions
from perftui.tui.screens.live.keys import LIVE_BINDINGS, hints_of
from perftui.tui.screens.live.layout import Layout, live_axis, plan
from perftui.tui.screens.live.panes import PANES, Pane, PaneKind
from perftui.tui.screens.live.words import about, overlays_of, told
from perftui.tui.session.face import Noted, Recorded
from perftui.tui.session.notify import Notifier
from perftui.tui.session.spikes import SpikeWatch
from perftui.tui.terminal.sizes import LEAST_HEIGHT, LEAST_WIDTH
from perftui.tui.terminal.theme import paint_of
from perftui.tui.widgets.bars.banner import Banner, Note, note_of
from perftui.tui.widgets.bars.footer import KeyFooter
from perftui.tui.widgets.bars.header import HeaderLine
from perftui.tui.widgets.bars.tab_bar import TabBar
from perftui.tui.widgets.charts.phase_band import PhaseBand
from perftui.tui.widgets.charts.series import chosen_counter, counter_chart, cpu_chart, rss_chart
from perftui.tui.widgets.charts.time_axis import TimeAxis
from perftui.tui.widgets.charts.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from perftui.tui.session.face import LiveSession
    from perftui.tui.session.notify import How

REFRESH_HZ = 4
NOTIFY_EVERY_S = 1.0
SETTLE_S = 2.0
"""After the end, late records may still come: the picture follows for this long."""


class LiveScreen(LiveActions):
    """See the module."""

    DEFAULT_CSS = """
    LiveScreen { layout: vertical; overflow: hidden; background: $background; }
    LiveScreen #panes { height: 1fr; width: 100%; overflow: hidden; }
    LiveScreen > TooSmall { display: none; }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = LIVE_BINDINGS

    def __init__(
        self, session: LiveSession, panes: Sequence[PaneKind] = PANES, *, notify: How = "off"
    ) -> None:
        super().__init__()
        self.session = session
        self.selection = Selection()
        self.view: View | None = None
        self.pictures = 0
        """Pictures drawn so far."""
        self.refresh_hz = REFRESH_HZ
        self.play = PlayClock()
        self._spike_watch = SpikeWatch(session)
        self.notifier = Notifier(notify)
        self.tab = panes[0].name
        self._kinds = {kind.name: kind for kind in panes}
        self._panes: dict[str, Widget] = {}
        self._rate = RateOfChange()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="perftui-view")
        self._wake = asyncio.Event()
        self._cores = usable_cores(session)
        self._header = HeaderLine(id="header")
        self._banner = Banner(id="banner")
        self._rss = Timeline(id="rss")
        self._cpu = Timeline(id="cpu")
        self._counter = Timeline(id="counter")
        self._band = PhaseBand(id="band")
        self._time_axis = TimeAxis(id="axis")
        self._tab_bar = TabBar(id="tabs")
        self._pane_area = Container(id="panes")
        self._footer = KeyFooter(id="keys")
        self._too_small = TooSmall(id="too-small")
        self._layout_now: Layout | None = None
        self._small = False
        self._taken_key: tuple[object, ...] = ()
        self._open = True
        self._answer: tuple[Note, float] | None = None
        """The answer to the last key and when it goes."""
        self._marks = 0
        self._filter_bar: Widget | None = None
        self._go_bar: Widget | None = None
        self._shown_alerts: set[tuple[str, int]] = set()
        self._note_text = ""
        self._ended_s: float | None = None

    # -- parts -----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Make the parts; panes are made when their tab is opened."""
        yield self._header
        yield self._banner
        yield self._rss
        yield self._cpu
        yield self._counter
        yield self._band
        yield self._time_axis
        yield self._tab_bar
        yield self._pane_area
        yield self._footer
        yield self._too_small

    def on_mount(self) -> None:
        """Begin to draw."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        self._lay_out(self.app.size.width, self.app.size.height)
        self.run_worker(self._follow(), group="view", exclusive=True)
        self.set_interval(NOTIFY_EVERY_S, self.look_for_news)

    def on_unmount(self) -> None:
        """Let go of the worker thread."""
        self._open = False
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- the loop --------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Take and draw pictures until the screen is closed."""
        pace, cpu_s, drawn = RefreshPace(), time.thread_time(), self.pictures
        while True:
            begun = time.monotonic()
            self._wake.clear()
            self.advance()
            await self._picture()
            took_s, spent_s = time.monotonic() - begun, time.thread_time() - cpu_s
            drew = self.pictures != drawn or not drawn
            cpu_s, drawn = cpu_s + spent_s, self.pictures
            rest = max(1 / self.refresh_hz - took_s, 0.01)
            if not isinstance(self.session, Recorded):  # a replay takes nothing from a target
                rest = pace.rest_s(self.refresh_hz, took_s=took_s, cpu_s=spent_s, drew=drew)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), rest)

    async def _picture(self) -> None:
        """Take one picture and draw it, unless it would be the one that is there."""
        layout = self._layout_now
        if layout is None or not self.is_current:
            return
        loop = asyncio.get_running_loop()
        try:
            view = await loop.run_in_executor(
                self._pool, self._take, self.selection, layout, self._wants(layout)
            )
        except Exception as error:  # a picture less, not a screen less
            if self._open:
                self.say(f"no picture: {type(error).__name__}: {error}", "warn")
            return
        if view is not None and self._open:
            self.show_view(view)

    def _wants(self, layout: Layout) -> frozenset[Part]:
        """Return the parts of a picture that can be seen."""
        wants = self._kinds[self.tab].needs
        if self.selection.against and self.tab == "Flame":
            wants |= {"phases", "imports", "calls", "events"}
        if layout.figures or layout.counter:  # the figures beside the charts
            wants |= {"threads", "counters"}
        return wants

    def _take(self, selection: Selection, layout: Layout, wants: frozenset[Part]) -> View | None:
        """Take a picture, on the worker thread; None if it would be the one that is there."""
        session = self.session
        status = session.reader.status()
        playback = self._playback()
        key = (selection, status.state, layout.columns, wants, playback)
        spikes = self._spike_watch.look(recorded=status.state == "recording")
        seen = self.view is None or spikes == self.view.spikes
        if key == self._taken_key and seen and not self._moves(status.state, selection):
            return None
        if self.view is None and status.state == "recording":
            selection = choosing.opening(session.reader, status)
        asked = self._asked(selection, status.t_start_ns, status.t_end_ns, status.state)
        view = take_view(session.reader, asked, layout.columns, wants, self.view)
        if isinstance(session, Noted):
            self._note_text = session.recording_note()
        self._taken_key = key
        return replace(view, selection=selection, playback=playback, spikes=spikes)

    def _playback(self) -> Playback | None:
        session = self.session
        if not isinstance(session, Recorded):
            return None
        play = self.play
        return Playback(session.recording_state, play.playing, play.speed, session.salvage)

    def _moves(self, state: str, selection: Selection) -> bool:
        """Tell whether the next picture can differ without a key being pressed."""
        if state in ("exited", "waiting"):
            self._ended_s = self._ended_s or time.monotonic()
            return time.monotonic() - self._ended_s < SETTLE_S
        self._ended_s = None
        return state != "recording" and selection.paused_at_ns is None

    def _asked(self, selection: Selection, start: int, end: int, state: str) -> Selection:
        """Fill in what the person left open: the axis and the range around the cursor."""
        shown = min(selection.paused_at_ns or end, end)
        axis = selection.axis
        if axis is None and state in ("live", "starting"):
            axis = live_axis(start, shown)
        elif axis is None:
            axis = (start, max(shown, start + NS_PER_S // 10))
        return selection.with_(axis=axis, range=choosing.asked_range(selection, start, shown))

    def show_view(self, view: View) -> None:
        """Draw a picture."""
        if self.view is None and view.selection.cursor_ns is not None:
            self.selection = view.selection  # how a recording opens
        self.view = view
        rss = view.latest.get("rss_bytes")
        if rss is not None:
            self._rate.add(view.status.t_end_ns, rss)
        self.redraw()
        self.pictures += 1

    def choose(self, selection: Selection) -> None:
        """Take over a new selection and draw it at once."""
        self.selection = selection
        self._taken_key = ()
        self._wake.set()

    # -- drawing ---------------------------------------------------------------------------

    def _lay_out(self, width: int, height: int) -> None:
        """Give every part its rows."""
        view = self.view
        note = self._note()
        layout = plan(
            width,
            height,
            counter=view is not None and chosen_counter(view) is not None,
            banner=note is not None,
            phases=view is not None and bool(view.axis_phases),
            chosen=self.selection.range is not None or self.selection.cursor_ns is not None,
        )
        small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        if small != self._small:
            self._small = small
            for part in self.children:
                part.display = isinstance(part, TooSmall) == small
            self._layout_now = None
        if small:
            self._layout_now = layout
            self._too_small.refresh()
            return
        self._banner.display = note is not None
        if layout == self._layout_now:
            return
        self._layout_now = layout
        for part, rows in (
            (self._rss, layout.rss),
            (self._cpu, layout.cpu),
            (self._counter, layout.counter),
            (self._band, layout.band),
            (self._time_axis, layout.axis),
        ):
            part.display = rows > 0
            if rows:
                part.styles.height = rows
        self._wake.set()

    def _note(self) -> Note | None:
        """Return what the banner says now."""
        if self._answer is not None:
            answer, until = self._answer
            if time.monotonic() < until:
                return answer
            self._answer = None
        if self.view is None:
            return None
        note = note_of(self.view)
        if note is not None and note.hint.startswith("Enter") and not self._alert_to_show():
            return note._replace(hint="")
        return note

    def redraw(self) -> None:
        """Draw the picture that is there, in the rows that are needed now."""
        if not self.is_attached or not self._open:
            return
        self._lay_out(self.app.size.width, self.app.size.height)
        self._draw()

    def _draw(self) -> None:
        view, layout = self.view, self._layout_now
        if view is None or layout is None or self._small:
            return
        paint = paint_of(self.app)
        width = self.app.size.width
        axis = AxisMap(*view.axis, layout.left, layout.columns)
        with self.app.batch_update():
            self._header.show(view, width, paint)
            self._banner.show(self._note(), width, paint)
            overlay, on_rss = overlays_of(view, axis)
            figures = layout.figures
            stands = view.status.state in ("exited", "waiting")
            still = view.selection.paused_at_ns is not None or stands
            rate = None if still or view.playback is not None else self._rate.per_s
            chart = rss_chart(view, rate)
            self._rss.show(chart, axis, on_rss, paint, (width, layout.rss), figures=figures)
            if layout.cpu:
                chart = cpu_chart(view, self._cores)
                self._cpu.show(chart, axis, overlay, paint, (width, layout.cpu), figures=figures)
            counter = chosen_counter(view)
            if layout.counter and counter is not None:
                chart = counter_chart(view, counter)
                size = (width, layout.counter)
                self._counter.show(chart, axis, overlay, paint, size, figures=figures)
            if layout.band:
                self._band.show(view, axis, width, paint)
            if layout.axis:
                self._time_axis.show(view, axis, width, paint)
            self._draw_tabs(view)
            pane = self._open_pane()
            self._fill_pane(pane, view)

    def _fill_pane(self, pane: Widget, view: View) -> None:
        """Show a picture in the open pane, unless it was taken for another tab."""
        if isinstance(pane, Pane) and pane.is_attached and self._kinds[self.tab].needs <= view.has:
            pane.show(view)

    def _draw_tabs(self, view: View) -> None:
        paint = paint_of(self.app)
        width = self.app.size.width
        tabs = self.tabs()
        said, brief = (about(view, self.tab, paint, brief=short) for short in (False, True))
        counts = {"Alerts": told(view)}
        self._tab_bar.show(tabs, self.tab, said, width, paint, counts, brief)
        hints = hints_of(
            paused=self.selection.paused_at_ns is not None,
            ended=view.status.state in ("exited", "waiting"),
            waiting=view.status.state == "waiting",
            chosen=self.selection.range is not None or self.selection.cursor_ns is not None,
            playback=view.playback if self.replayed else None,
        )
        self._footer.show(hints, self._note_text, width, paint)

    def _restyle(self) -> None:
        """Draw in the colours of a new theme."""
        self._taken_key = ()
        self._draw()
        self._wake.set()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size at once, and ask for a picture with as many columns."""
        self._lay_out(event.size.width, event.size.height)
        self._draw()

    def on_screen_resume(self) -> None:
        """Catch up after a dialog."""
        self._taken_key = ()
        self._wake.set()

    # -- panes -----------------------------------------------------------------------------

    def _open_pane(self) -> Widget:
        """Return the pane of the open tab, made now if this is the first time."""
        found = self._panes.get(self.tab)
        if found is None:
            found = self._kinds[self.tab].make()
            self._panes[self.tab] = found
            self._pane_area.mount(found)
            self.call_after_refresh(self._pane_opened, found)
        return found

    def _pane_opened(self, pane: Widget) -> None:
        """Fill a pane that has just got its size, and give it the keys."""
        if not pane.is_attached or self._panes.get(self.tab) is not pane:
            return
        if not any(bar and bar.has_focus_within for bar in (self._filter_bar, self._go_bar)):
            parts = [w for w in (pane, *pane.walk_children()) if isinstance(w, Widget)]
            self.set_focus(next((part for part in parts if part.can_focus), None))
        if self.view is not None:
            self._fill_pane(pane, self.view)
        self._wake.set()

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab."""
        if name not in self._kinds:
            return
        self.tab = name
        with self.app.batch_update():
            pane = self._open_pane()
            for other_name, other in self._panes.items():
                other.display = other_name == name
            if self.view is not None:
                self._draw_tabs(self.view)
        self.call_after_refresh(self._pane_opened, pane)


def usable_cores(session: LiveSession) -> int | None:
    """Return how many cores the target may use, None if nobody can say."""
    try:
        pid = session.reader.target().pid
        return len(os.sched_getaffinity(pid)) if pid > 0 else None
    except OSError:
        return os.cpu_count()
    except AttributeError:  # not on this system
        return os.cpu_count()
