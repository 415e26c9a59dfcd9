"""A program that hears orders through the board, and what its agent says."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

from perftui.probes.agent_link.launch import agent_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.agent_link.launch import AgentChannel

PATIENCE_S = 60.0


_UNTIL_IT_IS_ASKED = """
ends = sys.modules["_perftui_agent"].agent.before_bye
board = next(end.__self__ for end in ends if hasattr(getattr(end, "__self__", None), "{what}"))
sys.modules[type(board._thread).__module__].STOP_S = 60
while board.{what} is None: over.wait(0.01)
"""


def until_it_is_asked(what: str) -> str:
    """Return lines of a program with which it waits until its agent works on an order.

    It gives the agent as long as it takes to tell when the program ends: that is a second, in
    which a machine that is full may do nothing at all.

    Args:
        what: `_inquiry` or `_traced`, as the agent's board calls it.
    """
    return _UNTIL_IT_IS_ASKED.format(what=what)


class Asked:
    """A program that hears orders, and what its agent says."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        child_env, fds, channel = agent_environment(env, hears_orders=True)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            argv, env=child_env, pass_fds=fds, stdin=pipe, stdout=pipe, stderr=pipe
        )
        channel.close_child_ends()
        channel.open_gate()
        self.channel: AgentChannel = channel
        self.lines: list[dict[str, Any]] = []
        self._rest = b""

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["k"] == kind]

    def ask(self, pid: int = 0, suspects: tuple[tuple[str, str, int], ...] = ()) -> None:
        assert self.channel.board is not None
        self.channel.board.ask_for_growth(
            pid or self.process.pid,
            seconds=1.0,
            budget_s=20.0,
            most_objects=10**6,
            suspects=suspects,
        )

    def until(self, what: Callable[[], object]) -> None:
        """Read what the agent says until something is so."""
        give_up = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < give_up, self.lines[-5:]
            try:
                self._rest += os.read(self.channel.read_fd, 1 << 16)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            *whole, self._rest = self._rest.split(b"\n")
            self.lines += [json.loads(line) for line in whole]

    def told(self, by: str = "census", kind: str = "keeper") -> Callable[[], bool]:
        return lambda: any(
            look["by"] == by and len(self.of(kind)) >= look["told"]
            for look in self.of("growth_look")
        )

    def end(self) -> tuple[int, bytes, bytes]:
        stdout, stderr = self.process.communicate(b"", timeout=PATIENCE_S)
        self.channel.close()
        return self.process.returncode, stdout, stderr
