"""What the collector of cycles takes: how often it ran, in which generation, for how long.

It calls whoever is in `gc.callbacks` before and after each collection. A function of Python's
there would do harm: the handler of a signal that came during the collection would run in it, and
what that raises (KeyboardInterrupt) would be lost. So what we put there has no bytecode at all: a
property whose getter is `next` of a `map` that appends the time to a list.

Each collection costs 1 to 2.5 microseconds more then. Where there are thousands in a second, those
of a tenth of the time are timed, and the others are taken to be like them; that is told.
"""

import posix
import sys
import time
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.runtime import Agent

MANY_PER_S = 1500
"""From here on not all are timed."""
ON_S = 0.025
OFF_S = 0.225
IDLE_S = 60.0
"""When to look again is up to who calls us: long enough not to count."""
KEPT = 4096
"""Collections between two looks; of more, the last ones."""
MEAN_OF = 20
"""What was not timed is taken to be like the mean of so many that were."""
LONG_NS = 5_000_000
"""A collection from here on is told by itself."""
_HELP = ("gc", "_collections", "_functools")


class Collector:
    """Follows the collections of this process.

    Args:
        agent: Gets the lines.
        register_at_fork: As `posix.register_at_fork`; of an agent that leaves again, its own.
    """

    def __init__(
        self, agent: "Agent", register_at_fork: "Callable[..., Any]" = posix.register_at_fork
    ) -> None:
        self._agent = agent
        before = set(sys.modules)
        import gc
        from _collections import deque  # type: ignore[import-not-found]
        from _functools import partial  # type: ignore[import-not-found]

        for name in _HELP:
            if name not in before:
                sys.modules.pop(name, None)  # the program imports them itself
        self._gc = gc
        starts: "Any" = deque(maxlen=KEPT)
        stops: "Any" = deque(maxlen=KEPT)

        def stamp(times: "Any") -> property:
            # `next(iterator, default)`: the default is the instance that the getter is given.
            times_in = map(times.append, iter(time.monotonic_ns, None))
            return property(partial(next, times_in))

        clock = type("_Clock", (), {"start": stamp(starts), "stop": stamp(stops)})()
        kind = type("_Infos", (deque,), {"stop": property(None, deque.append)})
        infos = kind(maxlen=KEPT)
        self._starts, self._stops, self._infos = starts, stops, infos
        # Both are called with (phase, info): getattr(clock, phase, info), setattr(infos, ...).
        self._callbacks = [partial(getattr, clock), partial(setattr, infos)]
        self._lately: "dict[int, tuple[float, float]]" = {}
        self._on = self._given_up = False
        self._off_ns = 0
        self._begin()
        register_at_fork(after_in_child=self._begin)
        agent.before_bye.append(self._last)

    def _begin(self) -> None:
        """Begin anew; in a forked child, what was before is the parent's to tell."""
        self._telling = RLock()  # our thread may be at it when the program ends
        now_ns = time.monotonic_ns()
        self._told_ns = self._watched_from_ns = now_ns
        self._counts = self._count()
        for times in (self._starts, self._stops, self._infos):
            times.clear()
        if not self._given_up:
            self._switch(True, now_ns)

    def _switch(self, on: bool, now_ns: int) -> None:
        """Have collections timed from now on, or no longer."""
        if on == self._on:
            return
        self._on = on
        if on:
            self._gc.callbacks.extend(self._callbacks)
            self._watched_from_ns = now_ns
        else:
            for each in self._callbacks:
                at = self._place_of(each)
                if at is not None:
                    del self._gc.callbacks[at]

    def _place_of(self, callback: "Any") -> "int | None":
        """Return where a callback of ours is in the list; those of the program are not asked."""
        for at, each in enumerate(self._gc.callbacks):
            if each is callback:
                return at
        return None

    def _count(self) -> "list[tuple[int, int]]":
        """Return (collections, objects collected) so far of each generation."""
        return [(each["collections"], each["collected"]) for each in self._gc.get_stats()]

    def turn(self) -> float:
        """Tell what there was since the last turn; returns the seconds until the next one."""
        with self._telling:  # not while it ends: it would begin anew
            return self._turn()

    def _turn(self) -> float:
        now_ns = time.monotonic_ns()
        if self._given_up:
            return IDLE_S
        if not self._on:
            left_s = OFF_S - (now_ns - self._off_ns) / 1e9
            if left_s > 0:
                return left_s
            self._switch(True, now_ns)
            return ON_S
        if self._place_of(self._callbacks[0]) is None:
            self._on, self._given_up = False, True
            said = "collections are no longer timed: the program has emptied gc.callbacks"
            self._agent.say(said)
            return IDLE_S
        timed = self._tell(now_ns)
        if timed > max(MANY_PER_S * (now_ns - self._watched_from_ns) / 1e9, 10):
            self._switch(False, now_ns)
            self._off_ns = now_ns
            return OFF_S
        self._watched_from_ns = now_ns
        return IDLE_S

    def _last(self) -> None:
        with self._telling:
            if not self._given_up:
                self._tell(time.monotonic_ns())
            self._given_up = True  # a turn of another thread may still come
            self._switch(False, 0)

    def _tell(self, now_ns: int) -> int:
        """Say what there was; returns how many collections were timed."""
        counts = self._count()
        before, self._counts = self._counts, counts
        t0_ns, self._told_ns = self._told_ns, now_ns
        timed = self._timed()
        for generation, (count, collected) in enumerate(counts):
            known, collected_before = before[generation]
            n, collected = count - known, collected - collected_before
            mine = [(start, stop) for start, stop, of in timed if of == generation]
            mean_ns = self._mean_ns(generation, [stop - start for start, stop in mine])
            for start, stop in mine:
                if stop - start >= LONG_NS:
                    self._line(stop, start, generation, 1, 1, stop - start, stop - start, 0)
                    n -= 1
            took_ns = [stop - start for start, stop in mine if stop - start < LONG_NS]
            if n > 0 or took_ns or collected > 0:
                n = max(n, len(took_ns))
                pause_ns = sum(took_ns) + round((n - len(took_ns)) * mean_ns)
                self._line(
                    now_ns,
                    t0_ns,
                    generation,
                    n,
                    len(took_ns),
                    min(pause_ns, now_ns - t0_ns),
                    max(took_ns, default=0),
                    max(collected, 0),
                )
        return len(timed)

    def _mean_ns(self, generation: int, took_ns: "list[int]") -> float:
        """Return what a collection of a generation took of late, 0.0 if none was timed yet."""
        n, total_ns = self._lately.get(generation, (0.0, 0.0))
        if took_ns:
            fade = max(1 - len(took_ns) / MEAN_OF, 0.0)
            n, total_ns = fade * n + len(took_ns), fade * total_ns + sum(took_ns)
            self._lately[generation] = n, total_ns
        return total_ns / n if n else 0.0

    def _timed(self) -> "list[tuple[int, int, int]]":
        """Take start, end and generation of the collections that have been timed."""
        starts, stops, infos = self._starts, self._stops, self._infos
        found = []
        for _ in range(len(infos)):
            stop, info = stops.popleft(), infos.popleft()
            while starts and starts[0] <= stop:
                start = starts.popleft()
                if not starts or starts[0] > stop:  # else its end was not seen
                    found.append((start, stop, info["generation"]))
        return found

    def _line(self, t_ns: int, t0_ns: int, *values: int) -> None:
        self._agent.emit(
            t_ns,
            '{"k":"gc","t":%d,"pid":%d,"t0":%d,"generation":%d,"n":%d,"timed":%d,'
            '"pause":%d,"longest":%d,"collected":%d' % (t_ns, self._agent.pid, t0_ns, *values),
        )
