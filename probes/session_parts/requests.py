"""What a program that runs is asked for, through its agent: memory back, tasks, allocations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.agent_link.launch import AgentChannel
    from perftui.probes.agent_link.order_board import OrderBoard
    from perftui.probes.session_parts.faces import SessionTarget


class SessionRequests:
    """Asks the target.

    Args:
        target: Whom.
        channel: To its agent; None: it has none.
        has_agent: Whether the agent has said hello.
    """

    def __init__(
        self,
        target: SessionTarget,
        channel: AgentChannel | None,
        has_agent: Callable[[], bool],
    ) -> None:
        self._target = target
        self._channel = channel
        self._has_agent = has_agent

    def release(self) -> None:
        """Ask it to give back memory that it does not use; a notice tells what came.

        Raises:
            OSError: it cannot be asked.
        """
        self._board().ask_for_release(self._target.pid)

    def list_tasks(self) -> None:
        """Ask it for its asyncio tasks, now; it tells them by itself once a second.

        Raises:
            OSError: it cannot be asked.
        """
        self._board().ask_for_tasks(self._target.pid)

    def trace_allocations(self, seconds: float) -> None:
        """Have it trace its allocations for a while: tracemalloc, which costs it.

        Raises:
            OSError: it cannot be asked.
        """
        board = self._board()
        if not self._target.alive():
            raise OSError("the program has ended")
        board.ask_for_tracemalloc(self._target.pid, seconds)

    def _board(self) -> OrderBoard:
        if self._channel is None or not self._has_agent():
            raise OSError("only a Python program that perftui launched can be asked")
        if self._channel.board is None:
            raise OSError("the program hears nothing: it was launched with --hands-off")
        return self._channel.board
