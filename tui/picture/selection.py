"""What a person chose to look at: a frozen value that every pane is drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from perftui.probes.text.units import NS_PER_S

Weight = Literal["wall", "cpu", "waiting", "touched", "grown"]
AROUND_CURSOR_NS = NS_PER_S // 2
"""With a cursor and no range, the tabs are about this much before and after it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the person chose to look at, in absolute nanoseconds; None follows the session."""

    axis: tuple[int, int] | None = None
    """Zoomed time axis; None shows the whole session."""
    range: tuple[int, int] | None = None
    """Range that the tabs show; None shows the whole session."""
    cursor_ns: int | None = None
    around_ns: int = AROUND_CURSOR_NS
    """What the tabs show on each side of the cursor; 0: it only marks a moment."""
    paused_at_ns: int | None = None
    """The view stands still at this moment while the probes go on."""
    thread: tuple[int, int] | None = None
    """(pid, tid) chosen with < and >; None shows all threads, hottest first."""
    group: tuple[str, frozenset[tuple[int, int]]] | None = None
    """Name, and (pid, tid) of each, of the threads of a track that was chosen."""
    process: int | None = None
    """pid of the one process that is shown; None shows the whole tree."""
    weight: Weight = "wall"
    by_line: bool = False
    filter: str = ""
    merged: bool = False
    """The flame shows all threads as one, where none is chosen."""
    unfold: bool = False
    """The flame shows the frames of libraries, too."""
    inverted: bool = False
    """The flame shows what ran on top, and below it who called it."""
    against: bool = False
    """The flame shows the range against the time before it."""

    def with_(self, **changes: object) -> Selection:
        """Return a copy with some fields changed; who chooses a thread, or none, leaves a group."""
        if "thread" in changes:
            changes.setdefault("group", None)
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def threads(self) -> frozenset[tuple[int, int]] | None:
        """(pid, tid) of the threads that were chosen; None shows all."""
        if self.thread is not None:
            return frozenset((self.thread,))
        return None if self.group is None else self.group[1]
