"""Orders to a target that keeps its process: run again, begin anew, or end.

A target that was asked to (see `CHILD_VARIABLE`) does not end when its work is done. It says how
long the work took and waits for the next order at one end of a socket; the other end is ours.
When we are gone, however that came, the socket ends and so does the target.

    target -> us   {"run": {"cold", "t_main", "held", "t_work", "t_done", "ok"}}      a run is over
    us -> target   "again" | "restart"                                 or the end of the socket

What we waited for is set against what the target says that it worked: the difference is the
start of the interpreter, the loading of the scenario, and the way of order and answer.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Literal

from perftui.probes.spine.calltree import REST_FUNCTIONS, own_path
from perftui.probes.spine.records import Run
from perftui.probes.target.kept_process import CHILD_VARIABLE, REST_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.calltree import Frame
    from perftui.probes.spine.log import SessionLog

FIRST_FD = 200
"""The target's own descriptors must be numbered as if ours were not there."""
LONGEST_LINE_BYTES = 1 << 14
_END_LIMIT_S = 10.0

Order = Literal["again", "restart"]


def at_rest(frame: Frame) -> bool:
    """Tell whether a leaf is no time of the program's, but its wait for a person."""
    return frame.function in REST_FUNCTIONS and own_path(frame.file) == REST_FILE


class NotWaiting(OSError):
    """An order was given to a target that cannot take one now."""


class Orders:
    """Our end. Give `child_fd` and `environment()` to the target, then call `start`.

    Args:
        runs: So many runs are ordered one after the other.
        stay: Keep the process after them, for a person's orders; else it is let go.
    """

    def __init__(self, runs: int, *, stay: bool) -> None:
        self._left = runs - 1
        self._stay = stay
        import socket  # for the few sessions that have orders

        ours, theirs = socket.socketpair()
        self._socket = ours
        try:
            self.child_fd = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, FIRST_FD)
            theirs.close()
        except OSError:
            self.child_fd = theirs.detach()
        self._child_open = True
        self._changed = Condition()
        self._waiting_since_ns: int | None = None
        self._ordered_ns = time.monotonic_ns()
        self._n = 0
        self._over = False
        self._log: SessionLog | None = None
        self._pid = 0
        self._on_rest: Callable[[int | None], None] = lambda since_ns: None
        self._thread = Thread(target=self._listen, name="perftui-orders", daemon=True)

    def environment(self) -> dict[str, str]:
        """Return what the target's environment needs."""
        return {CHILD_VARIABLE: f"{self.child_fd}:{os.fstat(self.child_fd).st_ino}"}

    def close_child_end(self) -> None:
        """Close what only the target needs, once it has been started."""
        if self._child_open:
            self._child_open = False
            os.close(self.child_fd)

    def start(
        self, log: SessionLog, pid: int, t_launch_ns: int, on_rest: Callable[[int | None], None]
    ) -> None:
        """Listen from now on.

        Args:
            log: Gets a `Run` for every answer.
            pid: The target.
            t_launch_ns: When it was launched: the first order.
            on_rest: Told since when the target waits for a person, None when it works again.
        """
        self._log, self._pid, self._ordered_ns = log, pid, t_launch_ns
        self._on_rest = on_rest
        self._thread.start()

    @property
    def waiting_since_ns(self) -> int | None:
        """Since when the target waits for a person's order; None while it works or is gone."""
        return self._waiting_since_ns

    def give(self, order: Order) -> None:
        """Give a person's order.

        Raises:
            NotWaiting: the target is at work, or there is none.
        """
        with self._changed:
            if self._waiting_since_ns is None:
                raise NotWaiting(
                    "the process has ended" if self._over else "it is still at work: wait for it"
                )
            self._waiting_since_ns = None
        self._on_rest(None)
        self._send(order)

    def let_go(self) -> None:
        """End the socket: the target ends when its present run is over, or at once if it waits."""
        import socket

        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already, or the target's end is

    def close(self) -> None:
        """Let the target go and stop listening."""
        self.close_child_end()
        self.let_go()
        if self._thread.ident is not None:
            self._thread.join(_END_LIMIT_S)
        self._socket.close()

    def _send(self, order: Order) -> None:
        self._ordered_ns = time.monotonic_ns()
        try:
            self._socket.sendall(order.encode() + b"\n")
        except OSError:
            self._over = True  # its end is told by whoever waits for the process

    def _listen(self) -> None:
        rest = b""
        while True:
            try:
                data = self._socket.recv(4096)
            except OSError:
                data = b""
            now_ns = time.monotonic_ns()
            if not data or len(rest) > LONGEST_LINE_BYTES:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._take(line, now_ns)
        with self._changed:
            self._over = True
            self._waiting_since_ns = None
        self._on_rest(None)

    def _take(self, line: bytes, now_ns: int) -> None:
        """Take an answer: note the run, and give the next order if it is not a person's."""
        run = self._run_of(line, now_ns)
        if run is None or self._log is None:
            return
        self._log.append(run)
        if self._left > 0 and run.ok:
            self._left -= 1
            self._send("again")
        elif self._stay:
            with self._changed:
                self._waiting_since_ns = now_ns
            self._on_rest(now_ns)
        else:
            self.let_go()

    def _run_of(self, line: bytes, now_ns: int) -> Run | None:
        """Read an answer; None for nonsense, which a program may write into any descriptor."""
        try:
            said = json.loads(line)["run"]
            t_main, held, t_work, t_done = (
                _time(said[name]) for name in ("t_main", "held", "t_work", "t_done")
            )
            cold, ok = said["cold"] is True, said["ok"] is True
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        self._n += 1
        return Run(
            t_ns=now_ns,
            pid=self._pid,
            n=self._n,
            cold=cold,
            ok=ok,
            waited_ns=now_ns - self._ordered_ns,
            spawn_ns=max(t_main - held - self._ordered_ns, 0) if cold else None,
            held_ns=held if cold else None,
            load_ns=max(t_work - t_main, 0) if cold else None,
            t_work_ns=t_work,
            worked_ns=max(t_done - t_work, 0),
        )


def _time(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError("not a time")
    return value
