"""Lets what a program says (`perftui.count`, `phase`, `call`, `mark`, `watch`) be heard in its
own process while a block is measured.

The agent of launched programs does the work, with a wire that ends here: its lines become the
same records as those that come through a pipe. A line is only put into a queue by the thread that
speaks: a finalizer or a signal handler may speak at any moment, also inside our own locks.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, cast

from perftui.probes.agent import api, wire
from perftui.probes.agent.runtime import Agent
from perftui.probes.agent_link.reader import PLAN_KINDS, records_of

if TYPE_CHECKING:
    from types import ModuleType

    from perftui.probes.spine.log import SessionLog


DRAIN_EVERY_S = 0.05


class _Wire:
    """What the agent takes for a pipe."""

    def __init__(self) -> None:
        self.open = False
        """Nothing is said while nobody listens."""
        self.dropped = 0
        self.lines: SimpleQueue[str] = SimpleQueue()

    def send(self, body: str) -> bool:
        """Keep a line for the next draining."""
        self.lines.put(body)
        return True

    def send_often(self, now_ns: int, body: str) -> None:
        """The same; nothing is held back where nothing is written."""
        self.lines.put(body)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> list[dict[str, Any]]:
        """Return the lines that have come since the last time."""
        taken = []
        while True:
            try:
                taken.append(json.loads(self.lines.get_nowait() + "}"))
            except Empty:
                return taken

    def reset(self) -> None:
        """A forked child has none of our threads: nobody listens there."""
        self.open = False
        self.lines = SimpleQueue()


class _Words:
    """What the agent wants of its wire's module."""

    quote = staticmethod(wire.quote)

    @staticmethod
    def foreign(error: BaseException) -> bool:
        """Tell whether an exception only passed through our code, as from a signal handler."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        name = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
        return not name.startswith("perftui.probes.")


def _load(file: str, name: str) -> ModuleType:
    """Import a file of the agent as the module that it is here."""
    return import_module(f"perftui.probes.agent.{file.replace('/', '.')}")


class _Voice:
    """The agent of this process; it is made once, and mute while no block is measured."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wire = _Wire()
        self._agent: Agent | None = None
        self._logs: tuple[SessionLog, ...] = ()
        self._alone = Event()
        os.register_at_fork(after_in_child=self._after_fork)

    def join(self, log: SessionLog) -> bool:
        """Send what is said to `log` too; False if perftui listens from outside already."""
        with self._lock:
            if self._agent is None:
                statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
                self._agent = Agent(
                    cast("wire.Wire", self._wire), cast("ModuleType", _Words), statm, _load
                )
            if not api.listen(self._agent):
                return False
            self._wire.open = True
            self._drain()  # what was said so far is for the others
            self._logs = (*self._logs, log)
            if len(self._logs) == 1:
                self._alone = Event()
                Thread(
                    target=self._run, args=(self._alone,), name="perftui-voice", daemon=True
                ).start()
            return True

    def leave(self, log: SessionLog) -> None:
        """Hand over what has been said, then let go."""
        with self._lock:
            if self._agent is None or log not in self._logs:
                return
            self._agent.flush()
            self._drain()
            self._logs = tuple(each for each in self._logs if each is not log)
            if not self._logs:
                api.listen(None)
                self._wire.open = False
                self._alone.set()

    def totals(self) -> dict[str, float]:
        """Return what has been counted since the first block was measured."""
        return {} if self._agent is None else self._agent.totals()

    def _run(self, alone: Event) -> None:
        while not alone.wait(DRAIN_EVERY_S):
            with self._lock:
                self._drain()

    def _drain(self) -> None:
        # A block has no tab that shows plans.
        lines = [line for line in self._wire.take() if line["k"] not in PLAN_KINDS]
        if lines:
            for log in self._logs:
                log.extend([record for line in lines for record in records_of(line, log.tree)])

    def _after_fork(self) -> None:
        self._lock, self._logs = Lock(), ()
        api.listen(None)
        self._wire.reset()
        if self._agent is not None:
            self._agent.after_fork()


voice = _Voice()
