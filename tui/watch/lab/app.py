"""The application around the screen of repeated runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.lab.screen import LabScreen
from perftui.tui.terminal.app import TerminalApp

if TYPE_CHECKING:
    from textual.screen import Screen

    from perftui.tui.screens.lab.face import ShownLab

_LOOK_S = 0.1


class LabApp(TerminalApp[None]):
    """Shows repeated runs until the person leaves, or until they fail as a whole."""

    def __init__(self, lab: ShownLab, *, ascii_only: bool | None = None) -> None:
        super().__init__(ascii_only=ascii_only)
        self._lab = lab

    def get_default_screen(self) -> Screen[None]:
        """Return the runs: there is no other below them."""
        return LabScreen(self._lab)

    def on_mount(self) -> None:
        """Leave when it has failed: why is said where the screen was. For signals see
        `TerminalApp.on_mount`."""
        self.set_interval(_LOOK_S, self._look)

    def _look(self) -> None:
        if self._lab.picture().stage == "failed":
            self.exit(None)

    def action_help_quit(self) -> None:
        """Ctrl+C on top of the runs (on a recording) does what it does everywhere: nothing."""
