"""Imports as a tree, timed as `-X importtime` does, and unseen.

The interpreter imports whatever is not in `sys.modules` through
`importlib._bootstrap._find_and_load`, which does its work inside `with _ModuleLockManager(name)`.
We put a subclass in the place of that class: its `__enter__` and `__exit__` are the moments
before and after the import, in the importing thread, yet no frame of ours is on the stack while
the module runs: tracebacks, recursion depth and `sys.meta_path` stay what they were.

Our own time inside an import is taken off its figures.
"""

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.runtime import Agent

SITE_HOOKS = ("sitecustomize", "usercustomize")
"""`site` tries these in every program; that they are missing is no news."""


def install(agent: "Agent", provide: "Callable[[], None]", imported_atexit: "Any") -> bool:
    """Begin to record imports; False if this interpreter works in some other way.

    `provide` is called before `perftui` is imported, `imported_atexit` after `atexit` was.
    """
    bootstrap: "Any" = sys.modules["_frozen_importlib"]
    original = getattr(bootstrap, "_ModuleLockManager", None)
    if original is None or getattr(original("x"), "_name", None) != "x":
        return False
    enter = original.__enter__
    leave = original.__exit__
    clock = time.monotonic_ns
    quote = agent.quote
    providing = False

    def begin(name: str) -> "list[Any] | None":
        nonlocal providing
        entered = clock()
        if name in sys.modules or name in SITE_HOOKS:
            return None  # another thread imported it meanwhile, or it is being reloaded
        if name == "perftui" and not providing:
            providing = True  # what provides it imports it, and comes by here again
            try:
                provide()
            finally:
                providing = False
            if name in sys.modules:
                return None
        if not agent.wire.open:
            return None
        thread = agent.thread
        stack = thread.imports
        number = agent.next_import_id()
        agent.emit(
            entered,
            '{"k":"import","t":%d,"pid":%d,"id":%d,"tid":%d,"module":%s,"parent":%s,"rss":%s'
            % (
                entered,
                agent.pid,
                number,
                thread.tid,
                quote(name),
                stack[-1][0] if stack else "null",
                agent.rss(),
            ),
        )
        # id, pid, stack, start, time of imports below, our own time within, our own time before
        entry = [number, agent.pid, stack, 0, 0, 0, 0]
        stack.append(entry)
        now = clock()
        entry[3] = now
        entry[6] = now - entered
        return entry

    def end(entry: "list[Any]", ok: bool) -> None:
        left = clock()
        number, pid, stack, start, below, own_within, own_before = entry
        while stack and stack.pop() is not entry:
            pass  # an entry that a signal handler kept from being closed
        if pid != agent.pid:
            return  # forked within this import
        total = left - start - own_within
        agent.emit(
            left,
            '{"k":"import_end","t":%d,"pid":%d,"id":%d,"self_ns":%d,"total_ns":%d,'
            '"rss":%s,"ok":%s'
            % (
                left,
                pid,
                number,
                max(total - below, 0),
                total,
                agent.rss(),
                "true" if ok else "false",
            ),
        )
        if stack:
            parent = stack[-1]
            parent[4] += total
            parent[5] += own_within + own_before + clock() - left

    class _ModuleLockManager(original):  # type: ignore[misc, valid-type]
        _perftui = None

        def __enter__(self) -> None:
            enter(self)
            try:
                self._perftui = begin(self._name)
            except BaseException as error:
                if isinstance(error, Exception) and not agent.foreign(error):
                    agent.report(error)
                else:  # from a signal handler of the program: `with` will not call __exit__
                    leave(self, None, None, None)
                    raise

        def __exit__(self, *args: "Any", **kwargs: "Any") -> None:
            leave(self, *args, **kwargs)
            entry = self._perftui
            if entry is None:
                return
            try:
                end(entry, args[0] is None)
                if imported_atexit is not None and self._name == "atexit":
                    imported_atexit()
            except Exception as error:
                if agent.foreign(error):
                    raise
                agent.report(error)

    for method in (_ModuleLockManager.__enter__, _ModuleLockManager.__exit__):
        # An exception that passes (the program's signal handler may raise here as in the
        # original's methods) shows importlib's frame, which the interpreter knows how to trim.
        method.__code__ = method.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    _ModuleLockManager.__module__ = original.__module__
    _ModuleLockManager.__qualname__ = original.__qualname__
    bootstrap._ModuleLockManager = _ModuleLockManager
    return True
