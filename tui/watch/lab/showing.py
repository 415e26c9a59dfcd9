"""The newest picture of what is measured, handed from the thread that measures to the screen."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.tui.screens.lab.face import LabPicture, Stage


class Showing:
    """Holds one picture; see `screens.lab.face.ShownLab`."""

    def __init__(self, first: LabPicture) -> None:
        self._picture = first
        self._began_s = monotonic()
        self._took_s: float | None = None

    def picture(self) -> LabPicture:
        """Return the newest one."""
        return self._picture

    def elapsed_s(self) -> float:
        """Return the seconds since it began; after the end, what it took."""
        return monotonic() - self._began_s if self._took_s is None else self._took_s

    def put(self, picture: LabPicture) -> None:
        """Show another one from now on."""
        self._picture = picture

    def ended(self, stage: Stage) -> None:
        """Nothing more comes."""
        self._took_s = monotonic() - self._began_s
        self._picture = self._picture._replace(stage=stage, now="")
