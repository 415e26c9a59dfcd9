"""What the program's allocators say that they have given out, asked on a timer.

Nothing is imported for it: it begins once the program has imported pyarrow, duckdb or ctypes,
and asks what stands in `sys.modules`. The asking is done on a thread of ours, never in one of
the program's; a second one watches it. A library that raises when it is asked, does not answer,
or takes long, is never asked again, and that is said: its figures are then unknown.
"""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.runtime import Agent

    Told = list[tuple[str, int, str | None]]
    """Name of the pool, bytes, backend."""

EVERY_S = 0.5
WORKERS_EVERY_S = 2.0
"""The same in what the launched program starts: there may be a hundred of them."""
SHARE = 200
"""Of the time, one part in so many goes into asking, at most."""
LOOK_S = 1.0
LOOKS = 3
"""So often must a question be found without an answer: once may be a machine that is busy."""
MALLOC_S = 0.005
"""malloc keeps others waiting while it answers: it looks at every free piece of memory."""
MOST_DATABASES = 8
MOST_BYTES = 1 << 56
"""More than an address space has."""
DUCKDB_EVERY_S = 0.9
LIBRARIES = {
    "pyarrow": ("default_memory_pool", "supported_memory_backends"),
    "ctypes": ("CDLL", "Structure", "c_size_t"),
    "duckdb": ("connect", "DuckDBPyConnection"),
}
"""What is asked, and by what it is known to be that."""
DUCKDB = "SELECT tag, memory_usage_bytes FROM duckdb_memory()"


class Counters:
    """Asks the allocators of one process.

    Args:
        agent: Gets the lines.
        beside: `beside.Beside`.
    """

    def __init__(self, agent: "Agent", beside: "Any") -> None:
        self._agent = agent
        self._beside = beside
        self._counters: "dict[str, Callable[[], Told]]" = {}
        self._dropped: "set[str]" = set()
        self._asking: "list[Any] | None" = None  # name, looks without an answer
        self._asker = self._new_asker()
        self._watch = beside(agent, self._look, in_child=self._in_child)

    def add(self, name: str, counter: "Callable[[], Told]") -> None:
        """Ask one more from now on."""
        if name not in self._dropped:
            self._counters.setdefault(name, counter)
            self._asker.start()
            self._watch.start()

    def drop(self, name: str, why: str) -> None:
        """Never ask this one again."""
        if name not in self._dropped:
            self._dropped.add(name)
            self._counters.pop(name, None)
            if self._agent.ends:
                return  # the program has taken it down
            self._agent.say("%s is not asked for its memory any more: %s" % (name, why))

    def _new_asker(self) -> "Any":
        made: "list[Any]" = []

        def turn() -> float:
            return self._ask(made[0])

        def last() -> None:
            if self._agent.ends:
                turn()

        made.append(self._beside(self._agent, turn, last=last, in_child=_nothing))
        return made[0]

    def _in_child(self) -> None:
        """A forked child has its parent's memory; who would be asked has threads that are not
        there any more, so that it is told what was told last."""
        self._asking = None
        databases = self._counters.get("duckdb")
        if isinstance(databases, DuckDb):
            told = databases.told
            self._counters["duckdb"] = lambda: told
        if self._counters:
            self._asker.start()
            self._watch.start()

    def _ask(self, asker: "Any") -> float:
        began = time.thread_time()
        for name, counter in list(self._counters.items()):
            question = self._asking = [name, 0]
            try:
                lines = [self._line(*each) for each in counter()]
            except BaseException as error:  # of whatever kind: it is a library's
                lines = []
                if asker is self._asker:
                    self.drop(name, type(error).__name__ + ": " + str(error)[:200])
            if asker is not self._asker:
                return 1.0  # nobody waits for this answer any more
            if self._asking is question:
                self._asking = None
            for line in lines:
                self._agent.wire.send(line)
        every_s = EVERY_S if self._agent.launched else WORKERS_EVERY_S
        return max(every_s, (time.thread_time() - began) * SHARE)

    def _line(self, name: str, size: int, backend: "str | None") -> str:
        if not 0 <= size < MOST_BYTES:
            raise ValueError("%d bytes" % size)
        quote = self._agent.quote
        return '{"k":"pool","t":%d,"pid":%d,"name":%s,"bytes":%d,"backend":%s' % (
            time.monotonic_ns(),
            self._agent.pid,
            quote(name),
            size,
            "null" if backend is None else quote(backend),
        )

    def _look(self) -> float:
        asking = self._asking
        if asking is not None:
            asking[1] += 1
            if asking[1] >= LOOKS:
                self._asking = None
                self.drop(asking[0], "it does not answer")
                self._asker.abandon()
                self._asker = self._new_asker()
                if self._counters:
                    self._asker.start()
        return LOOK_S


def _nothing() -> None:
    """Begin nothing in a child: `_in_child` does."""


def _is_module(found: "Any") -> bool:
    return type(found) is type(sys)


def module(name: str) -> "Any":
    """Return a module that is there in whole, else None: none is imported, none is woken."""
    found = sys.modules.get(name)
    if type(found) is not type(sys):
        return None
    spec = found.__dict__.get("__spec__")
    return None if spec is None or getattr(spec, "_initializing", True) else found


def arrow() -> "Told":
    """Ask Arrow's pools, by backend; other than the default one only if they are in use."""
    pyarrow = module("pyarrow")
    if pyarrow is None:
        return []
    default = pyarrow.default_memory_pool()
    told: "Told" = [("arrow", int(default.bytes_allocated()), str(default.backend_name))]
    for backend in pyarrow.supported_memory_backends():
        if backend != default.backend_name:
            size = int(getattr(pyarrow, backend + "_memory_pool")().bytes_allocated())
            if size:
                told.append(("arrow " + backend, size, backend))
    return told


class Malloc:
    """glibc's malloc, through a ctypes that the program has imported itself."""

    def __init__(self, drop: "Callable[[str, str], None]") -> None:
        self._drop = drop
        self._ask: "Any" = None

    def begin(self) -> bool:
        """Look for its counter; False if this C library has none."""
        ctypes = module("ctypes")
        if ctypes is None:
            return False
        names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
        fields = [(name, ctypes.c_size_t) for name in names.split()]
        answer = type("mallinfo2", (ctypes.Structure,), {"_fields_": fields})
        ask = getattr(ctypes.CDLL(None), "mallinfo2", None)  # glibc from 2.33 on
        if ask is None:
            return False
        ask.restype = answer
        self._ask = ask
        return True

    def __call__(self) -> "Told":
        """Return what is in use, in all and by mappings of their own."""
        began = time.thread_time()
        info = self._ask()
        if time.thread_time() - began > MALLOC_S:
            self._drop("malloc", "it keeps the program waiting meanwhile")
        mapped = int(info.hblkhd)
        return [("malloc", int(info.uordblks) + mapped, None), ("malloc mapped", mapped, None)]


class DuckDb:
    """The databases that the program has opened by `duckdb.connect`."""

    def __init__(self) -> None:
        self._connections: "dict[int, tuple[str, Any]]" = {}
        """By the id of a connection: its database, "" if nobody knows which, and a weak reference.
        Of each database one connection is asked that lives."""
        self._tags: "set[str]" = set()
        self._next = 0.0
        self.told: "Told" = []
        """The newest answer."""
        self.failed: "Exception | None" = None
        """Why some connection is not known."""

    def hook(self, duckdb: "Any") -> None:
        """Notice connections from now on."""
        from _weakref import ref

        original = duckdb.connect
        connections = self._connections

        def connect(*args: "Any", **kwargs: "Any") -> "Any":
            connection = original(*args, **kwargs)
            try:
                database = named(args[0] if args else kwargs.get("database", ""))
                alone = database in ("", ":memory:")
                connections[id(connection)] = (
                    "%d" % id(connection) if alone else database,
                    ref(connection),
                )
            except Exception as error:  # the program has its connection
                self.failed = error
            return connection

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(connect, name, getattr(original, name, getattr(connect, name)))
        connect.__wrapped__ = original  # type: ignore[attr-defined]
        duckdb.connect = connect

    def take_up(self, duckdb: "Any") -> None:
        """Notice the connections that modules of the program have as globals."""
        from _weakref import ref

        kind = duckdb.DuckDBPyConnection
        for module_ in list(sys.modules.values()):
            names = object.__getattribute__(module_, "__dict__") if _is_module(module_) else {}
            for value in list(names.values()):
                if type(value) is kind:
                    self._connections[id(value)] = "", ref(value)

    def __call__(self) -> "Told":
        """Ask through a cursor of our own, which is closed at once: it keeps no database open.

        It is the cursor of a cursor: to close a connection is to close its cursors, and that is
        refused (from DuckDB 2.0 on) while one of them is asked: the program's close would fail.
        """
        now = time.monotonic()
        if now < self._next:
            return []
        self._next = now + DUCKDB_EVERY_S
        sums: "dict[str, int]" = {}
        asked: "dict[str, dict[str, int]]" = {}
        for key, entry in list(self._connections.items()):
            database, reference = entry
            connection = reference()
            if connection is not None and (database in asked or len(asked) >= MOST_DATABASES):
                continue
            try:
                cursor = None if connection is None else connection.cursor().cursor()
            except Exception:  # it is closed
                cursor = None
            finally:
                connection = None
            if cursor is None:
                if self._connections.get(key) is entry:  # not one that has come in its place
                    self._connections.pop(key, None)
                continue
            try:
                told = dict(cursor.execute(DUCKDB).fetchall())
            finally:
                cursor.close()
            # What was there before us may be a cursor of what is known: the same to the byte.
            if database or told not in asked.values():
                asked[database or "%d" % key] = told
                for tag, size in told.items():
                    sums[tag] = sums.get(tag, 0) + size
        self._tags.update(tag for tag, size in sums.items() if size)
        self.told = [("duckdb " + tag, sums.get(tag, 0), None) for tag in self._tags]
        return self.told


def named(database: "Any") -> str:
    """Return one name for all by which a program may open a database."""
    name = os.fspath(database)
    in_memory = not name or name.startswith(":")
    return str(name if in_memory or "://" in name else os.path.realpath(name))


class Allocators:
    """Begins with the first library that can be asked.

    Args:
        agent: Gets the lines.
        beside: `beside.Beside`.
    """

    def __init__(self, agent: "Agent", beside: "Any") -> None:
        self._agent = agent
        self._counters = Counters(agent, beside)

    def imported(self, name: str) -> None:
        """One of LIBRARIES has been imported, or a module of the program's by its name."""
        found = module(name)
        # By what it has itself: a module may have a `__getattr__` that does something.
        if found is None or any(needed not in found.__dict__ for needed in LIBRARIES[name]):
            return
        if name == "ctypes":
            malloc = Malloc(self._counters.drop)
            if malloc.begin():
                self._counters.add("malloc", malloc)
        elif name == "duckdb":
            databases = DuckDb()
            original = found.connect
            databases.hook(found)
            self._agent.put_back_later(found, "connect", original)
            if self._agent.came_late:
                databases.take_up(found)
            self._counters.add(name, databases)
        else:
            self._counters.add(name, arrow)
