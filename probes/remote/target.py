"""The target of a session elsewhere, as far as is known here."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.spine.records import Exit


class FarTarget:
    """See the module."""

    mark = None

    def __init__(self, pid: int, *, launched: bool) -> None:
        self.pid = pid
        self.launched = launched
        self.exit: Exit | None = None
        self._ended = Event()

    def tell(self, exit_: Exit | None) -> None:
        """It has ended, or nobody can say any more."""
        self.exit = exit_
        self._ended.set()

    def alive(self) -> bool:
        """Tell whether it still runs, as far as is known."""
        return not self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False if it did not come in time."""
        return self._ended.wait(timeout_s)
