"""The three lists of the home screen: what is known of each, its rows, and what Enter does."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Protocol

from perftui.tui.screens.home.choice import HomeChoice, ListName
from perftui.tui.widgets.tables.home_lists import (
    about_process,
    about_recording,
    about_scenario,
    process_section,
    recording_section,
    scenario_section,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from perftui.probes.process.running import PythonProcess
    from perftui.probes.recording.shelf.shelf import Entry
    from perftui.probes.verdict.glance import Glance
    from perftui.scenarios.run.runner import Scenario
    from perftui.tui.widgets.tables.table import Section

GLANCES = 40
"""So many of the newest are looked into without being chosen."""
LOOKING = ("looking …",)


class Host(Protocol):
    """What a list asks of the screen that shows it."""

    def say(self, text: str) -> None:
        """Show a line."""
        ...

    def ask_how_to_run(self, scenario: Scenario) -> None:
        """Ask for the parameters of a scenario, and leave with it."""
        ...

    def leave_with(self, choice: HomeChoice) -> None:
        """Leave the home screen to do something."""
        ...


class Source(Protocol):
    """One list."""

    name: ListName
    title: str
    verb: str
    """What Enter does, for the footer."""
    look_every_s: float | None
    """How often to look again; None: once is enough."""

    def look(self) -> Callable[[], None]:
        """Find out what there is, on a worker thread; returns what takes it over on the screen's.

        What cannot be found out is told by what is returned.
        """
        ...

    @property
    def known(self) -> int:
        """How many rows there are without a filter."""
        ...

    def section(self, words: list[str]) -> Section:
        """Return the rows that have all the words."""
        ...

    def empty(self) -> tuple[str, ...]:
        """Say why there are no rows."""
        ...

    def about(self, key: Hashable, width: int) -> list[str]:
        """Say more about a row."""
        ...

    def activate(self, key: Hashable) -> None:
        """Do what Enter does with a row."""
        ...


class _Looked:
    """What every list keeps of its last look.

    Args:
        host: The screen that shows it.
    """

    _found: Sequence[object] | None = None
    """None before the first look."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def known(self) -> int:
        """See `Source.known`."""
        return len(self._found or ())


class Scenarios(_Looked):
    """What can be run."""

    name: ListName = "scenarios"
    title = "Scenarios"
    verb = "run"
    look_every_s: float | None = None
    _found: list[Scenario] | None = None

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._missing: set[str] = set()
        """Those that need what is not installed."""

    def look(self) -> Callable[[], None]:
        """See `Source.look`."""
        from perftui.scenarios.define.requirements import missing_modules
        from perftui.scenarios.run.runner import ScenarioError, catalogue

        try:
            found = list(catalogue())
        except (ScenarioError, ImportError) as error:
            problem = f"the catalogue cannot be read: {error}"
            return lambda: self._host.say(problem)
        missing = {s.reference for s in found if missing_modules(s.requires)}

        def take() -> None:
            self._found, self._missing = found, missing

        return take

    def section(self, words: list[str]) -> Section:
        """See `Source.section`."""
        found = self._found or ()
        shown = [s for s in found if _has(f"{s.reference} {s.summary} {s.shows}", words)]
        return scenario_section(shown, lambda scenario: scenario.reference in self._missing)

    def empty(self) -> tuple[str, ...]:
        """See `Source.empty`."""
        return LOOKING if self._found is None else ("no scenario matches the filter",)

    def _of(self, key: Hashable) -> Scenario | None:
        return next((s for s in self._found or () if s.reference == key), None)

    def about(self, key: Hashable, width: int) -> list[str]:
        """See `Source.about`."""
        scenario = self._of(key)
        return [] if scenario is None else about_scenario(scenario)

    def activate(self, key: Hashable) -> None:
        """See `Source.activate`."""
        scenario = self._of(key)
        if scenario is not None:
            self._host.ask_how_to_run(scenario)


class Processes(_Looked):
    """What runs."""

    name: ListName = "processes"
    title = "Processes"
    verb = "attach"
    look_every_s: float | None = 2.0
    _found: list[PythonProcess] | None = None

    def look(self) -> Callable[[], None]:
        """See `Source.look`."""
        from perftui.probes.process.running import python_processes

        found = python_processes()

        def take() -> None:
            self._found = found

        return take

    def section(self, words: list[str]) -> Section:
        """See `Source.section`."""
        found = self._found or ()
        return process_section([p for p in found if _has(f"{p.pid} {' '.join(p.argv)}", words)])

    def empty(self) -> tuple[str, ...]:
        """See `Source.empty`."""
        if self._found is None:
            return LOOKING
        if not self._found:
            return ("no Python process is running that you may see",)
        return ("no process matches the filter",)

    def about(self, key: Hashable, width: int) -> list[str]:
        """See `Source.about`."""
        process = next((p for p in self._found or () if p.pid == key), None)
        return [] if process is None else about_process(process, width)

    def activate(self, key: Hashable) -> None:
        """See `Source.activate`."""
        self._host.leave_with(HomeChoice("attach", (str(key),), self.name))


class Recordings(_Looked):
    """What was recorded; two of them can be marked to be compared."""

    name: ListName = "recordings"
    title = "Recordings"
    verb = "open"
    look_every_s: float | None = 3.0
    _found: list[Entry] | None = None

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._glances: dict[tuple[str, int, int], Glance] = {}
        self._marked: list[str] = []
        """Paths, the one that was marked first at the front."""

    def look(self) -> Callable[[], None]:
        """See `Source.look`."""
        from perftui.probes.recording.shelf.shelf import entries

        found = entries()

        def take() -> None:
            self._found = found
            there = {str(entry.path) for entry in found}
            self._marked = [path for path in self._marked if path in there]

        return take

    def section(self, words: list[str]) -> Section:
        """See `Source.section`."""
        found = self._found or ()
        shown = [e for e in found if _has(f"{e.name} {e.title} {e.state}", words)]
        return recording_section(
            shown, self._marked, lambda entry: self._glances.get(_mark_of(entry))
        )

    def empty(self) -> tuple[str, ...]:
        """See `Source.empty`."""
        if self._found is None:
            return LOOKING
        if not self._found:
            return ("nothing was recorded yet", "every `perftui run` is, by default")
        return ("no recording matches the filter",)

    def unseen(self, key: Hashable) -> str | None:
        """Return the path of a recording that is to be looked into next: the chosen one first."""
        closed = [e for e in (self._found or ())[:GLANCES] if e.state == "closed"]
        chosen = self.entry(key)
        if chosen is not None and chosen.state == "closed":
            closed.insert(0, chosen)
        return next((str(e.path) for e in closed if _mark_of(e) not in self._glances), None)

    def glance(self, path: str) -> Callable[[], None]:
        """Look into a recording, on a worker thread; returns what takes over what was seen."""
        from perftui.probes.verdict.glance import NOTHING, glance

        entry, seen = self.entry(path), NOTHING
        if entry is None:
            return lambda: None
        try:
            seen = glance(entry.path, entry.file_bytes, entry.wall_ns)
        except Exception:
            seen = NOTHING
        return lambda: self._glances.update({_mark_of(entry): seen})

    def entry(self, key: Hashable) -> Entry | None:
        """Return the recording of a row."""
        return next((e for e in self._found or () if str(e.path) == key), None)

    def about(self, key: Hashable, width: int) -> list[str]:
        """See `Source.about`."""
        entry = self.entry(key)
        if entry is None:
            return self._about_marks()
        seen = self._glances.get(_mark_of(entry))
        lines = about_recording(entry, width, seen, self._found or ())
        return self._about_marks() + lines

    def _about_marks(self) -> list[str]:
        if len(self._marked) < 2:
            return ["one is marked: mark another to compare the two"] * len(self._marked)
        names = [shlex.quote(_name_of(path)) for path in self._by_age()]
        return [f"c compares: perftui compare {' '.join(names)}"]

    def _by_age(self) -> list[str]:
        """Return what is marked, the oldest first: it is the base of a comparison."""
        when = {str(entry.path): entry.wall_ns for entry in self._found or ()}
        return sorted(self._marked, key=lambda path: when.get(path, 0))

    def activate(self, key: Hashable) -> None:
        """See `Source.activate`."""
        entry = self.entry(key)
        if entry is None:
            return
        if entry.problem is not None:
            self._host.say(f"{entry.name}: {entry.problem}")
            return
        mode = ("--follow",) if entry.state == "recording" else ()
        self._host.leave_with(HomeChoice("open", (str(entry.path), *mode), self.name))

    def mark(self, key: Hashable) -> None:
        """Mark a recording to compare, or no longer; a third one takes the place of the first."""
        entry = self.entry(key)
        if entry is None:
            return
        path = str(entry.path)
        if path in self._marked:
            self._marked.remove(path)
        else:
            self._marked = [*self._marked[-1:], path]
        if len(self._marked) == 2:
            self._host.say("two are marked: c compares them, the older one is the base")

    def compare(self) -> None:
        """Leave to compare the two that are marked."""
        if len(self._marked) < 2:
            self._host.say("mark two recordings with space, then c compares them")
            return
        self._host.leave_with(HomeChoice("compare", tuple(self._by_age()), self.name))


def _mark_of(entry: Entry) -> tuple[str, int, int]:
    return str(entry.path), entry.wall_ns, entry.file_bytes


def _has(text: str, words: list[str]) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in words)


def _name_of(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".zip").removesuffix(".perftui")
