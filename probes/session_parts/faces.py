"""What a session asks of its target, be that a process here, one at a far end or a cluster, and of
what measures it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from perftui.probes.process.family_mark import FamilyMark
    from perftui.probes.spine.records import Exit


class SessionTarget(Protocol):
    """What is watched."""

    @property
    def pid(self) -> int:
        """Its root's process id, or the number that stands for it."""
        ...

    @property
    def launched(self) -> bool:
        """True if we started it."""
        ...

    @property
    def mark(self) -> FamilyMark | None:
        """What it and all that it starts carry, if we started it."""
        ...

    @property
    def exit(self) -> Exit | None:
        """How it ended, None while it runs."""
        ...

    def alive(self) -> bool:
        """Tell whether it still runs."""
        ...

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; False if it did not come in time."""
        ...


class Stops(Protocol):
    """What measures, at a session's end."""

    def stop(self) -> None:
        """Write what is left, and end."""
        ...
