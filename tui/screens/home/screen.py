"""The home screen: what can be run, what runs, and what was recorded.

It starts nothing itself: it dismisses with a `HomeChoice`, and whoever asked carries it out.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from perftui.tui.screens.home.choice import LISTS, HomeChoice
from perftui.tui.screens.home.dialogs import AskText, AskYes, RunForm
from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_middle
from perftui.tui.widgets.bars.footer import KeyFooter, KeyHint
from perftui.tui.widgets.tables.home_lists import (
    about_process,
    about_recording,
    about_scenario,
    process_section,
    recording_section,
    scenario_section,
)
from perftui.tui.widgets.tables.table import Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult

    from perftui.probes.process.running import PythonProcess
    from perftui.probes.recording.shelf.shelf import Entry
    from perftui.scenarios.run.runner import Scenario

_PROCESSES_EVERY_S = 2.0
_SHELF_EVERY_S = 3.0
_WIDE = 120
_IDS = ("scenarios", "processes", "recordings")
_LOOKING = ("looking …",)


class HomeScreen(Screen[HomeChoice | None]):
    """Dismisses with what to do, or None to leave.

    Args:
        message: What became of the last choice.
        current: Index in `LISTS` of the list to begin with.
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
    HomeScreen.-wide #scenarios-box { width: 45%; }
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
    ]

    def __init__(self, message: str = "", current: int = 0) -> None:
        super().__init__()
        self._scenarios: list[Scenario] | None = None
        self._missing: set[str] = set()
        self._processes: list[PythonProcess] | None = None
        self._entries: list[Entry] | None = None
        self._marked: list[str] = []
        self._current = current
        self._tables = [Table(id=name) for name in _IDS]
        self._boxes = [
            Container(table, id=f"{name}-box", classes="list")
            for table, name in zip(self._tables, _IDS, strict=True)
        ]
        self._about = Static("", id="about", markup=False)
        self._message = Static(message, id="message", markup=False)
        self._input = Input(placeholder="filter the list", compact=True)
        self._keys = KeyFooter(id="keys")

    # -- parts -----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Yield the lists, what is known of the chosen row, and the keys."""
        about = "where does the time and memory of a Python program go?"
        yield Static(f"[b $accent]perftui[/]   {about}", id="top")
        with Container(id="lists"):
            yield self._boxes[0]
            with Vertical(id="right"):
                yield self._boxes[1]
                yield self._boxes[2]
        yield self._about
        yield self._input
        yield self._message
        yield self._keys

    def on_mount(self) -> None:
        """Look at everything, and go on looking."""
        for box, title in zip(self._boxes, LISTS, strict=True):
            box.border_title = title
        self._lay_out(self.app.size.width)
        self._focus_list(self._current)
        for index in range(len(_IDS)):
            self._fill(index)
        self._look_at_scenarios()
        self._look_at_processes()
        self._look_at_shelf()
        self.set_interval(_PROCESSES_EVERY_S, self._look_at_processes)
        self.set_interval(_SHELF_EVERY_S, self._look_at_shelf)

    def on_resize(self, event: events.Resize) -> None:
        """Show three lists, or one at a time."""
        self._lay_out(event.size.width)

    def _lay_out(self, width: int) -> None:
        wide = width >= _WIDE and self.app.size.height >= 30
        self.set_class(wide, "-wide")
        for index, box in enumerate(self._boxes):
            box.display = wide or index == self._current
        self.query_one("#right").display = wide or self._current > 0
        self._about.styles.height = 4 if self.app.size.height >= 24 else 2
        self._draw_keys()

    def _focus_list(self, index: int) -> None:
        self._current = index
        self._lay_out(self.app.size.width)
        self.set_focus(self._tables[index])  # at once: the next key may wait already
        self._tell()

    # -- looking ---------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="scenarios")
    def _look_at_scenarios(self) -> None:
        from perftui.scenarios.define.requirements import missing_modules
        from perftui.scenarios.run.runner import ScenarioError, catalogue

        try:
            found = list(catalogue())
        except (ScenarioError, ImportError) as error:
            problem = f"the catalogue cannot be read: {error}"
            self._give(lambda: self.say(problem))
            return
        missing = {s.reference for s in found if missing_modules(s.requires)}
        self._give(lambda: self._take_scenarios(found, missing))

    @work(thread=True, exclusive=True, group="processes")
    def _look_at_processes(self) -> None:
        from perftui.probes.process.running import python_processes

        found = python_processes()
        self._give(lambda: self._take_processes(found))

    @work(thread=True, exclusive=True, group="shelf")
    def _look_at_shelf(self) -> None:
        from perftui.probes.recording.shelf.shelf import entries

        found = entries()
        self._give(lambda: self._take_entries(found))

    def _give(self, take: object) -> None:
        """Hand over to the screen's own thread, unless it has closed meanwhile."""
        if not get_current_worker().is_cancelled and callable(take):
            self.app.call_from_thread(take)

    def _take_scenarios(self, found: list[Scenario], missing: set[str]) -> None:
        self._scenarios, self._missing = found, missing
        self._fill(0)

    def _take_processes(self, found: list[PythonProcess]) -> None:
        self._processes = found
        self._fill(1)

    def _take_entries(self, found: list[Entry]) -> None:
        self._entries = found
        there = {str(entry.path) for entry in found}
        self._marked = [path for path in self._marked if path in there]
        self._fill(2)

    # -- drawing ---------------------------------------------------------------------------

    def _fill(self, index: int) -> None:
        """Draw a list, what is chosen in it, and its title."""
        section, all_there, empty = (self._list_0, self._list_1, self._list_2)[index]()
        table = self._tables[index]
        if table.cursor not in section.keys:
            table.cursor = section.keys[0] if section.keys else None
        table.fill([section], empty=empty)
        shown = len(section.keys)
        count = f"{shown}" if shown == all_there else f"{shown} of {all_there}"
        self._boxes[index].border_title = f"{LISTS[index]} · {count}"
        self._tell()

    def _words(self, index: int) -> list[str]:
        return self._input.value.lower().split() if index == self._current else []

    def _list_0(self) -> tuple[Section, int, tuple[str, ...]]:
        known = self._scenarios or []
        shown = [s for s in known if _has(f"{s.reference} {s.summary} {s.shows}", self._words(0))]
        section = scenario_section(shown, lambda scenario: scenario.reference in self._missing)
        empty = _LOOKING if self._scenarios is None else ("no scenario matches the filter",)
        return section, len(known), empty

    def _list_1(self) -> tuple[Section, int, tuple[str, ...]]:
        known = self._processes or []
        shown = [p for p in known if _has(f"{p.pid} {' '.join(p.argv)}", self._words(1))]
        empty: tuple[str, ...] = _LOOKING
        if self._processes is not None:
            empty = ("no process matches the filter",)
            if not known:
                empty = ("no Python process is running that you may see",)
        return process_section(shown), len(known), empty

    def _list_2(self) -> tuple[Section, int, tuple[str, ...]]:
        known = self._entries or []
        shown = [e for e in known if _has(f"{e.name} {e.title} {e.state}", self._words(2))]
        empty: tuple[str, ...] = _LOOKING
        if self._entries is not None:
            empty = ("no recording matches the filter",)
            if not known:
                empty = ("nothing was recorded yet", "every `perftui run` is, by default")
        return recording_section(shown, self._marked), len(known), empty

    def _draw_keys(self) -> None:
        verbs = ("run", "attach", "open")
        hints = [
            KeyHint("enter", verbs[self._current], "activate"),
            KeyHint("tab", "next list", "other(1)"),
        ]
        if self._current == 2:
            hints += [
                KeyHint("space", "mark", "mark"),
                KeyHint("R", "rename", "rename"),
                KeyHint("D", "delete", "delete"),
                KeyHint("c", "compare", "compare"),
            ]
        hints += [
            KeyHint("^p", "commands", "app.command_palette"),
            KeyHint("/", "filter", "filter"),
            KeyHint("q", "quit", "leave"),
        ]
        self._keys.show(hints, "", self.app.size.width, paint_of(self.app))

    def _tell(self) -> None:
        """Say more about the chosen row."""
        key = self._tables[self._current].cursor
        width = max(self.app.size.width - 4, 10)
        lines: list[str] = []
        if self._current == 0:
            scenario = next((s for s in self._scenarios or () if s.reference == key), None)
            lines = about_scenario(scenario) if scenario else []
        elif self._current == 1:
            process = next((p for p in self._processes or () if p.pid == key), None)
            lines = about_process(process, width) if process else []
        else:
            entry = self._entry(key)
            lines = about_recording(entry, width) if entry else []
            lines += self._about_marks()
        self._about.update("\n".join(lines), layout=False)

    def _about_marks(self) -> list[str]:
        if len(self._marked) < 2:
            return ["one is marked: mark another to compare the two"] * len(self._marked)
        names = [shlex.quote(_name_of(path)) for path in self._by_age()]
        return [f"c compares: perftui compare {' '.join(names)}"]

    def _by_age(self) -> list[str]:
        """Return what is marked, the oldest first: it is the base of a comparison."""
        when = {str(entry.path): entry.wall_ns for entry in self._entries or ()}
        return sorted(self._marked, key=lambda path: when.get(path, 0))

    def say(self, text: str) -> None:
        """Show a line above the keys."""
        self._message.update(clean(text), layout=False)

    # -- choosing --------------------------------------------------------------------------

    def on_table_activated(self, event: Table.Activated) -> None:
        """Do what Enter says in this list."""
        index = self._tables.index(event.table)
        self._activate(index, event.key)

    def action_activate(self) -> None:
        """Do what a click on the hint says."""
        self._tables[self._current].action_activate()

    def _activate(self, index: int, key: Hashable) -> None:
        if index == 0:
            scenario = next((s for s in self._scenarios or () if s.reference == key), None)
            if scenario is not None:
                self.app.push_screen(RunForm(scenario), self._run)
        elif index == 1:
            self.dismiss(HomeChoice("attach", (str(key),), 1))
        else:
            entry = self._entry(key)
            if entry is not None and entry.problem is not None:
                self.say(f"{entry.name}: {entry.problem}")
            elif entry is not None:
                mode = ("--follow",) if entry.state == "recording" else ()
                self.dismiss(HomeChoice("open", (str(entry.path), *mode), 2))

    def _run(self, words: tuple[str, ...] | None) -> None:
        if words is not None:
            self.dismiss(HomeChoice("run", words, 0))

    def _entry(self, key: Hashable) -> Entry | None:
        return next((e for e in self._entries or () if str(e.path) == key), None)

    def _chosen_entry(self) -> Entry | None:
        return self._entry(self._tables[2].cursor) if self._current == 2 else None

    def action_mark(self) -> None:
        """Mark a recording to compare; a third one takes the place of the first."""
        entry = self._chosen_entry()
        if entry is None:
            return
        path = str(entry.path)
        if path in self._marked:
            self._marked.remove(path)
        else:
            self._marked = [*self._marked[-1:], path]
        if len(self._marked) == 2:
            self.say("two are marked: c compares them, the older one is the base")
        self._fill(2)

    def action_compare(self) -> None:
        """Compare the two that are marked."""
        if self._current != 2:
            return
        if len(self._marked) < 2:
            self.say("mark two recordings with space, then c compares them")
            return
        self.dismiss(HomeChoice("compare", tuple(self._by_age()), 2))

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
        self._tables[2].cursor = str(renamed)
        self._look_at_shelf()

    def action_delete(self) -> None:
        """Ask, and delete a recording."""
        entry = self._chosen_entry()
        if entry is not None:
            path, name = entry.path, entry.name
            asked = AskYes(f"Delete the recording {clean(name)}? It cannot be undone.", "delete it")
            self.app.push_screen(asked, lambda yes: self._delete(path, name, yes))

    def _delete(self, path: Path, name: str, yes: bool | None) -> None:
        from perftui.probes.recording.format.limits import RecordingError
        from perftui.probes.recording.shelf.shelf import delete

        if not yes:
            return
        try:
            delete(path)
        except RecordingError as error:
            self.say(str(error))
            return
        self.say(f"deleted {name}")
        self._look_at_shelf()

    # -- moving ----------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow a click into another list."""
        for index, table in enumerate(self._tables):
            if table is event.widget is self.focused and index != self._current:
                self._current = index
                self._lay_out(self.app.size.width)
                self._tell()

    def on_table_moved(self, event: Table.Moved) -> None:
        """Say more about the row that the cursor is on now."""
        self._tell()

    def action_other(self, step: int) -> None:
        """Go to the next list; a filter belongs to the list where it was typed."""
        if self._input.value:
            self.action_clear()
        self._focus_list((self._current + step) % len(LISTS))

    def action_filter(self) -> None:
        """Type a filter for the list."""
        self._input.display = True
        self.set_focus(self._input)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self._fill(self._current)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go to the list."""
        self.set_focus(self._tables[self._current])

    def action_clear(self) -> None:
        """Forget the filter."""
        self._input.value = ""
        self._input.display = False
        self.set_focus(self._tables[self._current])

    def action_leave(self) -> None:
        """Leave perftui."""
        self.dismiss(None)


def _has(text: str, words: list[str]) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in words)


def _name_of(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".zip").removesuffix(".perftui")
