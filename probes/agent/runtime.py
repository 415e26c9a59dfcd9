"""The running agent of one process: what it is like, and the lines that it sends.

Loaded as `_perftui_agent`; `agent` is what `perftui.phase` and its kin look for. No thread of
our own: what is held back (counts that change too fast) leaves with the next line, at the end
of a phase and at exit. What a program says itself is in `said/`, loaded when a program first may.
"""

import posix
import sys
import time
from _thread import RLock, _local, get_native_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from perftui.probes.agent.wire import Wire

PROTOCOL = 1
"""Of the methods that `api.py` calls: an installed perftui may be older or newer than we are."""

SAYS = ("phase_begin", "phase_end", "call", "count", "count_all", "mark", "plan", "totals")
"""Methods of `said.Said`, which the agent has as its own."""

agent: "Agent | None" = None
order: "list[Any]" = []
"""The launcher's, as it is to be given to a program that this process becomes by exec."""
held_ns = 0
"""How long the program was held back at the gate."""


class PerThread(_local):
    """What is open in one thread."""

    def __init__(self) -> None:
        self.tid = get_native_id()
        self.phases: "list[int]" = []
        self.imports: "list[Any]" = []


class Agent:
    """State of the agent in this process; every public method is safe in any thread."""

    def __init__(
        self,
        wire: "Wire",
        wire_module: "ModuleType",
        statm_fd: int,
        load: "Callable[[str, str], Any]",
    ) -> None:
        self.wire = wire
        self.load = load
        """Loads one of our files under a name."""
        self.quote = wire_module.quote
        self.foreign = wire_module.foreign
        self.statm_fd = statm_fd
        self._page_bytes = posix.sysconf("SC_PAGE_SIZE")
        self._statm_identity = self._identity(statm_fd)
        self._errors_told: "set[str]" = set()
        self.before_bye: "list[Callable[[], None]]" = []
        self.last_of_all: "list[Callable[[], None]]" = []
        """Called after the bye."""
        self.came_late = False
        """The program ran already when we came: loops and databases are there to be taken up."""
        self.undo: "list[Callable[[], None]]" = []
        """For an agent that leaves: puts back what stands in the place of the program's own."""
        self.in_child: "Callable[[], None] | None" = None
        self._said: "Any" = None
        """`said.words.Said`, once it is loaded."""
        self._begin_process()

    def _begin_process(self) -> None:
        self.launched = False
        """The process that perftui started itself, none that it has started."""
        self.tasks_asked = 0
        """How often we were asked for the tasks of asyncio."""
        self.pid = posix.getpid()
        self.thread = PerThread()
        self.next_import_id = iter(range(1, 1 << 62)).__next__
        self._lock = RLock()
        self._said_bye = self.ends = False
        if self._said is not None:
            self._said.begin_process()

    def __getattr__(self, name: str) -> "Any":
        """Load what a program may say, the first time that it may say anything."""
        if name not in SAYS:
            raise AttributeError(name)
        with self._lock:
            try:
                if self._said is None:
                    self._said = self.load("said/words", "_perftui_agent_said").Said(self)
                for each in SAYS:
                    self.__dict__[each] = getattr(self._said, each)
            except Exception as error:
                if self.foreign(error):
                    raise
                self.report(error)
                return unheard  # out of descriptors, for instance: the next one tries again
        return self.__dict__[name]

    def put_back_later(self, owner: "Any", name: str, original: "Any") -> None:
        """Have `undo` put the original back, unless somebody else has put another thing there."""
        ours = owner.__dict__.get(name)

        def put_back() -> None:
            if owner.__dict__.get(name) is ours:
                setattr(owner, name, original)

        self.undo.append(put_back)

    # --- what the process is like ---------------------------------------------------------

    @staticmethod
    def _identity(fd: int) -> "tuple[int, int] | None":
        try:
            status = posix.fstat(fd)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def rss(self) -> "int | str":
        """Return the resident bytes now, or "null"."""
        try:
            return int(posix.pread(self.statm_fd, 64, 0).split(b" ", 2)[1]) * self._page_bytes
        except (OSError, ValueError, IndexError) as error:
            if self.foreign(error):
                raise
            return "null"

    def owns_statm(self) -> bool:
        """Tell whether the descriptor for our own figures still is that."""
        identity = self._statm_identity
        return identity is not None and self._identity(self.statm_fd) == identity

    def after_fork(self) -> None:
        """Start anew in a forked child: own pid, own ids, own /proc entry."""
        try:
            self.wire.reset()
            self._begin_process()
            if self.in_child is not None:
                self.in_child()
            if self.owns_statm():
                fd = posix.open("/proc/self/statm", posix.O_RDONLY | posix.O_CLOEXEC)
                posix.dup2(fd, self.statm_fd, False)
                posix.close(fd)
                self._statm_identity = self._identity(self.statm_fd)
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    # --- lines out ------------------------------------------------------------------------

    def emit(self, now_ns: int, body: str) -> None:
        """Send a line, and with it whatever is held back."""
        if self._said is not None and self._said.pending:
            self._said.tell_counts(now_ns)
        self.wire.send(body)

    def say(self, text: str) -> None:
        """Tell the host what a person should know about what is seen of this process."""
        self.wire.send(
            '{"k":"notice","t":%d,"pid":%d,"text":%s'
            % (time.monotonic_ns(), self.pid, self.quote(text))
        )

    def report(self, error: "BaseException | str") -> None:
        """Tell the host, once, that something of ours failed."""
        text = error if isinstance(error, str) else type(error).__name__ + ": " + str(error)
        if text in self._errors_told or len(self._errors_told) > 100:
            return
        self._errors_told.add(text)
        self.wire.send(
            '{"k":"error","t":%d,"pid":%d,"text":%s'
            % (time.monotonic_ns(), self.pid, self.quote(text))
        )

    def flush(self) -> None:
        """Send what is held back."""
        if self._said is not None and self._said.pending:
            self._said.tell_counts(time.monotonic_ns())
        self.wire.flush()

    # --- the end --------------------------------------------------------------------------

    def environment_for_exec(self, environ: "dict[str, str]") -> "dict[str, str]":
        """Return the environment in which a program that we become by exec is watched too.

        Only perftui's own scenarios ask for it, right before the exec: the descriptors are
        inheritable from here on.
        """
        hook = hook_folder()
        for fd in (*order[:3], order[9]):
            if fd:
                posix.set_inheritable(fd, True)
        child = dict(environ)
        before = child.get("PYTHONPATH")
        if before is not None:
            child["PERFTUI_AGENT_PYTHONPATH"] = before
        child["PYTHONPATH"] = hook + ":" + before if before else hook
        child["PERFTUI_AGENT"] = ":".join(map(str, order))
        return child

    def bye(self) -> None:
        """The process is about to end: let everything go that is held back."""
        if self._said_bye:
            self.flush()
            return
        self._said_bye = self.ends = True
        for end in self.before_bye:
            self._guarded(end)
        try:
            now = time.monotonic_ns()
            if self._said is not None and self._said.pending:
                self._said.tell_counts(now)
            self.wire.send_last('{"k":"bye","t":%d,"pid":%d,"held":%d' % (now, self.pid, held_ns))
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)
        for end in self.last_of_all:
            self._guarded(end)

    def _guarded(self, end: "Callable[[], None]") -> None:
        """Do one of the last things; the others do not depend on it."""
        try:
            end()
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)


def unheard(*args: object) -> None:
    """Stand in for a method that could not be loaded."""


_others_told = False


def frames_of_threads() -> "dict[int, Any]":
    """Return what `sys._current_frames` does, nothing if the program has other interpreters.

    It makes frame objects for threads of all of them, with the allocator of ours; theirs, which
    frees them, takes the memory for another's: 3.12 and 3.13 abort.
    """
    global _others_told
    if not _has_other_interpreters():
        return sys._current_frames()
    if not _others_told and agent is not None:
        _others_told = True
        agent.say("threads are not looked at from inside: the program has other interpreters")
    return {}


def _has_other_interpreters() -> bool:
    """Tell whether there may be interpreters with an allocator of their own, which came with 3.12.

    There, to ask for a list of them would make objects that end one when they go.
    """
    if sys.hexversion < 0x030D0000:
        return sys.hexversion >= 0x030C0000 and "_xxsubinterpreters" in sys.modules
    module: "Any" = sys.modules.get("_interpreters")  # asyncio imports it, too
    list_all: "Any" = getattr(module, "list_all", None)
    is_its_own = type(list_all).__name__ == "builtin_function_or_method"
    return is_its_own and len(list_all()) > 1


def hook_folder() -> str:
    """Return the folder that goes first on PYTHONPATH."""
    return __file__.rpartition("/")[0] + "/hook"
