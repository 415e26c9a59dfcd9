"""Which charts are seen and how large: keys change it, and it is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.terminal.panels import Panels

SEEN = {
    "all": "all charts",
    "memory": "memory alone of the charts",
    "cpu": "CPU alone of the charts",
    "none": "no charts",
}


class PanelActs:
    """Changes the layout, never what the charts are about.

    Args:
        shown: What is on the screen.
        remember: Keeps a choice for the next start; returns what went wrong, or "".
        say: Answers a key.
    """

    def __init__(self, shown: Shown, remember: Callable[[Panels], str], say: Say) -> None:
        self._shown = shown
        self._remember = remember
        self._say = say

    def full(self) -> None:
        """Give the open tab the whole height, or the charts their rows again."""
        panels = self._shown.panels
        self._take(replace(panels, full=not panels.full))

    def next_charts(self) -> None:
        """Hide charts one after the other, then show all of them."""
        panels = self._shown.panels.next_charts()
        self._keep(panels, f"{SEEN[panels.charts]}; H shows others")

    def resize(self, step: int) -> None:
        """Give the charts more rows, or fewer."""
        panels = self._shown.panels.resized(step)
        rows = f"{panels.rows:+d} rows for the charts" if panels.rows else "charts as they were"
        self._keep(panels, f"{rows}; ( and ) change it")

    def _take(self, panels: Panels) -> None:
        self._shown.panels = panels
        self._shown.choose(self._shown.selection)

    def _keep(self, panels: Panels, said: str) -> None:
        self._take(panels)
        wrong = self._remember(panels)
        self._say(f"{said} · {wrong}" if wrong else said, "warn" if wrong else "calm")
