"""Lets the program run between slices of a walk, and ends a walk that costs too much.

A slice holds the GIL for SLICE_S of CPU time. How many objects that are is measured: the clock is
looked at ever more often towards the end of a slice, and after whatever may have taken long.

A collection of the program's garbage may fall into a slice: it is due when so many objects have
been made, and whoever makes the next one has to do it. It would have come anyway; but a full one
takes long. So a slice does not begin while one is due, the program's threads get time to do it
themselves; and where one did fall into a slice, that is told apart from what the walk cost.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SLICE_S = 0.002
PAUSE_S = 0.003
MOST_BEFORE_CLOCK = 64
DUE = 48
"""A slice makes fewer objects that the collector counts than so many; nearer to the collector's
threshold it does not begin."""
WAITS = 4
"""Pauses in which the program's threads may do a collection that is due; if they do not, they
make no objects."""


class Slices:
    """One walk's.

    Args:
        gc: The module of that name; the program may never have imported it.
        budget_s: CPU time that the walk may take.
        most: Objects that it may look at.
        stopped: Tells that nobody wants it any more.
    """

    def __init__(
        self, gc: "Any", budget_s: float, most: int, stopped: "Callable[[], bool]"
    ) -> None:
        self._gc = gc
        self._budget_s = budget_s
        self._most = most
        self._stopped = stopped
        self.looked = 0
        self.cpu_s = 0.0
        """What the walk cost, once it is over; collections of the program's garbage not counted."""
        self.longest_s = 0.0
        """The longest that it held the GIL without a pause, in CPU time; without collections."""
        self.collected_s = 0.0
        """Collections of the program's garbage that fell into the walk, about."""
        self.bounded = ""
        """Why it ended before it had seen everything."""
        self._began_s = self._slice_s = time.thread_time()
        wait_for_the_collector(self._gc)
        self._begin()

    def step(self) -> bool:
        """Count one object; False once the walk is to end."""
        self.looked += 1
        if self.looked < self._next:
            return True
        return not self.bounded and self._look_at_clock()

    def soon(self) -> None:
        """Something was asked that may take long: look at the clock at the next step."""
        self._next = 0

    def rest(self) -> None:
        """A piece of what is done after a walk has ended is done: let others go on."""
        held_s = time.thread_time() - self._slice_s
        if held_s >= SLICE_S:
            self._note(held_s)
            time.sleep(PAUSE_S if not self._stopped() else 0)
            self._begin()

    def over(self) -> None:
        """The walk is over: note what it cost."""
        self._note(time.thread_time() - self._slice_s)
        self._slice_s = time.thread_time()
        self.cpu_s = self._spent_s()

    def _begin(self) -> None:
        self._collections_before = self._collections()
        self._looked_before = self.looked
        self._next = self.looked + MOST_BEFORE_CLOCK // 4
        self._slice_s = time.thread_time()

    def _look_at_clock(self) -> bool:
        if self.looked > self._most:
            return self._end("%d objects" % self.looked)
        held_s = time.thread_time() - self._slice_s
        if held_s < SLICE_S:
            done = self.looked - self._looked_before
            half = int((SLICE_S - held_s) / max(held_s, 1e-6) * done / 2)
            self._next = self.looked + min(max(half, 1), MOST_BEFORE_CLOCK)
            return True
        self._note(held_s)
        if self._stopped():
            return self._end("the program ended")
        if self._spent_s() > self._budget_s:
            return self._end("%d objects in %.0f ms" % (self.looked, self._spent_s() * 1e3))
        time.sleep(PAUSE_S)
        wait_for_the_collector(self._gc)
        self._begin()
        return True

    def _end(self, why: str) -> bool:
        self.bounded = why
        self._next = 0
        return False

    def _spent_s(self) -> float:
        return time.thread_time() - self._began_s - self.collected_s

    def _note(self, held_s: float) -> None:
        """A slice is over."""
        if held_s > 2 * SLICE_S and self._has_collected():
            self.collected_s += held_s - SLICE_S
        else:
            self.longest_s = max(self.longest_s, held_s)

    def _has_collected(self) -> bool:
        """Tell whether there was a collection since the slice began."""
        return self._collections() != self._collections_before

    def _collections(self) -> int:
        return sum([each["collections"] for each in self._gc.get_stats()])


def wait_for_the_collector(gc: "Any") -> None:
    """Let the program's threads do a collection that is due."""
    for _ in range(WAITS):
        most = gc.get_threshold()[0]
        if not most or not gc.isenabled() or gc.get_count()[0] <= most - DUE:
            return
        time.sleep(PAUSE_S)
