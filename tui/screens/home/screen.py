"""The home screen: what can be run, what runs, and what was recorded.

It starts nothing itself: it dismisses with a `HomeChoice`, and whoever asked carries it out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from perftui.tui.screens.dialogs.asking import ask_first
from perftui.tui.screens.dialogs.delete import DeleteScreen
from perftui.tui.screens.home.choice import HomeChoice, ListName
from perftui.tui.screens.home.dialogs import AskText, RunForm
from perftui.tui.screens.home.list_box import ListBox
from perftui.tui.screens.home.sources import Processes, Recordings, Scenarios
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_middle
from perftui.tui.widgets.bars.footer import KeyFooter, KeyHint

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult

    from perftui.probes.recording.shelf.shelf import Entry
    from perftui.scenarios.run.runner import Scenario
    from perftui.tui.widgets.tables.table import Table

_WIDE = 120
_TALL = 30


class HomeScreen(Screen[HomeChoice | None]):
    """Dismisses with what to do, or None to leave.

    Args:
        message: What became of the last choice.
        current: The list to begin with.
        places: The row of each list that the cursor was on; is told where it is when one leaves.
    """

    DEFAULT_CSS = """
    HomeScreen { layout: vertical; background: $background; }
    HomeScreen #top { height: 1; width: 100%; background: $panel; padding: 0 1; }
    HomeScreen #lists { height: 1fr; width: 100%; layout: vertical; }
    HomeScreen .list {
        border: round $faint; border-title-color: $foreground; border-subtitle-color: $dim;
        height: 1fr; width: 100%; padding: 0;
    }
    HomeScreen .list:focus-within { border: round $accent; }
    HomeScreen #right { height: 1fr; width: 1fr; }
    HomeScreen.-wide #lists { layout: horizontal; }
    HomeScreen.-wide #scenarios-box { width: 38%; }
    HomeScreen #about { height: 4; width: 100%; padding: 0 2; color: $foreground 75%; }
    HomeScreen > Input {
        display: none; height: 1; border: none; padding: 0 1; background: $panel;
    }
    HomeScreen > Input:focus { border: none; }
    HomeScreen #message { height: 1; width: 100%; padding: 0 2; color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q,ctrl+c", "leave", "quit", show=False),
        Binding("escape", "clear", "clear the filter", show=False),
        Binding("tab", "other(1)", "next list", show=False),
        Binding("shift+tab", "other(-1)", "list before", show=False),
        Binding("slash", "filter", "filter", show=False),
        Binding("R", "rename", "rename", show=False),
        Binding("D,delete", "delete", "delete", show=False),
        Binding("space", "mark", "mark", show=False),
        Binding("c", "compare", "compare", show=False),
        Binding("r", "script", "run my script", show=False),
        Binding("question_mark,f1", "help", "help", show=False),
    ]

    def __init__(
        self,
        message: str = "",
        current: ListName = "scenarios",
        places: dict[ListName, Hashable] | None = None,
    ) -> None:
        super().__init__()
        self._places = {} if places is None else places
        self._recordings = Recordings(self)
        self._scenarios_box = ListBox(Scenarios(self))
        self._processes_box = ListBox(Processes(self))
        self._recordings_box = ListBox(self._recordings)
        self._boxes = (self._scenarios_box, self._processes_box, self._recordings_box)
        """In the order that tab goes through."""
        self._current = next(box for box in self._boxes if box.source.name == current)
        for box in self._boxes:
            box.wanted = self._places.get(box.source.name)
        self._looking: set[ListBox] = set()
        self._top = Static("", id="top")
        self._glancing = False
        self._about = Static("", id="about", markup=False)
        self._message = Static(message, id="message", markup=False)
        self._input = Input(placeholder="filter the list", compact=True)
        self._keys = KeyFooter(id="keys")

    # -- parts -----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Yield the lists, what is known of the chosen row, and the keys."""
        yield self._top
        with Container(id="lists"):
            yield self._scenarios_box
            with Vertical(id="right"):
                yield self._processes_box
                yield self._recordings_box
        yield self._about
        yield self._input
        yield self._message
        yield self._keys

    def on_mount(self) -> None:
        """Look at everything, and go on looking."""
        self._focus_list(self._current)
        for box in self._boxes:
            self._fill(box)
            self._look(box)
            if box.source.look_every_s is not None:
                self.set_interval(box.source.look_every_s, partial(self._look, box))

    def on_resize(self, event: events.Resize) -> None:
        """Show three lists, or one at a time."""
        self._lay_out(event.size.width)

    def _lay_out(self, width: int) -> None:
        wide = width >= _WIDE and self.app.size.height >= _TALL
        self.set_class(wide, "-wide")
        for box in self._boxes:
            box.display = wide or box is self._current
        self.query_one("#right").display = wide or self._current is not self._scenarios_box
        self._about.styles.height = 5 if self.app.size.height >= 24 else 2
        self._draw_top(wide)
        self._draw_keys()

    def _draw_top(self, wide: bool) -> None:
        """Say what this is; where one list is shown at a time, which others there are."""
        if wide:
            about = "where does the time and memory of a Python program go?"
            self._top.update(f"[b $accent]perftui[/]   {about}")
            return
        names = [
            f"[reverse] {box.said} [/]" if box is self._current else f"[dim] {box.said} [/]"
            for box in self._boxes
        ]
        self._top.update("[b $accent]perftui[/]  " + " ".join(names), layout=False)

    def _focus_list(self, box: ListBox) -> None:
        self._current = box
        self._lay_out(self.app.size.width)
        self.set_focus(box.table)  # at once: the next key may wait already
        self._tell()

    # -- looking ---------------------------------------------------------------------------

    def _look(self, box: ListBox) -> None:
        """Find out what a list has by now, on a thread; not while the last look goes on."""
        if box not in self._looking:
            self._looking.add(box)
            self.run_worker(partial(self._look_at, box), group=box.source.name, thread=True)

    def _look_at(self, box: ListBox) -> None:
        take = box.source.look()
        if not get_current_worker().is_cancelled:  # the screen may have closed meanwhile
            self.app.call_from_thread(self._take, box, take)

    def _take(self, box: ListBox, take: Callable[[], None]) -> None:
        self._looking.discard(box)
        take()
        self._fill(box)

    def _glance(self) -> None:
        """Look into a recording that nobody has looked into yet, on a thread; then the next."""
        path = self._recordings.unseen(self._recordings_box.table.cursor)
        if path is not None and not self._glancing:
            self._glancing = True
            self.run_worker(partial(self._glance_at, path), group="glance", thread=True)

    def _glance_at(self, path: str) -> None:
        take = self._recordings.glance(path)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._glanced, take)

    def _glanced(self, take: Callable[[], None]) -> None:
        self._glancing = False
        take()
        self._fill(self._recordings_box)

    # -- drawing ---------------------------------------------------------------------------

    def _fill(self, box: ListBox) -> None:
        """Draw a list, what is chosen in it, and its title."""
        box.fill(self._input.value.lower().split() if box is self._current else [])
        if not self.has_class("-wide"):
            self._draw_top(False)
        self._tell()
        if box is self._recordings_box:
            self._glance()

    def _draw_keys(self) -> None:
        hints = [
            KeyHint("enter", self._current.source.verb, "activate"),
            KeyHint("tab", "next list", "other(1)"),
        ]
        if self._current is self._recordings_box:
            hints += [
                KeyHint("space", "mark", "mark"),
                KeyHint("R", "rename", "rename"),
                KeyHint("D", "delete", "delete"),
                KeyHint("c", "compare", "compare"),
            ]
        hints += [
            KeyHint("r", "run my script", "script"),
            KeyHint("^p", "commands", "app.command_palette"),
            KeyHint("/", "filter", "filter"),
            KeyHint("?", "help", "help"),
            KeyHint("q", "quit", "leave"),
        ]
        self._keys.show(hints, "", self.app.size.width, paint_of(self.app))

    def _tell(self) -> None:
        """Say more about the chosen row."""
        width = max(self.app.size.width - 4, 10)
        lines = self._current.source.about(self._current.table.cursor, width)
        self._about.update("\n".join(lines), layout=False)

    def say(self, text: str) -> None:
        """Show a line above the keys."""
        self._message.update(clean(text), layout=False)

    # -- choosing --------------------------------------------------------------------------

    def on_table_activated(self, event: Table.Activated) -> None:
        """Do what Enter says in this list."""
        box = next(box for box in self._boxes if box.table is event.table)
        box.source.activate(event.key)

    def action_activate(self) -> None:
        """Do what a click on the hint says."""
        self._current.table.action_activate()

    def ask_how_to_run(self, scenario: Scenario) -> None:
        """Ask for the parameters of a scenario, and leave with it."""

        def run(words: tuple[str, ...] | None) -> None:
            if words is not None:
                self.leave_with(HomeChoice("run", words, "scenarios"))

        self.app.push_screen(RunForm(scenario), run)

    def action_script(self) -> None:
        """Ask for a script and its arguments, and leave with it."""
        from perftui.tui.screens.home.script import AskScript

        def run(words: tuple[str, ...] | None) -> None:
            if words is not None:
                self.leave_with(HomeChoice("run", words, self._current.source.name))

        self.app.push_screen(AskScript(), run)

    def action_help(self) -> None:
        """Show all keys."""
        from perftui.tui.screens.dialogs.help import HelpScreen
        from perftui.tui.screens.home.keys import KEYS, MORE

        self.app.push_screen(HelpScreen(KEYS, MORE))

    def leave_with(self, choice: HomeChoice) -> None:
        """Leave to do something."""
        self._places.update({box.source.name: box.table.cursor for box in self._boxes})
        self.dismiss(choice)

    # -- recordings ------------------------------------------------------------------------

    def _chosen_entry(self) -> Entry | None:
        if self._current is not self._recordings_box:
            return None
        return self._recordings.entry(self._recordings_box.table.cursor)

    def action_mark(self) -> None:
        """Mark a recording to compare; a third one takes the place of the first."""
        if self._current is self._recordings_box:
            self._recordings.mark(self._recordings_box.table.cursor)
            self._fill(self._recordings_box)

    def action_compare(self) -> None:
        """Compare the two that are marked."""
        if self._current is self._recordings_box:
            self._recordings.compare()

    def action_rename(self) -> None:
        """Ask for a new name."""
        entry = self._chosen_entry()
        if entry is not None:
            path = entry.path
            asked = AskText(f"rename {shorten_middle(entry.name, 48)}", entry.name)
            self.app.push_screen(asked, lambda name: self._rename(path, name))

    def _rename(self, path: Path, name: str | None) -> None:
        from perftui.probes.recording.format.limits import RecordingError
        from perftui.probes.recording.shelf.shelf import rename

        if name is None:
            return
        try:
            renamed = rename(path, name)
        except RecordingError as error:
            self.say(str(error))
            return
        self._recordings_box.table.cursor = str(renamed)
        self._look(self._recordings_box)

    def action_delete(self) -> None:
        """Ask, and delete a recording."""
        entry = self._chosen_entry()
        if entry is not None:
            delete = partial(self._delete, entry.path, entry.name)
            ask_first(self, DeleteScreen(entry.name), {"delete": delete})

    async def _delete(self, path: Path, name: str) -> None:
        from perftui.probes.recording.format.limits import RecordingError
        from perftui.probes.recording.shelf.shelf import delete

        try:
            delete(path)
        except RecordingError as error:
            self.say(str(error))
            return
        self.say(f"deleted {name}")
        self._look(self._recordings_box)

    # -- moving ----------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow a click into another list."""
        for box in self._boxes:
            if box.table is event.widget is self.focused and box is not self._current:
                self._current = box
                self._lay_out(self.app.size.width)
                self._tell()

    def on_table_moved(self, event: Table.Moved) -> None:
        """Say more about the row that the cursor is on now."""
        self._tell()

    def action_other(self, step: int) -> None:
        """Go to the next list; a filter belongs to the list where it was typed."""
        if self._input.value:
            self.action_clear()
        at = self._boxes.index(self._current)
        self._focus_list(self._boxes[(at + step) % len(self._boxes)])

    def action_filter(self) -> None:
        """Type a filter for the list."""
        self._input.display = True
        self.set_focus(self._input)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self._fill(self._current)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go to the list."""
        self.set_focus(self._current.table)

    def action_clear(self) -> None:
        """Forget the filter."""
        self._input.value = ""
        self._input.display = False
        self.set_focus(self._current.table)

    def action_leave(self) -> None:
        """Leave perftui."""
        self.dismiss(None)
