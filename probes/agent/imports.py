"""Imports as a tree, timed as `-X importtime` does, and unseen.

`begin` and `end` are called in the importing thread at the moments before and after a module
is loaded; `import_hooks` brings them there. Our own time inside an import is taken off its
figures.
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
SELF_TEST = "_perftui_agent_self_test"
"""No such module: it is imported once to see that imports come by here."""
OWN = "_perftui_agent"
"""What our own modules' names begin with; some come only when a program needs them."""

_FRAMES = 16
_put_off: "set[str]" = getattr(sys, "lazy_modules", set())
"""Modules that a `lazy import` (Python 3.15) has named and nobody has loaded yet."""
_IMPORTERS = ("/importlib/__init__.py", "/importlib/util.py", "/lazy_loader/__init__.py")
_BY_ATTRIBUTE = ("__getattr__", "__getattribute__")
_GO_BETWEEN = 3
"""Functions that may stand between an attribute that is asked for and the import of it."""


async def _nothing() -> None:
    """Made to know where it was made."""


_OWN_FOLDER = _nothing.__code__.co_filename.rpartition("/")[0] + "/"


def _place() -> "tuple[str, str, int] | None":
    """Return function, file and line that cause an import.

    A coroutine is told where it was made. That is no audit event, as `sys._getframe` is one:
    a program may listen to those, or forbid them.
    """
    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(_FRAMES)
    try:
        made: "Any" = _nothing()
        origin = made.cr_origin
        made.close()
    finally:
        sys.set_coroutine_origin_tracking_depth(before)
    return cause(origin or ())


def cause(frames: "tuple[tuple[str, int, str], ...]") -> "tuple[str, str, int] | None":
    """Return whose doing an import is: (function, file, line), None if that is not known.

    Args:
        frames: (file, line, function), innermost first, beginning with our own.

    Neither importlib nor a package that imports what is asked of it (module `__getattr__`, PEP
    562) is the cause: it is who asked.
    """
    outside = [
        (function, file, line)
        for file, line, function in frames
        if not file.startswith((_OWN_FOLDER, "<frozen importlib")) and not file.endswith(_IMPORTERS)
    ]
    at = 0
    for n in range(min(len(outside) - 1, 8)):
        if outside[n][0] in _BY_ATTRIBUTE and n - at < _GO_BETWEEN:
            at = n + 1
    return outside[at] if at < len(outside) else None


class Imports:
    """What the hooks call.

    Args:
        agent: Gets the lines.
        provide: Called before `perftui` is imported.
        after: By the name of a module, what to do once it was imported.
    """

    def __init__(
        self,
        agent: "Agent",
        provide: "Callable[[], None]",
        after: "dict[str, Callable[[], None]]",
    ) -> None:
        self.agent = agent
        self.after = after
        self._provide = provide
        self._providing = False
        self.tested = 0
        """How many of the two moments of the self-test have come by."""

    def begin(self, name: str, lazy: bool = False) -> "list[Any] | None":
        """A module is about to be loaded; return what `end` is to get.

        Args:
            name: Of the module.
            lazy: A stand-in for it is in `sys.modules` and is now filled.
        """
        entered = time.monotonic_ns()
        if (name in sys.modules and not lazy) or name in SITE_HOOKS or name.startswith(OWN):
            if name == SELF_TEST:
                self.tested += 1
            return None  # another thread imported it meanwhile, or it is being reloaded
        agent = self.agent
        if name == "perftui" and not self._providing:
            self._providing = True  # what provides it imports it, and comes by here again
            try:
                self._provide()
            finally:
                self._providing = False
            if name in sys.modules:
                return None
        if not agent.wire.open:
            return None
        thread = agent.thread
        stack = thread.imports
        number = agent.next_import_id()
        lazy = lazy or name in _put_off
        place = _place() if lazy or not stack else None
        function, file, line = place or ("", "", 0)
        agent.emit(
            entered,
            '{"k":"import","t":%d,"pid":%d,"id":%d,"tid":%d,"module":%s,"parent":%s,"rss":%s,'
            '"function":%s,"file":%s,"line":%s,"lazy":%s'
            % (
                entered,
                agent.pid,
                number,
                thread.tid,
                agent.quote(name),
                stack[-1][0] if stack else "null",
                agent.rss(),
                agent.quote(function, 300) if place else "null",
                agent.quote(file, 600) if place else "null",
                line if place else "null",
                "true" if lazy else "false",
            ),
        )
        # id, pid, stack, start, time of imports below, our own time within, our own time before
        entry = [number, agent.pid, stack, 0, 0, 0, 0]
        stack.append(entry)
        now = time.monotonic_ns()
        entry[3] = now
        entry[6] = now - entered
        return entry

    def end(self, entry: "list[Any]", ok: bool) -> None:
        """It has been loaded, or that has failed."""
        agent = self.agent
        left = time.monotonic_ns()
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
            parent[5] += own_within + own_before + time.monotonic_ns() - left

    def done(self, name: str, entry: "list[Any] | None", ok: bool) -> None:
        """What a hook does when a module's import is over; no failure of ours is seen."""
        try:
            if entry is not None:
                self.end(entry, ok)
            after = self.after.get(name)
            if after is not None and ok:
                after()
            elif name == SELF_TEST:
                self.tested += 1
        except Exception as error:
            if self.agent.foreign(error):
                raise
            self.agent.report(error)
