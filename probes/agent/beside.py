"""A thread of ours beside the program's, which does as little there as can be.

It takes no signal that is the program's, is not known to `threading`, steps aside for every
`fork` (Python 3.12 warns of forks with threads) and ends before the interpreter does. Its name
is COMM, by which the host leaves it out of the program's threads.
"""

import _signal  # type: ignore[import-not-found]
import posix
import time
from _thread import allocate_lock, get_native_id, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.agent.runtime import Agent

COMM = "perftui-agent"
STOP_S = 1.0
_all: "list[Beside]" = []
_newest = 0
"""Number of the hook that begins them in a forked child."""
register_at_fork: "Callable[..., None]" = posix.register_at_fork
"""An agent that leaves again has one of its own here: the system's knows no way back."""


class Beside:
    """Calls `turn` again and again; it returns the seconds until the next time.

    Args:
        agent: Hears of failures. Once its wire is closed, the thread ends.
        turn: What is done.
        first: Called in the starting thread before every start.
        last: Called in the thread when it ends.
        in_child: Called in a forked child, instead of starting there.
    """

    def __init__(
        self,
        agent: "Agent",
        turn: "Callable[[], float]",
        first: "Callable[[], None] | None" = None,
        last: "Callable[[], None] | None" = None,
        in_child: "Callable[[], None] | None" = None,
    ) -> None:
        self._agent = agent
        self._turn = turn
        self._first = first
        self._last = last
        self._child = in_child
        self._wanted = False
        self._running = False
        self._ended = allocate_lock()
        self._stuck = False
        """A thread of ours did not come back from its turn when it was waited for."""
        register_at_fork(before=self._stop, after_in_parent=self._again)
        _all.append(self)
        if not _newest:
            last_in_child()
        agent.before_bye.append(self.stop)

    def start(self) -> None:
        """Begin; nothing happens if it has begun."""
        self._wanted = True
        self._again()

    def stop(self) -> None:
        """End the thread for good, and wait until the system has forgotten it."""
        self._wanted = False
        self._stop()

    def abandon(self) -> None:
        """Leave a thread alone that does not come back from its turn; nobody waits for it."""
        self._wanted = self._running = False

    def _again(self) -> None:
        if self._running or not self._wanted or not self._agent.wire.open:
            return
        if self._stuck and not self._ended.acquire(False):
            return  # two threads would take turns
        self._stuck = False
        if self._first is not None:
            self._first()
        self._running = True
        self._wake = allocate_lock()
        self._wake.acquire()
        self._ended = allocate_lock()
        self._ended.acquire()
        self._tid = 0
        # The thread inherits the mask: no signal may come to it that another thread waits for.
        before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
        try:
            start_new_thread(self._run, ())
        except RuntimeError as error:
            self._running = False
            self._agent.report(error)
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, before)

    def _stop(self) -> None:
        if not self._running:
            return
        self._running = False
        self._wake.release()
        if not self._ended.acquire(True, STOP_S):
            self._stuck = True
            return
        for _ in range(50):
            if str(self._tid) not in posix.listdir("/proc/self/task"):
                return
            time.sleep(0.0002)

    def begin_in_child(self) -> None:
        """The process has just been forked: the thread has not come along."""
        self._running = self._stuck = False
        if self._child is not None:
            self._wanted = False
            self._child()
        else:
            self._again()

    def _run(self) -> None:
        self._tid = get_native_id()
        try:
            self._call_it(COMM)
            while self._running and self._agent.wire.open:
                began = time.monotonic()
                pause_s = self._turn()
                if self._wake.acquire(True, max(began + pause_s - time.monotonic(), 0.001)):
                    break
            if self._last is not None:
                self._last()
        except Exception as error:  # on a thread of our own: nobody else's can come by here
            self._agent.report(error)
        finally:
            self._ended.release()

    def _call_it(self, name: str) -> None:
        try:
            for standard in (0, 1, 2):
                posix.fstat(standard)  # closed, it is the number that we would be given
            fd = posix.open("/proc/self/task/%d/comm" % self._tid, posix.O_WRONLY | posix.O_CLOEXEC)
        except OSError:
            return
        try:
            posix.write(fd, name.encode())
        finally:
            posix.close(fd)


def last_in_child() -> None:
    """From now on begin in a forked child after all hooks that are registered by now.

    memray follows a program into its child by such a hook. Until that has run, what a thread of
    ours allocates there is written into the parent's file, which both have mapped, and tears it.
    """
    global _newest
    _newest += 1
    number = _newest

    def in_child() -> None:
        if number == _newest:  # a hook cannot be taken back
            for each in _all:
                each.begin_in_child()

    register_at_fork(after_in_child=in_child)
