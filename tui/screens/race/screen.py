"""The screen of `perftui demo`: two halves on the same axes, and the verdict below.

A race runs on a thread of its own; this screen takes one frozen picture of it a few times a
second, on a worker thread, and draws it in one batch.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.screens.answering import AnsweringScreen
from perftui.tui.screens.race import words
from perftui.tui.screens.race.acts import OVER, RaceActs
from perftui.tui.screens.race.chart import Title, common_top, cpu_half, rss_half
from perftui.tui.screens.race.keys import KEYS, MORE, RACE_BINDINGS, hints_of
from perftui.tui.screens.race.layout import RaceLayout, plan
from perftui.tui.screens.race.taker import take_picture
from perftui.tui.session.cores import usable_cores
from perftui.tui.terminal.theme import paint_of
from perftui.tui.widgets.charts.phase_band import PhaseBand
from perftui.tui.widgets.charts.time_axis import TimeAxis
from perftui.tui.widgets.charts.timeline import Overlay, Timeline
from perftui.tui.widgets.draw.canvas import Canvas, strip_of
from perftui.tui.widgets.flame.strip import FlameStrip

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from perftui.scenarios.race.race import RaceState
    from perftui.tui.screens.race.face import Picture, Runs

REFRESH_HZ = 5
SETTLE_S = 1.0
"""After the end the picture follows for this long."""


class RaceScreen(AnsweringScreen):
    """See the module."""

    DEFAULT_CSS = """
    RaceScreen > Horizontal { width: 100%; height: auto; overflow: hidden; }
    RaceScreen #race-header { background: $panel; height: 1; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = RACE_BINDINGS
    HELP_KEYS, HELP_MORE = KEYS, MORE

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self.runs = runs
        self.acts = RaceActs(self, runs, self.say, self.redraw, self._begun)
        self.picture: Picture | None = None
        self.pictures = 0
        """Pictures drawn so far."""
        self.refresh_hz = REFRESH_HZ
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="perftui-view")
        self._wake = asyncio.Event()
        self._open = True
        self._over_s: float | None = None
        self._cores = usable_cores()
        self._layout_now: RaceLayout | None = None
        self._header = Canvas(id="race-header")
        self._rss = (Timeline(id="rss-0"), Timeline(id="rss-1"))
        self._cpu = (Timeline(id="cpu-0"), Timeline(id="cpu-1"))
        self._bands = (PhaseBand(id="band-0"), PhaseBand(id="band-1"))
        self._axes = (TimeAxis(id="axis-0"), TimeAxis(id="axis-1"))
        self._figures = Canvas(id="figures")
        self._growth = Canvas(id="growth")
        self._flames = (FlameStrip(id="flame-0"), FlameStrip(id="flame-1"))
        self._verdict = Canvas(id="verdict")
        self._recordings = Canvas(id="recordings")
        # Textual finds who carries out an action by the name of the attribute.
        self.action_other_side = self.acts.choose_other
        self.action_open_side = self.acts.open_side
        self.action_again = self.acts.again
        self.action_other_engine = self.acts.other_engine
        self.action_save_report = self.acts.save_report
        self.action_compare = self.acts.compare

    # -- parts -----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Header, halves, and what is about both."""
        yield self._header
        for both in (self._rss, self._cpu, self._bands, self._axes):
            yield Horizontal(*both)
        yield self._figures
        yield self._growth
        yield Horizontal(*self._flames)
        yield self._verdict
        yield self._recordings
        yield self._footer
        yield self._too_small

    def on_mount(self) -> None:
        """Begin to draw."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.redraw())
        self._lay_out(self.app.size.width, self.app.size.height)
        self.run_worker(self._follow(), group="view", exclusive=True)

    def on_unmount(self) -> None:
        """Let go of the worker thread."""
        self._open = False
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- the loop --------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Take and draw pictures until the screen is closed."""
        loop = asyncio.get_running_loop()
        while True:
            begun = time.monotonic()
            self._wake.clear()
            if self.is_current and self._moves():
                try:
                    picture = await loop.run_in_executor(self._pool, self._take())
                except Exception as error:  # a picture less, not a screen less
                    if self._open:
                        self.say(f"no picture: {type(error).__name__}: {error}")
                else:
                    if self._open:
                        self.picture = picture
                        self.redraw()
                        self.pictures += 1
            rest = max(1 / self.refresh_hz - (time.monotonic() - begun), 0.01)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), rest)

    def _moves(self) -> bool:
        """Tell whether the next picture can differ."""
        if self.picture is None or self.picture.state.stage not in OVER:
            self._over_s = None
            return True
        self._over_s = self._over_s or time.monotonic()
        return time.monotonic() - self._over_s < SETTLE_S

    def _take(self) -> Callable[[], Picture]:
        """Say what is to be taken, on the worker thread, as things stand."""
        layout = self._layout_now
        return partial(
            take_picture,
            self.runs.race,
            1 if layout is None else layout.columns(self.app.size.width),
            self.picture,
            flame=layout is not None and layout.flame > 0,
        )

    def _begun(self) -> None:
        """Another race has begun."""
        self.picture = None
        self._over_s = None
        self._wake.set()

    # -- drawing ---------------------------------------------------------------------------

    def _lay_out(self, width: int, height: int) -> None:
        """Give every part its rows and columns."""
        was_small = self._small
        if not self._fits(width, height):
            self._too_small.refresh()
            return
        if was_small:
            self._layout_now = None
        layout = plan(width, height, len(self.runs.race.plan.pair.measures))
        if layout == self._layout_now:
            return
        self._layout_now = layout
        halves: tuple[tuple[tuple[Widget, Widget], int], ...] = (
            (self._rss, layout.rss),
            (self._cpu, layout.cpu),
            (self._bands, layout.band),
            (self._axes, layout.axis),
            (self._flames, layout.flame),
        )
        for both, rows in halves:
            for side, part in enumerate(both):
                part.styles.height = rows
                part.styles.width = layout.half_width(side, width)
            parent = both[0].parent
            assert isinstance(parent, Horizontal)
            parent.display = rows > 0
            parent.styles.height = rows
            if both is self._flames:
                parent.styles.margin = (layout.gap, 0)
        for part, rows in (
            (self._figures, layout.figures),
            (self._growth, layout.growth),
            (self._verdict, layout.verdict),
            (self._recordings, layout.recordings),
        ):
            part.display = rows > 0
            part.styles.height = rows
            part.styles.width = width
        self._wake.set()

    def redraw(self) -> None:
        """Draw the picture that is there."""
        if not self.is_attached or not self._open:
            return
        width, height = self.app.size
        self._lay_out(width, height)
        picture, layout = self.picture, self._layout_now
        if picture is None or layout is None or self._small:
            return
        with self.app.batch_update():
            self._draw_halves(picture, layout, width)
            self._draw_words(picture, layout, width)

    def _draw_halves(self, picture: Picture, layout: RaceLayout, width: int) -> None:
        paint, race = paint_of(self.app), self.runs.race
        top = common_top(picture.views)
        overlay = Overlay()
        length = next((v.axis[1] - v.axis[0] for v in picture.views if v is not None), NS_PER_S)
        for side, view in enumerate(picture.views):
            cells = layout.half_width(side, width)
            axis = AxisMap(
                *(view.axis if view is not None else (0, length)),
                layout.left,
                layout.columns(width),
            )
            pair = race.plan.pair
            title = Title(
                pair.sides[side].name,
                race.plan.way.code[side],
                side == self.acts.chosen,
                _waiting_for(picture.state, side),
            )
            chart = rss_half(view, side, top, title)
            self._rss[side].show(chart, axis, overlay, paint, (cells, layout.rss), figures=False)
            if layout.cpu:
                chart = cpu_half(view, self._cores)
                size = (cells, layout.cpu)
                self._cpu[side].show(chart, axis, overlay, paint, size, figures=False)
            blank = [strip_of([(" " * cells, None)])]
            if view is None:
                self._bands[side].put(blank)
                self._axes[side].put(blank)
            else:
                self._bands[side].show(view, axis, cells, paint)
                whole = replace(view, selection=view.selection.with_(range=None))
                self._axes[side].show(whole, axis, cells, paint)
            if layout.flame:
                self._flames[side].show(view, (cells, layout.flame))

    def _draw_words(self, picture: Picture, layout: RaceLayout, width: int) -> None:
        paint, race_plan, state = paint_of(self.app), self.runs.race.plan, picture.state
        self._header.put([words.header_line(race_plan, state, width, paint)])
        half, both = layout.left_width, picture.figures
        if layout.wide:
            self._figures.put(words.figures_wide(race_plan, both, half, width, paint))
        else:
            table = words.figures_table(race_plan, both, layout.figures, width, paint)
            self._figures.put(table)
        if layout.growth:
            lines = words.growth_lines(race_plan, state, layout.growth, half, width, paint)
            self._growth.put(lines)
        lines = words.verdict_lines(race_plan, state, both, layout.verdict, width, paint)
        self._verdict.put(lines)
        answer = self._answer.now or ""
        if layout.recordings:
            line = words.recordings_line(race_plan, state, picture.recordings, width, paint)
            if answer:
                line = strip_of([(f"  · {answer}", paint.link)]).adjust_cell_length(width)
            self._recordings.put([line])
        hints = hints_of(
            over=state.stage in OVER,
            opens=state.sides[self.acts.chosen].session is not None,
            compares=all(picture.recordings),
            engines=len(self.runs.engines()) > 1,
            reports=state.verdict is not None,
        )
        self._footer.show(hints, "" if layout.recordings else answer, width, paint)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size at once, and ask for a picture with as many columns."""
        self._over_s = None
        if self.picture is not None:
            self._over_s = time.monotonic()
        self.redraw()
        self._wake.set()

    def on_screen_resume(self) -> None:
        """Catch up after a dialog."""
        self._wake.set()

    # -- keys and mouse --------------------------------------------------------------------

    def on_timeline_moment_chosen(self, message: Timeline.MomentChosen) -> None:
        """Choose the side that was clicked."""
        for side, parts in enumerate(zip(self._rss, self._cpu, strict=True)):
            if message.timeline in parts:
                self.acts.choose(side)


def _waiting_for(state: RaceState, side: int) -> str:
    if state.stage == "preparing":
        return "first the data" if side == 0 else "next"
    if state.sides[side].session is None:
        return "next" if state.stage == "racing" else "did not run"
    return "starting"
