"""Hears the host's orders: a small file in memory that the host writes and every process reads.

A pipe would be read by one of a family's processes, the board is read by all of them; each finds
out by the number whether there is something new, and by the pid whether it is meant. Looking
costs one read of sixteen bytes a few times a second, on a thread beside the program's. The last
orders stand there, as one looks again only when it has carried out what it was told.

    NUMBER \n {N \t ORDER \t PID \t ... {\n more lines of the order} \n\n} NUMBER    (16 digits)

    growth      who makes memory grow (`inquiry.py`)
    release     give memory back that is not used (`../release.py`)
    tracemalloc what is allocated in the next seconds and stays (`traced.py`)
    tasks       what the tasks of asyncio wait for (`../tasks.py`)
"""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.runtime import Agent

LOOK_S = 0.25
CHILD_LOOK_S = 1.0
"""In children there may be hundreds of us."""
NUMBER = 16
MOST_BYTES = 1 << 16


class Board:
    """Reads the board of this process's family and carries out what it is told.

    Args:
        agent: Whose process this is.
        beside: `beside.Beside`.
        fd: Of the board.
        inode: Its inode: a program may put a file of its own in that place.
        load: Loads one of our files, "growth/census" for example, under a name.
    """

    def __init__(
        self, agent: "Agent", beside: "Any", fd: int, inode: int, load: "Callable[[str, str], Any]"
    ) -> None:
        self._agent = agent
        self._fd = fd
        self._inode = inode
        self._load = load
        self._heard = b"0" * NUMBER
        self._said_why = False
        self._root = agent.pid
        self._pid = agent.pid
        self._inquiry: "Any" = None
        self._traced: "Any" = None
        self._ending = False
        self.also: "list[Callable[[], float]]" = []
        """What else is done on this thread; each returns the seconds until its next turn."""
        agent.before_bye.append(self._end)
        self._thread = beside(agent, self._turn, self._first, self._last)

    def start(self) -> None:
        """Begin to look."""
        if self._ours():
            number = posix.pread(self._fd, NUMBER, 0)
            if number.isdigit():
                self._heard = number  # what stands there was meant for who was here before us
            self._thread.start()

    def _ours(self) -> bool:
        try:
            return posix.fstat(self._fd).st_ino == self._inode
        except OSError:
            return False

    def _end(self) -> None:
        self._ending = True

    def _first(self) -> None:
        if self._agent.pid != self._pid:  # forked: what was going on is the parent's
            self._pid = self._agent.pid
            self._ending = False
            self._drop()

    def _drop(self) -> None:
        """Forget what is going on."""
        if self._inquiry is not None:
            self._inquiry.drop()
            self._inquiry = None
        if self._traced is not None:
            self._traced.drop()
            self._traced = None

    def _last(self) -> None:
        """The thread ends; for good only when the program does, else for a fork."""
        if self._inquiry is not None and self._ending:
            self._inquiry.finish()
            self._inquiry = None
        if self._traced is not None and self._ending:
            self._traced.finish()
            self._traced = None

    def _turn(self) -> float:
        try:
            pause_s = min(self._go_on(), self._trace())
            return min([pause_s, *[each() for each in self.also]])
        except Exception as error:  # the next order may go well; on our own thread all is ours
            self._agent.report(error)
            self._drop()
            return CHILD_LOOK_S

    def _trace(self) -> float:
        """Go on with a window of tracemalloc; returns when to look again."""
        pause_s = 0.0 if self._traced is None else float(self._traced.turn())
        if not pause_s:
            self._traced = None
        return pause_s or CHILD_LOOK_S

    def _go_on(self) -> float:
        self._look()
        if self._inquiry is not None:
            pause_s = self._inquiry.turn()
            if pause_s:
                return float(pause_s)
            self._inquiry = None
        return LOOK_S if self._pid == self._root else CHILD_LOOK_S

    def _look(self) -> None:
        try:
            number = posix.pread(self._fd, NUMBER, 0)
            if number == self._heard or not self._ours():
                return
            text = posix.pread(self._fd, MOST_BYTES, 0)
        except OSError:
            return
        first, _, rest = text.partition(b"\n")
        orders, _, last = rest.rpartition(b"\n")
        if not first.isdigit() or first != last:
            return  # it is being written
        heard, self._heard = int(self._heard), first
        for order in orders.decode("utf-8", "surrogateescape").split("\n\n"):
            begins, *more = order.split("\n")
            n, *words = begins.split("\t")
            if n.isdigit() and int(n) > heard and words[1:2] == [str(self._pid)]:
                self._carry_out(words, more)

    def _carry_out(self, words: "list[str]", more: "list[str]") -> None:
        if words[0] == "growth" and why_not():
            if not self._said_why:
                self._said_why = True
                self._agent.say("who makes memory grow is not looked at from inside: " + why_not())
        elif words[0] == "growth" and self._inquiry is None:
            self._inquiry = self._begin(words[1:], more)
        elif words[0] == "tracemalloc" and self._traced is None:
            self._traced = self._module("traced").begin(
                self._agent, words[2:], lambda: self._ending
            )
        elif words[0] == "tasks":
            self._agent.tasks_asked += 1
        elif words[0] == "release":
            inquiry, name = self._module(), "_perftui_agent_release"
            given_back = sys.modules.get(name) or self._load("release", name)
            given_back.release(self._agent, inquiry.interpreters_own)

    def _begin(self, words: "list[str]", suspects: "list[str]") -> "Any":
        module = self._module()
        seconds, budget_s, most = float(words[1]), float(words[2]), int(words[3])
        return module.Inquiry(self._agent, lambda: self._ending, seconds, budget_s, most, suspects)

    def _module(self, last: str = "inquiry") -> "Any":
        """Return a module of ours, loaded with those that it needs."""
        module: "Any" = None
        names = ["kinds", "pace", "found", "census", "keepers", "rises"]
        if not hasattr(sys, "monitoring"):
            names += ["thread_states", "profiled", "bursts"]
        for name in dict.fromkeys((*names, "inquiry", last)):
            full = "_perftui_agent_growth_" + name
            module = sys.modules.get(full) or self._load("growth/" + name, full)
        return module


def why_not() -> str:
    """Return why no census can be taken of this program's objects, "" where it can."""
    return "" if sys.implementation.name == "cpython" else "its Python is not CPython"
