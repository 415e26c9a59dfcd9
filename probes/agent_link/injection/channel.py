"""Brings the agent into a program that runs, hears it, and lets it leave.

The agent leaves by itself when the pipe `life` ends, which only we hold open for writing: also if
perftui is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from perftui.probes.agent_link.injection.folder import Meeting
from perftui.probes.agent_link.injection.order import order, take_back
from perftui.probes.agent_link.injection.wake import end_wait, waits_for_events
from perftui.probes.agent_link.launch import PIPE_BYTES, AgentChannel
from perftui.probes.agent_link.order_board import OrderBoard
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.agent_link.injection.able import Injectable
    from perftui.probes.spine.records import Severity

    Say = Callable[[Severity, str], None]

LATE_S = 1.0
LIMIT_S = 30.0
"""So long the target's main thread may stay in C before we give up."""
WAITS = "the agent waits: the main thread is in C; it comes in at its next event"
_WAKE_AFTER_S, _WAKE_EVERY_S = 0.25, 2.0
"""A main thread that waits for events is woken then, and after that so often."""
_LEAVE_S = 3.0
_LOOK_S = 0.05


class InjectedChannel(AgentChannel):
    """As for a launched program, but for how the agent gets there.

    Args:
        target: Into what.

    Raises:
        NotInjectable: there is no place to meet.
    """

    def __init__(self, target: Injectable) -> None:
        self._target = target
        self._meeting = Meeting(target.pid)
        self.read_fd = self._meeting.open("records")
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.read_fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._life_fd = self._meeting.open("life")
        self.board = OrderBoard(self._meeting.open("board"))
        self.child_fds = ()
        self._child_open = False
        self._gate_fd = -1
        self._gate_lock = Lock()
        self._came = Event()
        self._left = Event()
        self._closing = Event()
        self._thread: Thread | None = None

    def bring(self, say: Say, alive: Callable[[], bool]) -> None:
        """Have the agent come; what comes of it is said.

        Args:
            say: Puts a notice into the log.
            alive: Tells whether the target still runs.
        """
        thread = Thread(target=self._bring, args=(say, alive), name="perftui-inject", daemon=True)
        self._thread = thread
        thread.start()

    def came(self) -> None:
        """The agent has said hello."""
        self._came.set()

    def left(self) -> None:
        """The agent has said bye."""
        self._left.set()

    def _bring(self, say: Say, alive: Callable[[], bool]) -> None:
        pid = self._target.pid
        try:
            order(self._target, self._meeting.script)
        except OSError as error:
            if alive():
                say("warn", f"the agent did not come into process {pid}: {error.strerror}")
            return
        begun = time.monotonic()
        late = False
        wake_at_s = _WAKE_AFTER_S
        while not self._closing.wait(_LOOK_S) and not self._came.is_set() and alive():
            why = self._meeting.answer()
            if why:
                say("warn", f"the agent did not come into process {pid}: {why}")
                return
            waited = time.monotonic() - begun
            if waited > wake_at_s:
                wake_at_s = waited + _WAKE_EVERY_S
                if waits_for_events(pid):
                    end_wait(pid)
            if waited > LATE_S and not late:
                late = True
                say("info", WAITS)
            if waited > LIMIT_S:
                self._withdraw()
                say(
                    "warn",
                    f"the agent has not come: the main thread of process {pid} has run no Python "
                    f"for {format_seconds(LIMIT_S)}; stacks, CPU and memory are seen as ever",
                )
                return

    def _withdraw(self) -> None:
        """Take the order back: a script that has gone would be complained of, by the target."""
        self._close_life()
        if not self._came.is_set():
            with contextlib.suppress(OSError):  # it has ended
                take_back(self._target)

    def _close_life(self) -> None:
        fd, self._life_fd = self._life_fd, -1
        if fd >= 0:
            os.close(fd)

    def leave(self, *, alive: bool) -> None:
        """Have the agent take itself out, and wait a moment until it has.

        Args:
            alive: The target still runs.
        """
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        if not self._came.is_set() and alive:
            self._withdraw()
        self._close_life()
        if self._came.is_set() and alive:
            self._left.wait(_LEAVE_S)

    def close(self) -> None:
        """Give everything up."""
        self._closing.set()
        self._close_life()
        super().close()
        self._meeting.clear()
