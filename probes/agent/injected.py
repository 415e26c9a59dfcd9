"""The agent in a program that runs already: `sys.remote_exec` has it run `enter`.

Loaded as `_perftui_agent_injected`. It comes as it does to a launched program, but for two things:
it takes what it needs from a folder (records leave by one named pipe; a second one, in which
nothing is ever written, ends when perftui does), and it leaves again: then all that it has put in
the place of the program's own is as it was. What cannot be taken back, as CPython has no call for
it, are three callbacks for `fork`; they are empty from then on.
"""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FIRST_FD = 200
"""Ours are numbered from here on, as in a launched program: its own come as if we were not here."""
MOST_FD = 1_000
LOOK_S = 0.5
"""How long after perftui has ended, however it did, the agent begins to leave."""
OWN = "_perftui_agent"


class Forks:
    """Three callbacks for all that wants to know of forks: they are emptied at the end."""

    def __init__(self) -> None:
        before: "list[Callable[[], None]]" = []
        parent: "list[Callable[[], None]]" = []
        child: "list[Callable[[], None]]" = []
        self._all = before, parent, child
        posix.register_at_fork(
            before=lambda: _each(reversed(before[:])),
            after_in_parent=lambda: _each(parent[:]),
            after_in_child=lambda: _each(child[:]),
        )

    def register(self, **hooks: "Callable[[], None]") -> None:
        """Do what `posix.register_at_fork` does."""
        for index, name in enumerate(("before", "after_in_parent", "after_in_child")):
            if name in hooks:
                self._all[index].append(hooks[name])

    def forget(self) -> None:
        """Call nothing any more."""
        for calls in self._all:
            calls.clear()


def _each(calls: "Any") -> None:
    for call in calls:
        call()


def enter(folder: str, load: "Callable[[str, str], Any]") -> None:
    """Come into this program; no exception is seen, and nothing is left of what went wrong.

    Args:
        folder: Where the pipes are, and where we say why we do not come.
        load: Loads one of our files under a name.
    """
    before = set(sys.modules)
    visit = Visit(folder, load)
    try:
        if visit.open():
            visit.begin()
            _forget_modules({n for n in set(sys.modules) - before if not n.startswith(OWN)})
            return
    except Exception as error:
        visit.answer(type(error).__name__ + ": " + str(error)[:300])
        visit.undo()
    visit.close()
    _forget_modules({n for n in sys.modules if n.startswith(OWN)} | (set(sys.modules) - before))


class Visit:
    """From coming to leaving."""

    def __init__(self, folder: str, load: "Callable[[str, str], Any]") -> None:
        self._folder = folder
        self._load = load
        self._fds: "list[tuple[int, tuple[int, int]]]" = []
        """And what each of them is: device and inode."""
        self._life: "Any" = None
        self._life_fd = -1
        self._forks: "Forks | None" = None
        self._atexit: "Any" = None
        self.agent: "Any" = None
        self._left = False

    def open(self) -> bool:
        """Open the pipes; return False if nobody waits for us any more."""
        flags = posix.O_NONBLOCK | posix.O_CLOEXEC
        try:
            life = self._keep(posix.open(self._folder + "/life", posix.O_RDONLY | flags))
            if self._alone(life):
                self.close()
                clear(self._folder)
                return False
            records = self._folder + "/records"
            self._keep(posix.open(records, posix.O_WRONLY | flags))
            # A read end: as long as it is open no write of ours raises SIGPIPE.
            self._keep(posix.open(records, posix.O_RDONLY | flags))
            self._keep(posix.open("/proc/self/statm", posix.O_RDONLY | posix.O_CLOEXEC))
            self._keep(posix.open(self._folder + "/board", posix.O_RDONLY | posix.O_CLOEXEC))
        except OSError:
            return False  # perftui has gone meanwhile
        self._life_fd = life
        return True

    def _keep(self, fd: int) -> int:
        for number in range(FIRST_FD, MOST_FD):
            try:
                posix.fstat(number)
            except OSError:
                try:
                    posix.dup2(fd, number, False)
                except OSError:
                    break  # over the limit: as it is
                posix.close(fd)
                fd = number
                break
        self._fds.append((fd, _identity(fd)))
        return fd

    @staticmethod
    def _alone(life: int) -> bool:
        try:
            return posix.read(life, 1) == b""
        except BlockingIOError:
            return False

    def answer(self, text: str) -> None:
        """Say why we do not come."""
        try:
            name = self._folder + "/answer"
            fd = posix.open(name + "~", posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC, 0o600)
            posix.write(fd, text.encode("utf-8", "replace"))
            posix.close(fd)
            posix.rename(name + "~", name)
        except OSError:
            pass

    def begin(self) -> None:
        """Do what `start` does in a program that begins."""
        _, record_fd, _, statm_fd, board_fd = [fd for fd, _ in self._fds]
        load = self._load
        wire_module = load("wire", "_perftui_agent_wire")
        start = load("start", "_perftui_agent_start")
        runtime = load("runtime", "_perftui_agent")
        imports = load("imports", "_perftui_agent_imports")
        hooks = load("import_hooks", "_perftui_agent_import_hooks")
        provider = load("provider", "_perftui_agent_provider")
        beside = load("beside", "_perftui_agent_beside")
        pipe = posix.fstat(record_fd)
        wire = wire_module.Wire(record_fd, pipe.st_dev, pipe.st_ino)
        wire.send(start.hello(wire_module.quote))
        agent = self.agent = runtime.Agent(wire, wire_module, statm_fd, load)
        agent.launched = True  # asked as often as a program that was launched
        agent.came_late = True
        runtime.agent = agent
        self._forks = Forks()
        self._forks.register(after_in_child=agent.after_fork)
        beside.register_at_fork = self._forks.register
        after: "dict[str, Callable[[], None]]" = {}
        seen = imports.Imports(agent, lambda: provider.provide(load), after)
        start.look_at_libraries(agent, load, hooks, seen, after)
        agent.before_bye.append(lambda: load("installed", "_perftui_agent_installed").tell(agent))
        import atexit

        self._atexit = atexit
        atexit.register(agent.bye)
        collect = load("collector", "_perftui_agent_collector")  # it has imports of its own
        collector = collect.Collector(agent, self._forks.register)
        unseen = hooks.install(seen, imports.SELF_TEST)
        if unseen:
            agent.say("imports cannot be timed on this Python: " + unseen)
        self._listen(agent)
        self._life = beside.Beside(agent, self._turn)
        self._life.start()
        board = load("growth/board", "_perftui_agent_growth_board")
        inode = posix.fstat(board_fd).st_ino
        heard = board.Board(agent, beside.Beside, board_fd, inode, load)
        heard.also.append(collector.turn)
        heard.start()

    def _listen(self, agent: "Any") -> None:
        """Hear what the program says, if it has imported perftui already."""
        for name in ("perftui.probes.agent.api", "perftui"):
            api = sys.modules.get(name)
            names = getattr(api, "__dict__", {})
            if "_agent" in names and names.get("_PROTOCOL") == 1 and names["_agent"] is None:
                names["_agent"] = agent

    # --- the end ----------------------------------------------------------------------------

    def _turn(self) -> float:
        """Look whether perftui is still there; on a thread beside the program's."""
        if self.agent.ends:
            return LOOK_S
        if self._alone_now():
            self._life.abandon()  # it ends by itself: nobody is to wait for it here
            self.agent.before_bye.remove(self._life.stop)
            self.leave()
        return LOOK_S

    def _alone_now(self) -> bool:
        try:
            return self._alone(self._life_fd)
        except OSError:
            return True  # the program has closed it

    def leave(self) -> None:
        """Take everything out again."""
        if self._left:
            return
        self._left = True
        agent = self.agent
        agent.bye()  # ends all our threads but this one
        self.undo()
        self.close()
        clear(self._folder)
        _forget_modules({name for name in sys.modules if name.startswith(OWN)})

    def undo(self) -> None:
        """Put back what stands in the place of the program's own."""
        agent = self.agent
        if agent is None:
            return
        agent.wire.open = False  # whoever still holds something of ours says it to nobody
        for undo in reversed(agent.undo):
            undo()
        if self._forks is not None:
            self._forks.forget()
        if self._atexit is not None:
            self._atexit.unregister(agent.bye)
        for name in ("perftui.probes.agent.api", "perftui"):
            names = getattr(sys.modules.get(name), "__dict__", {})
            # An older perftui that was imported meanwhile holds on to it; nobody hears it then.
            if names.get("_agent") is agent and not names.get("_launched"):
                names["_agent"] = None

    def close(self) -> None:
        """Close what we have opened, unless the program has put something in its place."""
        for fd, identity in self._fds:
            try:
                if _identity(fd) == identity:
                    posix.close(fd)
            except OSError:
                pass
        self._fds = []


def clear(folder: str) -> None:
    """Take away the folder that perftui has made: it may have been killed."""
    try:
        for name in posix.listdir(folder):
            path = folder + "/" + name
            if posix.lstat(path).st_mode & 0o170000 == 0o040000:
                clear(path)
            else:
                posix.unlink(path)
        posix.rmdir(folder)
    except OSError:
        pass


def _identity(fd: int) -> "tuple[int, int]":
    status = posix.fstat(fd)
    return status.st_dev, status.st_ino


def _forget_modules(names: "set[str]") -> None:
    for name in names:
        sys.modules.pop(name, None)
