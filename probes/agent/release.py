"""Memory that the program does not use given back to the system, when a person asks for it.

Of malloc is asked whichever there is: glibc's, or the one that was put in its place.
"""

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from perftui.probes.agent.runtime import Agent

MALLOCS: "tuple[tuple[str, str, tuple[Any, ...], str], ...]" = (
    # 4096 is MALLCTL_ARENAS_ALL, from jemalloc 5 on.
    ("jemalloc", "mallctl", (b"arena.4096.purge", None, None, None, 0), ""),
    ("mimalloc", "mi_collect", (1,), " (each thread gives back its own, when it asks itself)"),
    ("tcmalloc", "MallocExtension_ReleaseFreeMemory", (), ""),
    ("malloc", "malloc_trim", (0,), ""),
)
"""Name, its function for that, with what it is called, and what is to be known of it."""


def release(agent: "Agent", interpreters_own: "Callable[[str], Any]") -> None:
    """Give back what is not used, and tell what came of it.

    Args:
        agent: Gets the line.
        interpreters_own: Returns a module of the interpreter's that the program need not have
            imported (`growth/inquiry`).
    """
    first = before = agent.rss()
    told: "list[str]" = []
    came_bytes = 0  # of the steps: the program may take more meanwhile
    for name, step in (
        ("gc", collect),
        ("Arrow", trim_arrow),
        ("malloc", lambda: trim_malloc(interpreters_own("_ctypes"))),
    ):
        try:
            for asked, note in step():
                now = agent.rss()
                if isinstance(now, int) and isinstance(before, int):
                    came_bytes += max(before - now, 0)
                    told.append("%s %.1f MB%s" % (asked, max(before - now, 0) / 1e6, note))
                else:
                    told.append(asked + note)
                before = now
        except BaseException as error:  # a library's, or of a finalizer of the program's
            told.append("%s failed (%s)" % (name, type(error).__name__))
    text = "released what it could, how much is not known"
    if isinstance(first, int) and isinstance(before, int):
        text = "released %.1f MB of %.1f MB" % (came_bytes / 1e6, first / 1e6)
    agent.wire.send(
        '{"k":"released","t":%d,"pid":%d,"text":%s'
        % (time.monotonic_ns(), agent.pid, agent.quote(text + ": " + ", ".join(told)))
    )


def collect() -> "Iterator[tuple[str, str]]":
    """Free what only refers to itself; finalizers of the program's run here."""
    import gc

    gc.collect()
    yield "gc", ""


def trim_arrow() -> "Iterator[tuple[str, str]]":
    """Let Arrow's pools give back what they keep, if the program has imported Arrow."""
    pyarrow = sys.modules.get("pyarrow")
    if type(pyarrow) is type(sys) and "supported_memory_backends" in pyarrow.__dict__:
        for backend in pyarrow.supported_memory_backends():
            getattr(pyarrow, backend + "_memory_pool")().release_unused()
        yield "Arrow", ""


def trim_malloc(ctypes: "Any") -> "Iterator[tuple[str, str]]":
    """Let malloc give back whole pages that are free.

    Args:
        ctypes: The interpreter's `_ctypes`.
    """
    whole = ctypes.dlopen(None, 0)
    found = False
    for name, function, words, note in MALLOCS:
        try:
            address = ctypes.dlsym(whole, function)
        except OSError:
            continue  # it is not there
        found = True
        ctypes.call_function(address, words)
        yield name, note
    if not found:
        yield "malloc", " (it has no way to be asked)"
