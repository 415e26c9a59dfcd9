"""The worker thread of a screen: all questions to its session are asked there, one at a time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.reader import Reader
    from perftui.tui.session.face import LiveSession
    from perftui.tui.widgets.bars.banner import Tone

T = TypeVar("T")


class Say(Protocol):
    """Answers a key in a line, for a few seconds."""

    def __call__(self, text: str, tone: Tone = "calm") -> None:
        """Say it."""
        ...


class SessionThread:
    """Asks a session without holding up the screen; what fails is said, never raised.

    Args:
        session: Whom to ask.
        say: Where a failure is told.
    """

    def __init__(self, session: LiveSession, say: Say) -> None:
        self._session = session
        self._say = say
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="perftui-view")

    def close(self) -> None:
        """Let go of the thread; what it does at the moment is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, call: Callable[[], T]) -> T:
        """Make a call there; what it raises is the caller's."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def ask(self, question: Callable[[Reader], T]) -> T | None:
        """Ask the session's reader; None, said, if it fails."""
        try:
            return await self.run(lambda: question(self._session.reader))
        except Exception as error:
            self._say(f"no answer: {error}", "warn")
            return None

    async def carry_out(self, order: Callable[[], object], done: str) -> bool:
        """Give the session an order and say how it went.

        Args:
            order: The call.
            done: What to say if it went well; "" for nothing.

        Returns:
            Whether it went well.
        """
        try:
            await self.run(order)
        except Exception as error:
            self._say(f"{error}" or type(error).__name__, "warn")
            return False
        if done:
            self._say(done)
        return True
