"""What keys, mouse and commands do on the live screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from perftui.tui.picture import choosing
from perftui.tui.picture.selection import Selection
from perftui.tui.screens.live.spans import SpanActions
from perftui.tui.session.face import Kept
from perftui.tui.session.notify import HOWS
from perftui.tui.widgets.charts.time_axis import moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.widget import Widget

    from perftui.tui.screens.live.panes import PaneKind
    from perftui.tui.widgets.bars.filter_bar import FilterBar
    from perftui.tui.widgets.bars.footer import KeyFooter
    from perftui.tui.widgets.bars.tab_bar import TabBar
    from perftui.tui.widgets.panes.processes import ProcessesPane
    from perftui.tui.widgets.panes.top import TopPane

_SIDEWAYS = ("Flame", "Log")
"""Tabs that use the left and right keys while time goes on."""


class LiveActions(SpanActions):
    """The half of the live screen that answers the person; `LiveScreen` is the half that draws."""

    tab: str
    _kinds: dict[str, PaneKind]
    _panes: dict[str, Widget]
    _marks: int
    _filter_bar: Widget | None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys to the widget that has them when they mean something there."""
        bars = (self._filter_bar, self._go_bar)
        typing = any(bar is not None and bar.display and bar.has_focus_within for bar in bars)
        if action in ("scrub", "leap", "live", "first", "show_alert", "next_tab") and typing:
            return False
        if action == "scrub":
            return self.tab != "Heat" and (self.still or self.tab not in _SIDEWAYS)
        if action == "show_alert":
            found = self._alert_to_show() is not None or self._spike_here() is not None
            return found and not self._on_a_row()
        return True

    def _on_a_row(self) -> bool:
        """Tell whether a person went to a row that enter opens."""
        from perftui.tui.widgets.tables.table import Table

        focused = self.focused
        return isinstance(focused, Table) and focused.opens and focused.cursor is not None

    # -- tabs ------------------------------------------------------------------------------

    def tabs(self) -> tuple[str, ...]:
        """Return the names of the tabs that have something to show, and of the open one."""
        view = self.view
        kinds = self._kinds.items()
        return tuple(
            name for name, kind in kinds if name == self.tab or view is None or kind.has_any(view)
        )

    def action_next_tab(self, step: int) -> None:
        """Open the tab beside."""
        names = self.tabs()
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
            self.choose(choosing.next_thread(self._chosen_view(self.view), step))

    def on_flame_pane_thread_chosen(self, message: object) -> None:
        """Take over the thread that was chosen in a pane."""
        thread = (getattr(message, "pid", None), getattr(message, "tid", None))
        if isinstance(thread[0], int) and isinstance(thread[1], int):
            self.choose(self.selection.with_(thread=thread))

    def on_processes_pane_chosen(self, message: ProcessesPane.Chosen) -> None:
        """Show one process alone, or the whole tree again."""
        chosen = None if self.selection.process == message.pid else message.pid
        self.choose(self.selection.with_(process=chosen, thread=None))
        if chosen is None:
            self.say("all processes")
        else:
            self.say(f"process {chosen} alone: charts, flame and tabs; r shows all again")

    def on_top_pane_chosen(self, message: TopPane.Chosen) -> None:
        """Show in the flame where a function is called."""
        self.choose(self.selection.with_(filter=message.function))
        self.open_tab("Flame")
        self.say(f"{message.function} in the flame; / changes the filter, r forgets it")

    async def action_filter(self) -> None:
        """Type a filter."""
        from perftui.tui.widgets.bars.filter_bar import FilterBar

        if not isinstance(self._filter_bar, FilterBar):
            self._filter_bar = FilterBar(id="filter")
            await self.mount(self._filter_bar, before="#panes")
        self._filter_bar.open(self.selection.filter)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Apply the filter while it is typed."""
        self.choose(self.selection.with_(filter=message.text))

    def action_reset(self) -> None:
        """Forget all choices but the pause."""
        self.play.stop()
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

    async def action_again(self) -> None:
        """Run the scenario again in the process that it has kept."""
        await self._order("again", "again, in the same process: warm")

    async def action_restart(self) -> None:
        """Run the scenario in a new program."""
        await self._order("restart", "restarted: a new program, cold")

    async def _order(self, order: str, said: str) -> None:
        session = self.session
        if not (isinstance(session, Kept) and session.keeps_process()):
            self.say("again and restart are for scenarios that run here")
            return
        give = session.again if order == "again" else session.restart
        if await self.off_thread(give, said):
            self.choose(choosing.back_to_live(self.selection))

    def action_diff(self) -> None:
        """Choose a recording to compare this session with."""
        from perftui.tui.screens.live.comparing import begin_diff

        begin_diff(self)

    async def action_interrupt(self) -> None:
        """Send SIGINT to the target; only from the command palette."""
        await self.off_thread(self.session.interrupt, "sent SIGINT to the target")

    def action_copy(self) -> None:
        """Copy the open tab as text: to the terminal's clipboard and to a file."""
        from perftui.tui.screens.dialogs.pane_copy import copy_pane

        pane = self._panes.get(self.tab)
        if pane is not None:
            self.say(copy_pane(self.app, pane))

    def action_save(self) -> None:
        """Save what the screen is about, or the screen."""
        from perftui.tui.screens.live.saving import offer_to_save

        offer_to_save(self)

    def action_help(self) -> None:
        """Show all keys."""
        from perftui.tui.screens.dialogs.help import HelpScreen
        from perftui.tui.screens.live.keys import KEYS, MORE

        self.app.push_screen(HelpScreen(KEYS, MORE))

    def action_ctrl_c(self) -> None:
        """Say what ctrl+c does not do."""
        self.say("ctrl+c does nothing here: q quits, ctrl+p has “interrupt the target”")

    def action_quit_or_ask(self) -> None:
        """Leave; ask first what becomes of a launched target that runs."""
        from perftui.tui.screens.dialogs.quit import QuitScreen

        if not (self.session.launched and self.session.target_alive()):
            self.app.exit(0)
            return
        if isinstance(self.session, Kept) and self.session.waits():
            # Its work is done: there is nothing to ask.
            self.call_later(self._leave, "let go")
            return
        title = self.view.target.title if self.view is not None else ""
        self.app.push_screen(QuitScreen(title or "the target"), self._leave)

    async def _leave(self, answer: str | None) -> None:
        if answer == "stop":
            self.say("stopping the target …")
            if await self.off_thread(self.session.stop_target, ""):
                self.app.exit(0)
        elif answer == "let go" and isinstance(self.session, Kept):
            if await self.off_thread(self.session.end_kept, ""):
                self.app.exit(0)
        elif answer == "leave" and await self.off_thread(self.session.leave_running, ""):
            self.app.exit(0)

    def commands(self) -> Iterator[SystemCommand]:
        """Return what the command palette offers here."""
        from perftui.tui.screens.live.keys import KEYS

        for name, kind in self._kinds.items():
            letter = f" ({kind.key})" if kind.key else ""
            yield SystemCommand(f"Tab: {name}", f"open it{letter}", partial(self.open_tab, name))
        kept = isinstance(self.session, Kept) and self.session.keeps_process()
        for key in KEYS:
            action = key.action
            if action not in _NO_COMMANDS and (kept or action not in ("again", "restart")):
                yield SystemCommand(
                    f"{key.help[0].upper()}{key.help[1:]}", f"key {key.shown}", self._runner(action)
                )
        if not self.replayed:
            for how in HOWS:
                run = self._runner(f"tell_alerts('{how}')")
                yield SystemCommand(f"Notify of alerts: {how}", "warn and critical", run)
        if self.session.target_alive():
            yield SystemCommand(
                "Interrupt the target", "send it SIGINT, as ctrl+c would", self._runner("interrupt")
            )

    def _runner(self, action: str) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action)

        return run


_NO_COMMANDS = ("", "show_alert", "scrub(-1)", "scrub(1)", "sample(-1)", "sample(1)")
"""What makes sense as a key only."""
