"""`--tracemalloc`: the window in which a launched program traces its allocations."""

from __future__ import annotations

from threading import Timer
from typing import TYPE_CHECKING

from perftui.probes.spine.records import BY_TRACEMALLOC

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.agent_link.order_board import OrderBoard
    from perftui.probes.spine.reader import Blame
    from perftui.probes.spine.records import Severity

_EVER_NS = 1 << 62


class TraceWindow:
    """Asks for it when its time has come. A `Probe`.

    Args:
        board: Where the target hears of it.
        pid: The target.
        at_s: Begin of the window, from `start` on.
        seconds: Its length.
        blame: Returns who made memory grow between two times.
        say: Puts a notice into the log.
    """

    def __init__(
        self,
        board: OrderBoard,
        pid: int,
        at_s: float,
        seconds: float,
        blame: Callable[[int, int], Blame],
        say: Callable[[Severity, str], None],
    ) -> None:
        self._blame = blame
        self._say = say
        self._timer = Timer(at_s, board.ask_for_tracemalloc, [pid, seconds])
        self._timer.daemon = True

    def start(self) -> None:
        """Wait for the begin of the window."""
        self._timer.start()

    def stop(self) -> None:
        """Ask for it no more, and say so if it has not come."""
        self._timer.cancel()
        looks = self._blame(0, _EVER_NS).looks
        if not any(look.by == BY_TRACEMALLOC for look in looks):
            self._say("warn", "tracemalloc: the program ended before, or does not hear us")
