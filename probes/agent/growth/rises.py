"""In which function memory rises: what RSS and the thread's page faults are at entry and exit.

Events of `sys.monitoring` (Python 3.12 on), of the suspects' code alone, for some seconds. What a
thread gained between two of its events belongs to the innermost suspect that it was in, what it
gained outside of all of them to the rest: the parts add up to what it gained.

RSS is the process's. While several threads take memory, it rises in functions that do nothing for
it; the page faults are the thread's own. What the events cost is bounded: a suspect that is called
too often and touches no memory is let go; if those that do are called too often, they are measured
a part of the time (`_Window`).
"""

import posix
import sys
import time
from _thread import allocate_lock, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from perftui.probes.agent.growth import census, keepers
    from perftui.probes.agent.runtime import Agent
else:
    census = sys.modules["_perftui_agent_growth_census"]
    keepers = sys.modules["_perftui_agent_growth_keepers"]

frames_of_threads: "Any" = getattr(
    sys.modules.get("_perftui_agent"), "frames_of_threads", sys._current_frames
)
"""`runtime.frames_of_threads`, where that is loaded."""

NAME = "perftui"
TOOL_IDS = (4, 3, 2)
"""Two that nobody has a claim on, then the one for profilers."""
COST_S = 6e-6
"""About what an event costs the program: entry and exit, RSS, page faults."""
SHARE = 0.03
"""Of the CPU time of the program, more than which the events may not cost."""
CHECK_EVERY = 64
WINDOW_EVENTS = 512
"""Fewer are not worth a window."""
ENOUGH_CALLS = 400
MATTERS_SHARE = 0.05
"""A suspect that met less of the page faults in ENOUGH_CALLS does without measuring,"""
MATTERS_A_CALL = 1 / 200
"""and one that met fewer of them in a call: 20 bytes."""
SOON_S = 0.05
"""A thread is read a moment before it is looked at where it is: of what it gained before an event
that comes so soon it cannot be said in which function that was."""
MOST_THREADS = 64
"""With more it takes too long to see where they are: no windows."""
SWITCHES_S = 1.0
"""For so long we wait for a thread that turns events off; in a forked child it is not there."""
MOST_SUSPECTS = 40
SEVERAL_SHARE = 0.1
ALONE_SHARE = 0.9
"""A thread with more of all page faults is the one by which RSS rose."""
SEVERAL = "several threads took memory: RSS is that of all, touched bytes are the thread's own"
IDLE_S = 0.25
"""So long after a turn comes the next one."""


class Suspect:
    """One function, and what memory did in it."""

    def __init__(self, code: "CodeType") -> None:
        self.code = code
        self.calls = 0
        self.rss_bytes = 0
        self.faults = 0
        self.dropped = False


class _Thread:
    """Where one thread is, and what was read at its last event."""

    __slots__ = ("faults", "fresh", "inside", "new_faults", "rss")

    def __init__(self, inside: "list[int]", rss: int, faults: int, fresh: bool = False) -> None:
        self.fresh = fresh
        """It has had no event in this window: its figures are of some moment before it."""
        self.inside = inside
        self.rss = rss
        self.faults = faults
        self.new_faults = 0
        """Since the window began."""


class _Window:
    """A span of time in which the suspects are measured: one from `begin` to `end`, or several."""

    def __init__(self, rss: int, faults: int) -> None:
        self.began_s = time.monotonic()
        self.rss = rss
        self.faults = faults
        self.threads: "dict[int, _Thread]" = {}


class Gains:
    """What was found out at entry and exit of functions, by whatever way."""

    def __init__(self) -> None:
        self.missing = ""
        """Why nothing could be measured."""
        self.suspects: "list[Suspect]" = []
        self._new_faults: "dict[int, int]" = {}
        """By thread, in all windows."""
        self.rest_rss = 0
        self.rest_faults = 0
        self.rose_bytes = 0
        """RSS of the process, while it was measured."""
        self.faults = 0
        """Of the process."""
        self.measured_s = 0.0
        self.windows = 0
        self.several = False
        """Several threads took memory: RSS rose in each of them by what the others took, too."""

    def settle(self) -> None:
        """Once it has ended: sum up."""
        parts = list(self._new_faults.values())
        parts.append(self.faults - sum(parts))
        self.several = sum(part > SEVERAL_SHARE * self.faults for part in parts) > 1
        self.rest_rss = self.rose_bytes - sum(each.rss_bytes for each in self.suspects)
        self.rest_faults = max(self.faults - sum(each.faults for each in self.suspects), 0)


class Rises(Gains):
    """Measures the suspects from `begin` to `end`.

    Args:
        agent: Knows RSS.
        resource: The module of that name.
        suspects: (file, qualified name) of functions.
    """

    how = "called often, so"

    def __init__(self, agent: "Agent", resource: "Any", suspects: "set[tuple[str, str]]") -> None:
        super().__init__()
        self._rss = agent.rss
        self._report = agent.report
        self._usage = resource.getrusage
        self._who = resource.RUSAGE_THREAD
        self._whole = resource.RUSAGE_SELF
        self.suspects = [Suspect(code) for code in codes_named(suspects)]
        self._index = {suspect.code: n for n, suspect in enumerate(self.suspects)}
        self._window: "_Window | None" = None
        self._few_threads = True
        self._switching = allocate_lock()
        """Held by who turns events on or off: we, or a thread of the program's that must not meet
        an error there because we have ended meanwhile."""
        self._tool = -1
        self._me = 0
        self.events = 0
        self._paid = 0
        """Events that did not count any more when a suspect was let go."""
        self._began = 0.0

    def begin(self) -> str:
        """Begin; returns why that cannot be, "" if it can."""
        self.missing = self._begin()
        return self.missing

    def _begin(self) -> str:
        monitoring: "Any" = getattr(sys, "monitoring", None)
        if not self.suspects:
            return "no function of the program's is suspected"
        for tool in TOOL_IDS:
            if monitoring.get_tool(tool) is None:
                self._tool = tool
                break
        else:
            return "other tools have taken sys.monitoring"
        monitoring.use_tool_id(self._tool, NAME)
        self._events = monitoring.events
        for event, call in self._callbacks(monitoring.events).items():
            monitoring.register_callback(self._tool, event, call)
        local = (
            monitoring.events.PY_START
            | monitoring.events.PY_RESUME
            | monitoring.events.PY_RETURN
            | monitoring.events.PY_YIELD
        )
        self._local = local
        self._began = time.process_time()
        self._me = get_ident()
        with self._switching:
            self._open()
        monitoring.set_events(self._tool, monitoring.events.PY_UNWIND)
        return ""

    def turn(self) -> float:
        """Some time has passed: go on, if the events were suspended and there is room for more.

        Returns the seconds until the next turn.
        """
        elapsed_s = time.process_time() - self._began
        if self._tool < 0 or self._window is not None:
            return IDLE_S
        if (self._events_since() + WINDOW_EVENTS) * COST_S < SHARE * elapsed_s:
            with self._switching:
                self._open()
        return IDLE_S

    def end(self) -> None:
        """Leave the program as it was. Twice is fine."""
        monitoring: "Any" = getattr(sys, "monitoring", None)
        if self._tool < 0:
            return
        alone = self._switching.acquire(True, SWITCHES_S)
        self._close()
        tool, self._tool = self._tool, -1
        monitoring.set_events(tool, 0)
        for suspect in self.suspects:
            monitoring.set_local_events(tool, suspect.code, 0)
        for event in self._callbacks(monitoring.events):
            monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)
        if alone:
            self._switching.release()

    def drop(self) -> None:
        """Leave a forked child as it was."""
        self.end()

    def cost_s(self) -> float:
        """Return what it has cost the program, about."""
        return 2 * COST_S * sum(each.calls for each in self.suspects)

    def notes(self) -> "list[str]":
        """Return what keeps the answer from being whole."""
        dropped = [
            getattr(each.code, "co_qualname", each.code.co_name)
            for each in self.suspects
            if each.dropped
        ]
        if not dropped:
            return []
        return ["called too often, so counted in its callers: " + ", ".join(dropped[:5])]

    def _open(self) -> None:
        """Measure from now on."""
        monitoring: "Any" = getattr(sys, "monitoring", None)
        # First: who runs meanwhile without events would count where it is found.
        for suspect in self.suspects:
            if not suspect.dropped:
                monitoring.set_local_events(self._tool, suspect.code, self._local)
        window = _Window(self._rss_now(), self._usage(self._whole).ru_minflt)
        self._where_they_are(window)
        self._window = window
        self.windows += 1

    def _close(self) -> None:
        """Measure no more for now: give what threads gained since their last event."""
        window = self._window
        if window is None:
            return
        monitoring: "Any" = getattr(sys, "monitoring", None)
        # While events still tell where each thread is; what it does after that counts for nobody.
        rss, faults_of = self._rss_now(), faults_by_thread()
        faults = max(self._usage(self._whole).ru_minflt - window.faults, 0)
        for ident, thread in list(window.threads.items()):
            gained = faults_of.get(ident, thread.faults) - thread.faults
            thread.new_faults += max(gained, 0)
            self._new_faults[ident] = self._new_faults.get(ident, 0) + thread.new_faults
            if thread.inside and gained >= 0:  # else it has had an event since
                suspect = self.suspects[thread.inside[-1]]
                suspect.faults += gained
                if len(window.threads) == 1 or gained > ALONE_SHARE * faults:
                    suspect.rss_bytes += rss - thread.rss
        self._window = None
        for suspect in self.suspects:
            monitoring.set_local_events(self._tool, suspect.code, 0)
        self.rose_bytes += self._rss_now() - window.rss
        self.faults += max(self._usage(self._whole).ru_minflt - window.faults, 0)
        self.measured_s += time.monotonic() - window.began_s

    def _callbacks(self, events: "Any") -> "dict[int, Callable[..., Any]]":
        return {
            events.PY_START: self._enter,
            events.PY_RESUME: self._enter,
            events.PY_RETURN: self._leave,
            events.PY_YIELD: self._leave,
            events.PY_UNWIND: self._unwind,
        }

    def _rss_now(self) -> int:
        rss = self._rss()
        return rss if type(rss) is int else 0

    def _where_they_are(self, window: _Window) -> None:
        """Note which suspects run now: they may never be entered again."""
        faults_of = faults_by_thread()
        frames = frames_of_threads()
        self._few_threads = len(frames) <= MOST_THREADS
        for ident, frame in frames.items():
            if ident == self._me:
                continue
            inside = []
            at: "Any" = frame
            while at is not None:
                number = self._index.get(at.f_code)
                if number is not None:
                    inside.append(number)
                at = at.f_back
            if inside and ident in faults_of:
                inside.reverse()
                window.threads[ident] = _Thread(inside, window.rss, faults_of[ident], True)

    # --- in the program's threads ---------------------------------------------------------

    def _charge(self, window: _Window) -> _Thread:
        """Give the innermost suspect what the thread gained since its last event."""
        rss, faults = self._rss_now(), self._usage(self._who).ru_minflt
        ident = get_ident()
        thread = window.threads.get(ident)
        if thread is None:
            thread = window.threads[ident] = _Thread([], rss, faults)
            return thread
        told = not thread.fresh or time.monotonic() - window.began_s > SOON_S
        thread.fresh = False
        if thread.inside and told:
            suspect = self.suspects[thread.inside[-1]]
            suspect.rss_bytes += rss - thread.rss
            suspect.faults += faults - thread.faults
        thread.new_faults += faults - thread.faults
        thread.rss, thread.faults = rss, faults
        self.events += 1
        if not self.events % CHECK_EVERY and self._switching.acquire(False):
            try:
                if self._tool >= 0:
                    self._bound()
            except Exception as error:  # we are in the program's own call
                self._window = None
                self._report(error)
            finally:
                self._switching.release()
        return thread

    def _enter(self, code: "CodeType", offset: int) -> None:
        number = self._index.get(code)
        window = self._window
        if number is None or window is None:
            return
        self._charge(window).inside.append(number)
        self.suspects[number].calls += 1

    def _leave(self, code: "CodeType", offset: int, value: object) -> None:
        number = self._index.get(code)
        window = self._window
        if number is None or window is None:
            return
        inside = self._charge(window).inside
        if number in inside:
            while inside.pop() != number:
                pass  # left without an event

    def _unwind(self, code: "CodeType", offset: int, error: BaseException) -> None:
        if code in self._index:
            self._leave(code, offset, error)

    def _events_since(self) -> int:
        return self.events - self._paid

    def _bound(self) -> None:
        """If the events cost too much: let the suspect go that is called most, unless memory is
        touched in it, or that is not known yet. Then there is a pause."""
        elapsed_s = max(time.process_time() - self._began, 0.02)
        if self._events_since() * COST_S < SHARE * elapsed_s:
            return
        left = [each for each in self.suspects if not each.dropped]
        if not left:
            return
        most = max(left, key=lambda each: each.calls)
        met = sum(each.faults for each in self.suspects)
        little = max(MATTERS_SHARE * met, MATTERS_A_CALL * most.calls)
        known = most.calls >= ENOUGH_CALLS and most.faults <= little
        if not known and self._few_threads:
            self._close()
            return
        most.dropped = True
        monitoring: "Any" = getattr(sys, "monitoring", None)
        monitoring.set_local_events(self._tool, most.code, 0)
        self._paid = self.events
        self._began = time.process_time()


def running() -> "set[tuple[str, str]]":
    """Return file and qualified name of the program's functions that run now."""
    found: "set[tuple[str, str]]" = set()
    for frame in frames_of_threads().values():
        at: "Any" = frame
        while at is not None and len(found) < MOST_SUSPECTS:
            code = at.f_code
            if census.is_own_file(code.co_filename):
                found.add((code.co_filename, getattr(code, "co_qualname", code.co_name)))
            at = at.f_back
    return found


def codes_named(suspects: "set[tuple[str, str]]") -> "list[CodeType]":
    """Return the code of functions by file and qualified name, and of what they may call.

    What is called for microseconds is met by few samples or none. Its name stands in its callers.
    """
    own: "dict[int, CodeType]" = {}
    for module, values in keepers.own_modules():
        for code in keepers.codes_of(module, values):
            own[id(code)] = code
    called: "dict[str, list[CodeType]]" = {}
    for code in own.values():
        name: "Any" = getattr(code, "co_qualname", code.co_name)
        called.setdefault(code.co_name, []).append(code)
        if code.co_name in ("__init__", "__new__", "__call__"):
            called.setdefault(name.rpartition(".")[0].rpartition(".")[2], []).append(code)
    found = {
        number: code
        for number, code in own.items()
        if (code.co_filename, getattr(code, "co_qualname", code.co_name)) in suspects
    }
    below = list(found.values())
    while below and len(found) < MOST_SUSPECTS:
        code = below.pop(0)
        for name in code.co_names:
            for each in called.get(name, ()):
                if id(each) not in found and len(found) < MOST_SUSPECTS:
                    found[id(each)] = each
                    below.append(each)
    return list(found.values())


def outermost(frame: "Any") -> "Any":
    """Return the frame in which a thread began."""
    while frame.f_back is not None:
        frame = frame.f_back
    return frame


def tids_by_thread() -> "dict[int, int]":
    """Return the system's numbers of the threads that `threading` knows, by ident."""
    threads: "Any" = getattr(sys.modules.get("threading"), "_active", None)
    known = {ident: getattr(each, "_native_id", 0) for ident, each in list((threads or {}).items())}
    if not known:
        main = [
            ident
            for ident, frame in frames_of_threads().items()
            if ident != get_ident() and not census.is_ours(outermost(frame).f_code.co_filename)
        ]
        known = dict.fromkeys(main, posix.getpid()) if len(main) == 1 else {}
    return known


def faults_by_thread() -> "dict[int, int]":
    """Return the minor page faults so far of the threads that `threading` knows, by ident."""
    found: "dict[int, int]" = {}
    for ident, tid in tids_by_thread().items():
        try:
            fd = posix.open("/proc/self/task/%d/stat" % tid, posix.O_RDONLY | posix.O_CLOEXEC)
        except OSError:
            continue
        try:
            fields = posix.read(fd, 1024).rpartition(b") ")[2].split(b" ")
            found[ident] = int(fields[7])  # `minflt` of proc(5), behind the name
        except (OSError, ValueError, IndexError):
            continue
        finally:
            posix.close(fd)
    return found
