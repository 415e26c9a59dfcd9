"""The stacks of a session: from outside, from inside, or why there are none; and the gate.

A launched program waits at its agent's gate until its first good stack was taken, or until it is
known that there will be none: even a short program is seen from its first line.
"""

from __future__ import annotations

from threading import Timer
from typing import TYPE_CHECKING

from perftui.probes.machine.rights import can_trace
from perftui.probes.process.free_threaded import PY_SPY, free_threaded_build, what_follows
from perftui.probes.process.implementations import (
    other_implementation,
    what_follows_elsewhere,
)
from perftui.probes.stacks.sources import TreeStackProbe, why_not_own

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perftui.probes.agent_link.launch import AgentChannel
    from perftui.probes.session_options import ProbeOptions
    from perftui.probes.session_parts.faces import SessionTarget
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Severity

_GATE_LIMIT_S = 1.0
"""The agent gives up waiting by itself after the same time."""
IN_PROCESS_HZ = 50.0


class SessionStacks:
    """Chooses who takes the stacks. A `Probe`.

    Args:
        log: Where the records go.
        target: Whose.
        options: How.
        channel: To its agent; None: it has none.
        pids: Gives the processes of the tree that live now.
        say: Puts a notice into the log.
        on_version: Gets the target's Python version, if a sampler reads it.
    """

    def __init__(
        self,
        log: SessionLog,
        target: SessionTarget,
        options: ProbeOptions,
        channel: AgentChannel | None,
        pids: Callable[[], Collection[int]],
        say: Callable[[Severity, str], None],
        on_version: Callable[[str], None],
    ) -> None:
        self._log = log
        self._target = target
        self._options = options
        self._channel = channel
        self._pids = pids
        self._say = say
        self._on_version = on_version
        self._said_free_threaded = False
        self._probe: TreeStackProbe | None = None

    def start(self) -> None:
        """Begin, or say why not."""
        if not self._options.stacks:
            self.open_gate()
            return
        right = can_trace(self._target.pid)
        if not right.ok and self._target.alive():
            text = f"no stacks from outside: {right.reason}; {right.remedy}"
            self._say("warn", text)
            if self._channel is not None:
                self._channel.open_gate(sampler_hz=IN_PROCESS_HZ)
            return
        if other := other_implementation(self._target.pid):
            inside = self._take_from_inside()
            self._say("warn", what_follows_elsewhere(other, inside=inside))
            return
        if build := free_threaded_build(self._target.pid):
            why = why_not_own(self._options.sampler, native=self._options.native)
            if why is not None:
                self.come_from_inside(build, f"{PY_SPY} ({why})")
                return
            self._say("info", f"free-threaded Python {build}: stacks by the own sampler")
        self._probe = TreeStackProbe(
            self._log,
            self._target.pid,
            self._pids,
            sampler=self._options.sampler,
            born=self._target.launched,
            rate_hz=self._options.stack_rate_hz,
            native=self._options.native,
            on_ready=self.open_gate,
            on_version=self._on_version,
            on_unreadable=lambda build, why: self.come_from_inside(build, f"{why}, and {PY_SPY}"),
        )
        self._probe.start()
        if self._channel is not None:
            limit = Timer(_GATE_LIMIT_S, self.open_gate)
            limit.daemon = True
            limit.start()

    @property
    def from_outside(self) -> bool:
        """Whether a sampler was started."""
        return self._probe is not None

    def stop(self) -> None:
        """Take the last ones."""
        if self._probe is not None:
            self._probe.stop()

    def take_at(self, rate_hz: float) -> None:
        """Take them at another rate."""
        if self._probe is not None:
            self._probe.take_at(rate_hz)

    def renew(self) -> None:
        """The target has become another program by exec."""
        if self._probe is not None:
            self._probe.renew(self._target.pid)

    def come_from_inside(self, build: str, why: str) -> None:
        """A free-threaded Python that no sampler can read: say so, take what the agent has."""
        if self._said_free_threaded or not self._options.stacks:
            return
        self._said_free_threaded = True
        inside = self._take_from_inside()
        self._say("warn", what_follows(build, inside=inside, why=why))

    def _take_from_inside(self) -> bool:
        """Have the agent take the stacks, if there is one that still waits at its gate."""
        return self._channel is not None and self._channel.open_gate(sampler_hz=IN_PROCESS_HZ)

    def open_gate(self) -> None:
        """Let a program that waits for us go on."""
        if self._channel is not None:
            self._channel.open_gate()
