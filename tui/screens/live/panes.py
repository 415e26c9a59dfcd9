"""The tabs of the live screen: name, key and how its pane is made (imported only then)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget

    from perftui.tui.picture.view import Part, View


@runtime_checkable
class Pane(Protocol):
    """A widget that shows one side of a picture."""

    def show(self, view: View) -> None:
        """Show a picture. Cheap: it is called with every one while the pane is visible."""
        ...


class PaneKind(NamedTuple):
    """One tab."""

    name: str
    key: str
    """The letter that opens it, "" for none."""
    make: Callable[[], Widget]
    needs: frozenset[Part]
    """What of a picture it shows; nothing else is asked of the reader."""
    has_any: Callable[[View], bool] = lambda view: True
    """Whether there is something to show: else its tab is left out, and only its key opens it."""


def _of(*parts: Part) -> frozenset[Part]:
    return frozenset(parts)


def _in(module: str, class_name: str) -> Callable[[], Widget]:
    def make() -> Widget:
        pane_class = getattr(import_module(f"perftui.tui.widgets.panes.{module}"), class_name)
        return cast("Widget", pane_class())

    return make


FLAME = "Flame"
PANES = (
    PaneKind(FLAME, "f", _in("flame", "FlamePane"), _of("stacks", "threads")),
    PaneKind("Top", "t", _in("top", "TopPane"), _of("stacks")),
    PaneKind("Threads", "h", _in("tracks", "TracksPane"), _of("threads", "tracks")),
    PaneKind("Imports", "i", _in("imports", "ImportsPane"), _of("imports", "calls")),
    PaneKind("Phases", "P", _in("phases", "PhasesPane"), _of("phases", "calls", "counters")),
    PaneKind("Memory", "M", _in("memory", "MemoryPane"), _of("stacks")),
    PaneKind("Log", "o", _in("log", "LogPane"), _of("log_lines")),
    PaneKind("Heat", "e", _in("heat", "HeatPane"), _of("heat")),
    PaneKind("Alerts", "a", _in("alerts", "AlertsPane"), _of()),
    PaneKind(
        "Procs",
        "T",
        _in("processes", "ProcessesPane"),
        _of("process_use"),
        lambda view: len(view.processes) > 1,
    ),
    PaneKind("Plans", "x", _in("plans", "PlansPane"), _of("calls"), lambda view: bool(view.plans)),
    PaneKind("Tasks", "k", _in("tasks", "TasksPane"), _of(), lambda view: view.has_tasks),
)
