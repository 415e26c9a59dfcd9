"""In which function memory rises, before Python 3.12: the threads are profiled in short bursts.

What `rises.Rises` does by `sys.monitoring`, by a profiler in C that is set on the program's
threads (`thread_states`, `profiled`): every function in a burst, not the suspects alone. Calls of
Python functions cost most, and from 3.11 on Python code runs unspecialised meanwhile. So a burst is
short, the more is called the shorter, and all of them have a part of the program's CPU time.

A thread that has a profiler or a tracer already is left alone, and where it is not sure to go well
nothing is done at all: both are said.
"""

import sys
import time
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from perftui.probes.agent.growth import census, pace, profiled, rises, thread_states
    from perftui.probes.agent.runtime import Agent
else:
    census = sys.modules["_perftui_agent_growth_census"]
    pace = sys.modules["_perftui_agent_growth_pace"]
    profiled = sys.modules["_perftui_agent_growth_profiled"]
    rises = sys.modules["_perftui_agent_growth_rises"]
    thread_states = sys.modules["_perftui_agent_growth_thread_states"]

MISSING = "not measured at entry and exit: "
EVENT_S = 2.5e-6
"""What an event costs the program: entry and exit of a Python function."""
SLOWED = 0.3 if sys.version_info >= (3, 11) else 0.1
"""Of the CPU time in a burst, what else it costs: calls of C, and of 3.11 unspecialised code."""
SHARE = 0.06
"""Of the CPU time of the program, more than which bursts may not cost; of a program that waits,
at least of IDLE of the time."""
IDLE = 0.5
SHORTEST_S = 0.02
LONGEST_S = 0.25
LEAST_RAN_S = 0.005
LOOK_AGAIN_S = 0.05
TRIES = 3
"""To find a thread where it was a moment ago."""
MOST_THREADS = 64
"""With more, those are measured that touched most memory since the burst before."""
MOST_ROWS = 40
WAITS_S = (0.0, 0.001, 0.005, 0.02, 0.05, 0.1)
"""For a thread that collects garbage within the profiler."""


class Bursts(rises.Gains):
    """Measures from `begin` to `end`, as `rises.Rises` does.

    Args:
        agent: Knows RSS.
        load: Returns a module of the interpreter's by its name.
    """

    how = "in bursts"

    def __init__(self, agent: "Agent", load: "Callable[[str], Any]") -> None:
        super().__init__()
        self._agent = agent
        self._load = load
        self._gc = load("gc")
        self._resource = load("resource")
        self._open_ones: "list[profiled.Profiled]" = []
        self._until = 0.0
        self._opened = (0.0, 0.0, 0, 0)
        """Time, CPU time, pages and faults when the burst began."""
        self._is_open = False
        self._rate = 1.0
        """What a burst cost of its time."""
        self._spent_s = 0.0
        self._met_faults: "dict[int, int]" = {}
        """Of threads, when they were read last."""
        self._sums: "dict[CodeType, list[int]]" = {}
        """Calls, pages and faults."""
        self._left_alone: "set[int]" = set()
        self._on = False
        self._states: "thread_states.ThreadStates"

    def begin(self) -> str:
        """Begin; returns why that cannot be, "" if it can."""
        why = thread_states.why_not()
        if not why and not self._agent.owns_statm():
            why = "the program has closed our descriptor"
        if not why:
            try:
                self._states = thread_states.ThreadStates(self._load)
            except thread_states.Unfit as error:
                why = str(error)
        if why:
            self.missing = MISSING + why
            return self.missing
        self._on = True
        self._memory = profiled.MemoryClock(self._states, self._resource, self._agent.statm_fd)
        self._page_bytes = int(sys.modules["posix"].sysconf("SC_PAGE_SIZE"))
        self._began = (time.monotonic(), time.process_time())
        self._open(SHORTEST_S)
        return ""

    def turn(self) -> float:
        """Go on; returns the seconds until the next turn."""
        if not self._on:
            return LONGEST_S
        now = time.monotonic()
        if self._is_open:
            if now < self._until:
                return self._until - now
            # One in which the program got nothing of a CPU has met nothing.
            ran_s = time.process_time() - self._opened[1]
            if ran_s < LEAST_RAN_S and now - self._opened[0] < LONGEST_S:
                return LEAST_RAN_S
            self._close()
        wall_s, cpu_s = now - self._began[0], time.process_time() - self._began[1]
        left_s = SHARE * max(cpu_s, IDLE * wall_s) - self._spent_s
        if left_s < SHORTEST_S * self._rate:
            return LOOK_AGAIN_S
        why = thread_states.why_not()
        if why:  # since the last one
            self.missing = MISSING + why
            return LONGEST_S
        self._open(min(LONGEST_S, left_s / self._rate))
        return max(self._until - time.monotonic(), 0.001)

    def end(self) -> None:
        """Leave the program as it was. Twice is fine."""
        if self._on and self._is_open:
            self._close()
        self._on = False

    def drop(self) -> None:
        """Leave a forked child as it was: what was measured is its parent's."""
        if self._on:
            self._on = False
            for each in self._open_ones:
                profiled.never_free(each)
            profiled.leave_this_thread()  # there is no other one

    def settle(self) -> None:
        """Once it has ended: sum up."""
        if not self.windows and not self.missing:
            self.missing = MISSING + (
                thread_states.PROGRAMS_OWN if self._left_alone else "no thread could be taken"
            )
        first = sorted(self._sums.items(), key=lambda item: (-item[1][2], -abs(item[1][1])))
        for code, (calls, pages, faults) in first[:MOST_ROWS]:
            suspect = rises.Suspect(code)
            suspect.calls, suspect.faults = max(calls, 0), faults
            suspect.rss_bytes = pages * self._page_bytes
            self.suspects.append(suspect)
        super().settle()

    def cost_s(self) -> float:
        """Return what it has cost the program, about."""
        return self._spent_s

    def notes(self) -> "list[str]":
        """Return what keeps the answer from being whole."""
        if not self._left_alone:
            return []
        return ["%d of its threads left alone: profiled or traced already" % len(self._left_alone)]

    def _faults_now(self) -> int:
        usage = self._resource.getrusage(self._resource.RUSAGE_SELF)
        return int(usage.ru_minflt)

    # --- a burst ------------------------------------------------------------------------------

    def _open(self, seconds: float) -> None:
        began_s = time.thread_time()
        faults_of, tids = rises.faults_by_thread(), rises.tids_by_thread()
        idents = [ident for ident in faults_of if ident != get_ident() and ident in tids]
        if len(idents) > MOST_THREADS:
            idents.sort(key=lambda each: self._met_faults.get(each, 0) - faults_of[each])
            idents = idents[:MOST_THREADS] if self._met_faults else []
        self._met_faults = faults_of
        pace.wait_for_the_collector(self._gc)
        self._opened = (
            time.monotonic(),
            time.process_time(),
            self._memory.pages(),
            self._faults_now(),
        )
        self._is_open = True
        for ident in idents:
            self._take(ident, tids[ident])
        self._until = time.monotonic() + seconds
        self._spent_s += time.thread_time() - began_s

    def _take(self, ident: int, tid: int) -> None:
        for _ in range(TRIES):
            one = profiled.Profiled(self._states, self._memory, ident, tid)
            try:
                why = one.begin(rises.frames_of_threads)
            except OSError:
                return  # it has ended
            finally:
                if one.profiler is not None:
                    self._open_ones.append(one)
            if why == "":
                return
            if one.profiler is not None:  # it had moved on: what it met is worth nothing
                self._open_ones.pop()
                self._let_go(one)
            elif why:
                self._left_alone.add(ident)
                return

    def _close(self) -> None:
        """Measure no more for now, and add up what was met."""
        began_s = time.thread_time()
        taken, self._open_ones = self._open_ones, []
        self._is_open = False
        ends = [one.end() for one in taken]
        opened_s, cpu_s, pages, faults = self._opened
        lasted_s = time.monotonic() - opened_s
        cpu_s = time.process_time() - cpu_s
        rose, touched = self._memory.pages() - pages, max(self._faults_now() - faults, 0)
        met = []
        calls = 0
        for one, state in zip(taken, ends):
            if not self._let_go(one) or state is None:
                continue
            stats = one.stats(ended=state is False)
            if stats is not None:
                met.append((one, profiled.own_gains(stats, is_programs), stats))
                calls += sum([each.callcount for each in stats])
        if met:
            self.windows += 1
            self.rose_bytes += rose * self._page_bytes
            self.faults += touched
            self.measured_s += lasted_s
            for one, gains, stats in met:
                self._add(one, gains, stats, touched, alone=len(met) == 1)
        cost_s = min(2 * calls * EVENT_S + SLOWED * cpu_s, lasted_s)
        cost_s += time.thread_time() - began_s
        self._spent_s += cost_s
        self._rate = max(cost_s / max(lasted_s, 0.001), SLOWED / 10)

    def _add(
        self, one: "profiled.Profiled", gains: "Any", stats: "Any", touched: int, *, alone: bool
    ) -> None:
        faults = sum([profiled.split(each.inlinetime)[1] for each in stats])
        self._new_faults[one.ident] = self._new_faults.get(one.ident, 0) + faults
        # RSS is that of all threads: of one that took nothing it says nothing.
        counts = alone or faults > rises.SEVERAL_SHARE * touched
        for code, (calls, pages, faults) in gains.items():
            sums = self._sums.setdefault(code, [0, 0, 0])
            sums[0] += calls - one.entered.get(code, 0)
            sums[1] += pages if counts else 0
            sums[2] += faults

    def _let_go(self, one: "profiled.Profiled") -> bool:
        """Wait until a thread is out of the profiler; what it does not leave is never freed."""
        for pause_s in WAITS_S:
            if pause_s:
                time.sleep(pause_s)
            if not one.is_busy():
                return True
        profiled.never_free(one)
        return False


def is_programs(code: "Any") -> bool:
    """Tell whether a row is for this code, else it is its callers'."""
    if type(code) is str or code.co_name in profiled.WITHIN_CODE:
        return False
    return census.is_own_file(code.co_filename)
