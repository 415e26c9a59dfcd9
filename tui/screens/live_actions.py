"""What keys, mouse and commands do on the live screen."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen
from textual.widget import Widget

from perftui.probes.units import NS_PER_S
from perftui.tui import choosing
from perftui.tui.screens.live_layout import zoomed_axis
from perftui.tui.text import clean
from perftui.tui.view import TIMELINE_MIN_NS, Selection, View
from perftui.tui.widgets.banner import Banner, Note, Tone, current_alert
from perftui.tui.widgets.time_axis import AxisMap, moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import ThreadPoolExecutor

    from perftui.tui.screens.live_layout import Layout
    from perftui.tui.screens.panes import PaneKind
    from perftui.tui.session_face import LiveSession
    from perftui.tui.widgets.filter_bar import FilterBar
    from perftui.tui.widgets.footer import KeyFooter
    from perftui.tui.widgets.tab_bar import TabBar
    from perftui.tui.widgets.timeline import Timeline

ANSWER_S = 4.0
REFRESH_MOST_HZ = 10


class LiveActions(Screen[None]):
    """The half of the live screen that answers the person; `LiveScreen` is the half that draws."""

    session: LiveSession
    selection: Selection
    view: View | None
    refresh_hz: int
    tab: str
    _kinds: dict[str, PaneKind]
    _panes: dict[str, Widget]
    _pool: ThreadPoolExecutor
    _layout_now: Layout | None
    _answer: tuple[Note, float] | None
    _marks: int
    _filter_bar: Widget | None

    def choose(self, selection: Selection) -> None:
        """Take over a new selection and draw it at once."""
        raise NotImplementedError

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw the picture that is there, in the rows that are needed now."""
        raise NotImplementedError

    # -- answers ---------------------------------------------------------------------------

    def say(self, text: str, tone: Tone = "calm") -> None:
        """Answer a key in the banner, for a few seconds."""
        self._answer = (Note(tone, "·", "", clean(text)), time.monotonic() + ANSWER_S)
        self.redraw()
        self.set_timer(ANSWER_S + 0.05, self.redraw)

    async def off_thread(self, call: Callable[[], object], done: str) -> bool:
        """Make a call of the session on the worker thread and say how it went."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, call)
        except Exception as error:
            self.say(f"{error}" or type(error).__name__, "warn")
            return False
        if done:
            self.say(done)
        return True

    @property
    def axis(self) -> AxisMap | None:
        """The time axis that is on the screen."""
        if self.view is None or self._layout_now is None:
            return None
        return AxisMap(*self.view.axis, self._layout_now.left, self._layout_now.columns)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys to the widget that has them when they mean something there."""
        bar = self._filter_bar
        typing = bar is not None and bar.display and bar.has_focus_within
        if action in ("scrub", "leap", "live", "show_alert", "next_tab") and typing:
            return False
        if action == "scrub":
            return self.selection.paused_at_ns is not None or self.tab != "Flame"
        if action == "show_alert":
            return self._alert_to_show() is not None
        return True

    # -- time ------------------------------------------------------------------------------

    def action_pause(self) -> None:
        """Freeze the picture, or let it go on."""
        if self.view is None:
            return
        if self.selection.paused_at_ns is not None:
            self.choose(self.selection.with_(paused_at_ns=None, cursor_ns=None))
        elif self.view.status.state in ("live", "starting"):
            self.choose(self.selection.with_(paused_at_ns=self.view.status.t_end_ns))

    def action_scrub(self, columns: int) -> None:
        """Move the cursor."""
        if self.view is not None and self.axis is not None:
            # From the newest choice, not the drawn one: keys may come faster than pictures.
            view = self._with_choice(self.view)
            self.choose(choosing.moved_cursor(view, self.axis, columns))

    def _with_choice(self, view: View) -> View:
        return replace(view, selection=self.selection)

    def action_leap(self, columns: int) -> None:
        """Move the cursor far, whatever has the keys."""
        self.action_scrub(columns)

    def action_range_start(self) -> None:
        """Start the range at the cursor."""
        if self.view is not None and self.axis is not None:
            view = self._with_choice(self.view)
            self.choose(choosing.with_range_end(view, self.axis, start=True))

    def action_range_end(self) -> None:
        """End the range at the cursor."""
        if self.view is not None and self.axis is not None:
            view = self._with_choice(self.view)
            self.choose(choosing.with_range_end(view, self.axis, start=False))

    def action_clear(self) -> None:
        """Clear range and cursor."""
        self.choose(choosing.all_cleared(self.selection))

    def action_live(self) -> None:
        """Follow the session again."""
        self.choose(choosing.back_to_live(self.selection))

    def action_zoom_to_range(self) -> None:
        """Let the time axis show the range and nothing else."""
        if self.selection.range is None:
            self.say("no range to zoom to: drag over a timeline, or set one with [ and ]")
            return
        t0, t1 = self.selection.range
        self.choose(self.selection.with_(axis=(t0, max(t1, t0 + NS_PER_S // 100))))

    async def action_event(self, step: int) -> None:
        """Put the cursor on the next or previous event."""
        view = self.view
        if view is None:
            return
        loop = asyncio.get_running_loop()
        start, end = view.status.t_start_ns, choosing.shown_end(view)
        try:
            events = await loop.run_in_executor(
                self._pool, self.session.reader.events, start, end + 1
            )
        except Exception as error:
            self.say(f"no events: {error}", "warn")
            return
        found = choosing.at_event(self._with_choice(view), events, step)
        if found is None:
            self.say("no later event" if step > 0 else "no earlier event")
            return
        selection, event = found
        self.say(f"{event.kind}  {event.text}  at {moment_text(view.seconds(event.t_ns))}")
        self.choose(selection)

    def _alert_to_show(self) -> tuple[int, int] | None:
        """Return the span of the alert in the banner unless it is the range already."""
        if self.view is None or self.view.status.state == "exited":
            return None
        alert = current_alert(self.view)
        if alert is None:
            return None
        start = alert.t_onset_ns
        if self.selection.range is not None and self.selection.range[0] == start:
            return None
        return start, max(alert.t_clear_ns or choosing.shown_end(self.view), start + 1)

    def action_show_alert(self) -> None:
        """Select the span of the alert."""
        span = self._alert_to_show()
        if span is not None:
            self.choose(self.selection.with_(range=span))

    def on_banner_pressed(self, message: Banner.Pressed) -> None:
        """Answer a click as Enter."""
        self.action_show_alert()

    def on_timeline_range_chosen(self, message: Timeline.RangeChosen) -> None:
        """Take over a dragged range."""
        t1 = max(message.t1_ns, message.t0_ns + 1)
        self.choose(self.selection.with_(range=(message.t0_ns, t1), cursor_ns=None))

    def on_timeline_moment_chosen(self, message: Timeline.MomentChosen) -> None:
        """Set the cursor where the timeline was clicked; the picture goes on."""
        if self.view is not None:
            end = choosing.shown_end(self.view)
            self.choose(self.selection.with_(cursor_ns=min(message.t_ns, end), range=None))

    def on_timeline_zoomed(self, message: Timeline.Zoomed) -> None:
        """Zoom the time axis around the mouse."""
        if self.view is None:
            return
        start = self.view.status.t_start_ns
        whole = (start, max(choosing.shown_end(self.view), start + TIMELINE_MIN_NS))
        axis = self.selection.axis or self.view.axis
        axis_now = zoomed_axis(axis, message.t_ns, message.factor, whole)
        self.choose(self.selection.with_(axis=axis_now))

    # -- tabs ------------------------------------------------------------------------------

    def action_next_tab(self, step: int) -> None:
        """Open the tab beside."""
        names = list(self._kinds)
        self.open_tab(names[(names.index(self.tab) + step) % len(names)])

    def action_tab(self, name: str) -> None:
        """Open a tab by name."""
        self.open_tab(name)

    def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        """Open the tab that was clicked."""
        self.open_tab(message.tab)

    async def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        """Do what the clicked hint says."""
        await self.run_action(message.action)

    def action_weight(self) -> None:
        """Change what widths and shares mean."""
        self.choose(choosing.next_weight(self.selection))

    def action_by_line(self) -> None:
        """Change between functions and lines."""
        self.choose(self.selection.with_(by_line=not self.selection.by_line))

    def action_thread(self, step: int) -> None:
        """Change the thread."""
        if self.view is not None:
            self.choose(choosing.next_thread(self._with_choice(self.view), step))

    def on_flame_pane_thread_chosen(self, message: object) -> None:
        """Take over the thread that was chosen in a pane."""
        thread = (getattr(message, "pid", None), getattr(message, "tid", None))
        if isinstance(thread[0], int) and isinstance(thread[1], int):
            self.choose(self.selection.with_(thread=thread))

    async def action_filter(self) -> None:
        """Type a filter."""
        from perftui.tui.widgets.filter_bar import FilterBar

        if not isinstance(self._filter_bar, FilterBar):
            self._filter_bar = FilterBar(id="filter")
            await self.mount(self._filter_bar, before="#panes")
        self._filter_bar.open(self.selection.filter)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Apply the filter while it is typed."""
        self.choose(self.selection.with_(filter=message.text))

    def action_reset(self) -> None:
        """Forget all choices but the pause."""
        self.choose(Selection(paused_at_ns=self.selection.paused_at_ns))

    # -- session ---------------------------------------------------------------------------

    async def action_mark(self) -> None:
        """Put a mark into the session."""
        if self.view is None or self.view.status.state in ("exited", "recording"):
            self.say("the session has ended: no mark can be added")
            return
        self._marks += 1
        name = f"mark {self._marks}"
        at = moment_text(self.view.seconds(self.view.status.t_end_ns))
        await self.off_thread(lambda: self.session.mark(name), f"{name} at {at}")

    async def action_interrupt(self) -> None:
        """Send SIGINT to the target; only from the command palette."""
        await self.off_thread(self.session.interrupt, "sent SIGINT to the target")

    def action_copy(self) -> None:
        """Copy the open tab as text: to the terminal's clipboard and to a file."""
        pane = self._panes.get(self.tab)
        if pane is None:
            return
        text = pane_text(pane)
        self.app.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        try:
            where = write_copy(text)
        except OSError as error:
            self.say(f"copied {lines} lines to the terminal's clipboard; no file: {error}")
            return
        self.say(f"copied {lines} lines to the terminal's clipboard, and to {where}")

    def action_faster(self, step: int) -> None:
        """Change how many pictures are drawn a second."""
        self.refresh_hz = min(max(self.refresh_hz + step, 1), REFRESH_MOST_HZ)
        self.say(f"{self.refresh_hz} pictures a second")

    def action_help(self) -> None:
        """Show all keys."""
        from perftui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def action_ctrl_c(self) -> None:
        """Say what ctrl+c does not do."""
        self.say("ctrl+c does nothing here: q quits, ctrl+p has “interrupt the target”")

    def action_quit_or_ask(self) -> None:
        """Leave; ask first what becomes of a launched target that runs."""
        from perftui.tui.screens.quit import QuitScreen

        if not (self.session.launched and self.session.target_alive()):
            self.app.exit(0)
            return
        title = self.view.target.title if self.view is not None else ""
        self.app.push_screen(QuitScreen(title or "the target"), self._leave)

    async def _leave(self, answer: str | None) -> None:
        if answer == "stop":
            self.say("stopping the target …")
            if await self.off_thread(self.session.stop_target, ""):
                self.app.exit(0)
        elif answer == "leave" and await self.off_thread(self.session.leave_running, ""):
            self.app.exit(0)

    def commands(self) -> Iterator[SystemCommand]:
        """Return what the command palette offers here."""
        from perftui.tui.screens.live_keys import KEYS

        for name, kind in self._kinds.items():
            letter = f" ({kind.key})" if kind.key else ""
            yield SystemCommand(f"Tab: {name}", f"open it{letter}", partial(self.open_tab, name))
        for key in KEYS:
            action = key.action
            if action not in ("", "show_alert", "scrub(-1)", "scrub(1)"):
                yield SystemCommand(
                    f"{key.help[0].upper()}{key.help[1:]}", f"key {key.shown}", self._runner(action)
                )
        if self.session.target_alive():
            yield SystemCommand(
                "Interrupt the target", "send it SIGINT, as ctrl+c would", self._runner("interrupt")
            )

    def _runner(self, action: str) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action)

        return run


def pane_text(pane: Widget) -> str:
    """Return what a pane shows as plain text."""
    lines: list[str] = []
    parts = [w for w in (pane, *pane.walk_children()) if isinstance(w, Widget)]
    leaves = [w for w in parts if not w.children and w.display]
    for widget in leaves:
        for y in range(widget.size.height):
            with suppress(Exception):
                lines.append(widget.render_line(y).text.rstrip())
    return "\n".join(lines).strip("\n")


def write_copy(text: str) -> Path:
    """Write what was copied where a person finds it, for terminals that ignore OSC 52."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "perftui"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "copied.txt"
    path.write_text(text + "\n", encoding="utf-8")
    return path
