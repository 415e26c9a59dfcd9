"""What asyncio's tasks wait for, and what keeps a loop from running them.

Looked at from a thread beside the program's: a loop that is idle, or stuck in a callback, tells
nothing by itself. Nothing is imported (it begins once the program has imported asyncio and made
a loop), no local variable is read, and nothing of the program is called but the plain getters of
asyncio's own tasks.
"""

import posix
import sys
import time
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType
    from typing import Any

    from perftui.probes.agent.runtime import Agent

    Key = tuple[str, tuple[tuple[CodeType | str, int], ...], str | None]
    """Of a task: its name, where it stands (outermost first), what it awaits."""

frames_of_threads: "Any" = getattr(
    sys.modules.get("_perftui_agent"), "frames_of_threads", sys._current_frames
)
"""`runtime.frames_of_threads`, where that is loaded."""

LOOK_S = 0.1
"""A loop that is still in the same round after so long has been blocked."""
LIST_S = 1.0
PER_TASK_S = 0.01
"""A list of 1,000 tasks comes every ten seconds: neither program nor recording is to feel it."""
SHARE = 100
"""Of the time, one part in so many goes into looking at tasks, at most."""
MOST_TASKS = 1_000
MOST_FRAMES = 30
MOST_BLOCKING = 12
"""Functions of a stack that blocks a loop; of more, those at both ends."""
BODY_BYTES = 3_400
FOLDER = str(getattr(sys.modules.get("asyncio"), "__file__", "")).rpartition("/")[0]
"""Of asyncio itself."""


class Tasks:
    """Watches the loops of one process.

    Args:
        agent: Gets the lines.
        beside: `beside.Beside`.
    """

    def __init__(self, agent: "Agent", beside: "Any") -> None:
        self._agent = agent
        self._loops: "list[Any]" = []
        self._thread = beside(agent, self._turn, in_child=self._loops.clear)
        self._list_at = 0.0
        self._said: "list[Key]" = []
        self._empty = 0
        self._said_many = False
        self._number = self._answered = 0
        self._rounds: "dict[int, Any]" = {}
        """By thread: frame of the round, when it was seen first and last, where, told at."""
        self._blocks = 0
        self._block_at = 0.0
        self._due = 0.0
        """When the next look was to be, if a loop runs."""
        self._queued = 0.0
        """Seconds that this thread has waited for a CPU, as of the last look."""
        self._used: "dict[int, float]" = {}
        """CPU seconds by thread of a loop, as of the last look."""

    def hook(self, loop_class: "Any") -> None:
        """Notice the loops of a class from now on, and begin to look with the first of them."""
        original = loop_class.__init__
        loops, thread = self._loops, self._thread

        def __init__(self: "Any", *args: "Any", **kwargs: "Any") -> None:
            original(self, *args, **kwargs)
            loops.append(ref(self))
            thread.start()

        __init__.__module__ = loop_class.__module__
        __init__.__qualname__ = loop_class.__qualname__ + ".__init__"
        __init__.__doc__ = original.__doc__
        loop_class.__init__ = __init__
        self._agent.put_back_later(loop_class, "__init__", original)

    def take_up(self) -> None:
        """Look at the loops that run already; their own frames tell which they are."""
        events: "Any" = sys.modules["asyncio.events"]
        found = [events._get_running_loop()]
        runs = sys.modules["asyncio.base_events"].BaseEventLoop.run_forever.__code__
        for frame in frames_of_threads().values():
            at: "Any" = frame
            while at is not None:
                if at.f_code is runs:
                    found.append(at.f_locals.get("self"))
                at = at.f_back
        known = [reference() for reference in self._loops]
        for loop in found:
            if loop is not None and not any(loop is each for each in known):
                known.append(loop)
                self._loops.append(ref(loop))
                self._thread.start()

    def _turn(self) -> float:
        running = []
        for reference in self._loops[:]:
            loop = reference()
            if loop is None or loop.is_closed():
                self._loops.remove(reference)
            elif loop.is_running():
                running.append(loop)
        self._look_at_rounds(running)
        now = time.monotonic()
        asked = self._agent.tasks_asked
        if now >= self._list_at or asked != self._answered:
            self._list(running, asked != self._answered)
            self._answered = asked
            took = time.monotonic() - now
            self._list_at = now + max(LIST_S, took * SHARE, len(self._said) * PER_TASK_S)
        pause_s = LOOK_S if running else LIST_S
        self._due = time.monotonic() + pause_s if running else 0.0
        return pause_s

    # --- what the tasks wait for ----------------------------------------------------------

    def _list(self, loops: "list[Any]", anyway: bool) -> None:
        """Tell which tasks there are: if that has changed, or `anyway`."""
        module: "Any" = sys.modules.get("asyncio.tasks")
        if module is None:
            return
        total = 0
        keys: "list[Key]" = []
        for loop in loops:
            tasks = module.all_tasks(loop)
            total += len(tasks)
            for task in tasks:
                if len(keys) >= MOST_TASKS:
                    break
                if isinstance(task, module.Task):
                    keys.append(key_of(task, module))
            task = tasks = None
        # The last list of a program that ends stays; one that goes on without tasks has none.
        self._empty = 0 if keys else self._empty + 1
        if total > MOST_TASKS and not self._said_many:
            self._said_many = True
            self._agent.say("more than %d asyncio tasks: the others are not told" % MOST_TASKS)
        keys.sort(key=_order)
        if anyway or (keys != self._said and (keys or self._empty > 1)):
            self._said = keys
            self._send(total, keys)

    def _send(self, total: int, keys: "list[Key]") -> None:
        agent, quote = self._agent, self._agent.quote
        now = time.monotonic_ns()
        self._number += 1
        agent.wire.send(
            '{"k":"tasks","t":%d,"pid":%d,"id":%d,"total":%d,"told":%d'
            % (now, agent.pid, self._number, total, len(keys))
        )
        for name, places, awaits in keys:
            files, frames = _encoded(places, quote)
            agent.wire.send(
                '{"k":"task","t":%d,"pid":%d,"id":%d,"name":%s,"awaits":%s,'
                '"files":[%s],"frames":[%s]'
                % (
                    now,
                    agent.pid,
                    self._number,
                    quote(name, 200),
                    "null" if awaits is None else quote(awaits, 200),
                    files,
                    frames,
                )
            )

    # --- what keeps a loop ----------------------------------------------------------------

    def _look_at_rounds(self, loops: "list[Any]") -> None:
        """See whether a loop is in the same round as the last time, behind its wait for events.

        Of the program's frames none is held, or what they refer to would live longer: that of
        `_run_once` refers to the loop alone once it is over.
        """
        idents = (getattr(loop, "_thread_id", None) for loop in loops)
        threads = {ident for ident in idents if ident is not None}
        # First of all: whatever reads or writes gives the GIL away, and the loops go on.
        frames = frames_of_threads()
        now = time.monotonic()
        seen = [(ident, *_round_of(frames.get(ident))) for ident in threads]
        frames.clear()
        for gone in [ident for ident in self._rounds if ident not in threads]:
            self._told(gone, self._rounds.pop(gone))
        for gone in [ident for ident in self._used if ident not in threads]:
            del self._used[gone]
        if not threads:
            return
        kept_s = self._kept_from_looking(now)
        for ident, found, places in seen:
            own_s = min(self._used_since(ident), kept_s)
            before = self._rounds.get(ident)
            # Directly in it: it is between two callbacks. Without `_run`: it waits for events.
            if found is None or not any(c.co_name == "_run" and _is_asyncio(c) for c, _ in places):
                self._rounds.pop(ident, None)
                if before is not None:
                    self._told(ident, before)
            elif before is None or before[0] is not found:
                if before is not None:
                    self._told(ident, before)
                since = now - own_s if own_s >= LOOK_S else now
                self._rounds[ident] = [found, since, now, places, 0.0]
            else:
                before[2], before[3] = now, places
                self._told(ident, before, over=False)
            found = None
        seen.clear()

    def _kept_from_looking(self, now: float) -> float:
        """Return by how many seconds we are late because somebody kept the GIL, else 0.

        Code of C that keeps the GIL keeps us from looking, and we come right after it. If the
        loop's thread was on a CPU meanwhile, it was its own code. On a full machine we are late
        for want of a CPU, too: that alone says nothing.
        """
        late = now - self._due
        queued, self._queued = self._queued, _schedstat("thread-self")[1]
        if not self._due or late - (self._queued - queued) < LOOK_S / 2:
            return 0.0
        return late

    def _used_since(self, ident: int) -> float:
        """Return the CPU seconds that a loop's thread has used since the last look at it."""
        used = _schedstat("self/task/%d" % _native_id(ident))[0]
        before, self._used[ident] = self._used.get(ident, used), used
        return used - before

    def _told(self, ident: int, block: "list[Any]", over: bool = True) -> None:
        """Tell of a blocked loop: soon, once a second while it lasts, and when it is over.

        Of many short ones no more than one a second is told, and how many there were.
        """
        _, since, until, places, told_at = block
        took = until - since
        own = [place for place in places if not _is_asyncio(place[0])]
        if took < LOOK_S or not own:
            return
        now = time.monotonic()
        if not told_at:
            self._blocks += over
            if now < self._block_at and (over or took < LIST_S):
                return
            self._blocks += not over
        elif not over and now - told_at < LIST_S:
            return
        block[4] = now
        self._block_at = now + LIST_S
        agent, quote = self._agent, self._agent.quote
        stack = [_place(*place) for place in reversed(own)]
        if len(stack) > MOST_BLOCKING:
            stack[MOST_BLOCKING // 2 : -MOST_BLOCKING // 2] = ["..."]
        agent.wire.send(
            '{"k":"loop_block","t":%d,"pid":%d,"tid":%d,"n":%d,"took_ns":%d,"over":%s,'
            '"callback":%s,"where":%s,"stack":%s'
            % (
                int(until * 1e9),
                agent.pid,
                _native_id(ident),
                self._blocks,
                int(took * 1e9),
                "true" if over else "false",
                quote(stack[0], 300),
                quote(stack[-1], 300),
                quote(" > ".join(stack), 2_000),
            )
        )


def _round_of(frame: "Any") -> "tuple[Any, list[tuple[CodeType, int]]]":
    """Return the frame of a loop's round in a thread, if any, and what it called, innermost first.

    Args:
        frame: The thread's innermost one.
    """
    places: "list[tuple[CodeType, int]]" = []
    while frame is not None:
        if frame.f_code.co_name == "_run_once" and _is_asyncio(frame.f_code):
            break
        places.append((frame.f_code, frame.f_lineno or 0))
        frame = frame.f_back
    return frame, places


def _schedstat(thread: str) -> "tuple[float, float]":
    """Return the seconds that a thread was on a CPU, and waited for one; 0 if not told."""
    try:
        fd = posix.open("/proc/%s/schedstat" % thread, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return 0.0, 0.0
    try:
        on_cpu, queued = posix.read(fd, 100).split()[:2]
        return int(on_cpu) / 1e9, int(queued) / 1e9
    except (OSError, ValueError):
        return 0.0, 0.0
    finally:
        posix.close(fd)


def _native_id(ident: int) -> int:
    threads = getattr(sys.modules.get("threading"), "_active", None) or {}
    return int(getattr(threads.get(ident), "_native_id", None) or 0)


def key_of(task: "Any", module: "Any") -> "Key":
    """Return what a task is called, where it stands, and what it awaits."""
    name = str(module.Task.get_name(task))
    places = tuple(_places(module.Task.get_coro(task)))
    waiter = getattr(task, "_fut_waiter", None)
    awaits = None
    if waiter is not None:
        if isinstance(waiter, module.Task):
            awaits = "task " + str(module.Task.get_name(waiter))
        elif type(waiter).__name__ == "_GatheringFuture":
            awaits = "gather"
        else:
            awaits = _innermost_of_asyncio(places) or "a future"
    return name, places, awaits


def _places(coroutine: "Any") -> "Iterator[tuple[CodeType | str, int]]":
    """Yield code and line of a coroutine and of what it awaits, outermost first."""
    types: "Any" = sys.modules.get("types")
    for _ in range(MOST_FRAMES):
        kind = type(coroutine)
        if kind is types.CoroutineType:
            frame, code, below = coroutine.cr_frame, coroutine.cr_code, coroutine.cr_await
        elif kind is types.GeneratorType:
            frame, code, below = coroutine.gi_frame, coroutine.gi_code, coroutine.gi_yieldfrom
        elif kind is types.AsyncGeneratorType:
            frame, code, below = coroutine.ag_frame, coroutine.ag_code, coroutine.ag_await
        else:
            named = getattr(kind, "__name__", "") in ("coroutine", "cython_function_or_method")
            if named:  # compiled by Cython: a name, no lines
                yield str(getattr(coroutine, "__qualname__", "coroutine")), 0
            return
        if frame is None:
            return
        yield code, frame.f_lineno or code.co_firstlineno
        coroutine = below


def _innermost_of_asyncio(places: "tuple[tuple[CodeType | str, int], ...]") -> str:
    """Return which of asyncio's own functions the innermost of the program's frames awaits."""
    called = ""
    for code, _ in reversed(places):
        if isinstance(code, str) or not _is_asyncio(code):
            break
        if not code.co_name.startswith("_"):  # `async with lock` is `Lock.acquire`
            called = getattr(code, "co_qualname", code.co_name)
    return called


def _order(key: "Key") -> "tuple[Any, ...]":
    """By name, and by number within a name: fetch-2 before fetch-10."""
    name = key[0]
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    return stem, int(digits) if 0 < len(digits) < 10 else 0, name


def _is_asyncio(code: "CodeType") -> bool:
    return code.co_filename.rpartition("/")[0] == FOLDER


def _place(code: "CodeType", line: int) -> str:
    function = getattr(code, "co_qualname", code.co_name)  # 3.11 on
    return "%s (%s:%d)" % (function, code.co_filename.rpartition("/")[2], line)


def _encoded(
    places: "tuple[tuple[CodeType | str, int], ...]", quote: "Callable[[str, int], str]"
) -> "tuple[str, str]":
    """Return a list of files, and frames that name them by index (-1: none)."""
    files: "dict[str, int]" = {}
    frames, size = [], 0
    for code, line in places:
        if isinstance(code, str):
            frames.append("[%s,-1,0]" % quote(code, 200))
        else:
            file = code.co_filename
            if file not in files:
                files[file] = len(files)
                size += len(quote(file, 400)) + 1
            function = getattr(code, "co_qualname", code.co_name)
            frames.append("[%s,%d,%d]" % (quote(function, 200), files[file], line))
        size += len(frames[-1]) + 1
        if size > BODY_BYTES - 1_000:
            break
    return ",".join([quote(file, 400) for file in files]), ",".join(frames)


def watch(agent: "Agent", beside: "Any", after: "dict[str, Callable[[], None]]") -> None:
    """Begin once asyncio has been imported; uvloop's loops are others, with tasks of asyncio."""
    tasks = Tasks(agent, beside)
    tasks.hook(sys.modules["asyncio.base_events"].BaseEventLoop)
    after["uvloop"] = lambda: tasks.hook(sys.modules["uvloop"].Loop)
    if agent.came_late:
        tasks.take_up()
