"""Starts memray in this process, so that what is allocated is recorded beside our timeline.

memray writes its own file into the recording. Importing it imports a hundred modules that the
program would otherwise import itself or never: whoever asks for it is told.
"""

import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.runtime import Agent

SNAPSHOT_MS = 100
"""Between two moments that the file knows: nothing can be told apart within."""


def begin(agent: "Agent", folder: str) -> None:
    """Record from now on; what is in the way is said over the wire, the program goes on.

    Args:
        agent: Of this process.
        folder: The recording.
    """
    try:
        end = _started(folder, agent.pid)
    except Exception as error:
        if agent.foreign(error):
            raise
        what = "%s: %s" % (type(error).__name__, error)
        agent.say(
            "memray is off in pid %d (%s), so its allocations are not recorded: %s"
            % (agent.pid, sys.executable, what[:300])
        )
        return
    agent.last_of_all.append(end)


def _started(folder: str, pid: int) -> "Callable[[], None]":
    import memray

    beside: "Any" = sys.modules.get("_perftui_agent_beside")
    if beside is not None:  # where imports are not seen nobody else says so
        beside.last_in_child()
    words = getattr(sys, "argv", None)
    path = "%s/memray-%d-%d.bin" % (folder, pid, time.monotonic_ns())
    try:
        if words is not None:
            sys.argv = words[:1]  # the file would hold all of them, with the secrets among them
        tracker: "Any" = memray.Tracker(
            destination=memray.FileDestination(path, compress_on_exit=False),
            memory_interval_ms=SNAPSHOT_MS,
            follow_fork=True,
        )
    finally:
        if words is not None:
            sys.argv = words
    posix.chmod(path, 0o600)
    tracker.__enter__()
    begun_in = posix.getpid()

    def end() -> None:
        # Ended in a forked child, it would write into its parent's file too; that of the child
        # needs no end.
        if posix.getpid() == begun_in:
            tracker.__exit__(None, None, None)

    return end
