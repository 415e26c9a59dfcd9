"""The tabs of the live screen: name, key and how its pane is made (imported only then)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget

    from perftui.tui.view import View


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


def _in(module: str, class_name: str) -> Callable[[], Widget]:
    def make() -> Widget:
        pane_class = getattr(import_module(f"perftui.tui.widgets.{module}"), class_name)
        return cast("Widget", pane_class())

    return make


PANES = (
    PaneKind("Flame", "g", _in("flame_pane", "FlamePane")),
    PaneKind("Top", "t", _in("top_pane", "TopPane")),
    PaneKind("Threads", "h", _in("threads_pane", "ThreadsPane")),
    PaneKind("Imports", "i", _in("imports_pane", "ImportsPane")),
    PaneKind("Phases", "P", _in("phases_pane", "PhasesPane")),
    PaneKind("Log", "o", _in("log_pane", "LogPane")),
)
