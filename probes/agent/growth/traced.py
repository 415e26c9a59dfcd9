"""What was allocated in some seconds and is still there: tracemalloc, on request, and off again.

Only what Python's own allocators give out is seen, and what numpy does. While it is on, a program
that makes small objects is 10 to 20 times slower. The tables of tracemalloc are read at once under
the GIL, which takes a microsecond for each block that is traced: when they grow beyond
MOST_TABLE_BYTES the window ends early.
"""

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from perftui.probes.agent.growth import inquiry
    from perftui.probes.agent.runtime import Agent

    Place = tuple[tuple[str, int], ...]
else:
    inquiry = sys.modules["_perftui_agent_growth_inquiry"]

BY = "tracemalloc"
FRAMES = 4
MOST_TABLE_BYTES = 24 << 20
"""Of tracemalloc itself: some 200,000 blocks, read within a quarter of a second."""
MOST_TOLD = 60
STACK_BYTES = 1_500
TURN_S = 0.1


class Traced:
    """One window.

    Args:
        agent: Gets the lines.
        seconds: How long it is.
    """

    def __init__(self, agent: "Agent", seconds: float) -> None:
        self._agent = agent
        self._module = inquiry.interpreters_own("_tracemalloc")
        self._longest_s = self._cpu_s = 0.0
        self._notes: "list[str]" = []
        self._was_on = self._module.is_tracing()
        self._program_has_it = "tracemalloc" in sys.modules
        self._before: "dict[Place, list[int]]" = {}
        self._t0_ns = time.monotonic_ns()
        self._rss0 = agent.rss()
        self._over = False
        if self._was_on:
            if self._module.get_tracemalloc_memory() > MOST_TABLE_BYTES:
                self._notes.append("the program traces too much itself for it to be read")
                self._over = True
            else:
                self._before = self._snapshot()
        else:
            self._module.start(FRAMES)
        self._until = time.monotonic() + seconds

    def turn(self) -> float:
        """Go on; returns the seconds until the next turn, 0 when it is done."""
        left = self._until - time.monotonic()
        if left > 0 and not self._over:
            if self._module.get_tracemalloc_memory() <= MOST_TABLE_BYTES:
                return min(left, TURN_S)
            self._notes.append("ended early: more blocks came than are read at once")
        self.finish()
        return 0.0

    def drop(self) -> None:
        """Forget it: this process is a child of the one that was asked."""
        self._stop()

    def finish(self) -> None:
        """Take the second snapshot, stop, and tell."""
        found: "dict[Place, list[int]]" = {}
        looked = 0
        if not self._module.is_tracing():
            self._notes.append("the program has stopped tracemalloc meanwhile")
        elif not self._over:
            found = self._snapshot()
            looked = sum(cell[1] for cell in found.values())
        now = time.monotonic_ns()
        self._stop()
        for place, (size, count) in self._before.items():
            cell = found.setdefault(place, [0, 0])
            cell[0] -= size
            cell[1] -= count
        rows = sorted(found.items(), key=lambda row: -row[1][0])
        self._tell(now, [row for row in rows if row[1][0] > 0][:MOST_TOLD], looked)

    def _stop(self) -> None:
        if self._was_on or not self._module.is_tracing():
            return
        if not self._program_has_it and "tracemalloc" in sys.modules:
            self._notes.append("left on: the program has imported tracemalloc meanwhile")
            return
        began = time.monotonic()
        self._module.stop()
        self._longest_s = max(self._longest_s, time.monotonic() - began)

    def _snapshot(self) -> "dict[Place, list[int]]":
        """Return bytes and blocks by traceback, innermost first; what is ours is left out."""
        began, cpu = time.monotonic(), time.thread_time()
        traces: "list[Any]" = self._module._get_traces()
        self._longest_s = max(self._longest_s, time.monotonic() - began)
        ours = __file__.rpartition("/growth/")[0] + "/"
        sums: "dict[Place, list[int]]" = {}
        for trace in traces:
            place = trace[2]
            if place[0][0].startswith(ours):
                continue
            cell = sums.get(place)
            if cell is None:
                cell = sums[place] = [0, 0]
            cell[0] += trace[1]
            cell[1] += 1
        self._cpu_s += time.thread_time() - cpu
        return sums

    def _tell(self, now: int, rows: "list[tuple[Place, list[int]]]", looked: int) -> None:
        agent = self._agent
        rss = agent.rss()
        rose = rss - self._rss0 if type(rss) is int and type(self._rss0) is int else None
        agent.wire.send(
            '{"k":"growth_look","t":%d,"pid":%d,"t0":%d,"by":%s,"rose":%s,"looked":%d,'
            '"cpu_ns":%d,"longest_ns":%d,"note":%s,"told":%d'
            % (
                now,
                agent.pid,
                self._t0_ns,
                agent.quote(BY),
                "null" if rose is None else rose,
                looked,
                int(self._cpu_s * 1e9),
                int(self._longest_s * 1e9),
                agent.quote("; ".join(self._notes)),
                len(rows),
            )
        )
        for place, (size, count) in rows:
            stack = "\n".join("%s:%d" % (file[-200:], line) for file, line in place)
            agent.wire.send(
                '{"k":"traced","t":%d,"pid":%d,"t0":%d,"bytes":%d,"blocks":%d,"stack":%s'
                % (
                    now,
                    agent.pid,
                    self._t0_ns,
                    size,
                    max(count, 0),
                    agent.quote(stack, STACK_BYTES),
                )
            )


def begin(agent: "Agent", words: "list[str]", ending: "Callable[[], bool]") -> "Traced | None":
    """Carry out an order: SECONDS; None if the process is about to end."""
    return None if ending() else Traced(agent, float(words[0]))
