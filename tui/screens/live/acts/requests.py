"""What the keys ask of the session itself: marks, runs, the end of the target."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from perftui.tui.picture import choosing
from perftui.tui.session.face import Kept, ListingTasks, Releasing, Tracing
from perftui.tui.widgets.charts.time_axis import moment_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from perftui.tui.screens.live.acts.session_thread import Say, SessionThread
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.session.face import LiveSession

    Order: TypeAlias = Callable[[], None]

Parting = Literal["stop", "leave", "let go"]
"""What becomes of the target when we leave: ended, left running, or released from its wait."""
_NOT_HERE = "only a program that runs here can be asked"


class Requests:
    """Asks things of a session, on its thread, and says how they went."""

    def __init__(self, session: LiveSession, shown: Shown, thread: SessionThread, say: Say) -> None:
        self._session = session
        self._shown = shown
        self._thread = thread
        self._say = say
        self._marks = 0

    async def mark(self) -> None:
        """Put a mark into the session."""
        view = self._shown.view
        if view is None or view.status.state in ("exited", "recording"):
            self._say("the session has ended: no mark can be added")
            return
        self._marks += 1
        name = f"mark {self._marks}"
        at = moment_text(view.seconds(view.status.t_end_ns))
        await self._thread.carry_out(lambda: self._session.mark(name), f"{name} at {at}")

    @property
    def kept(self) -> Kept | None:
        """The session, if its target keeps its process and can be run again."""
        session = self._session
        return session if isinstance(session, Kept) and session.keeps_process() else None

    async def again(self) -> None:
        """Run the scenario again in the process that it has kept."""
        kept = self.kept
        await self._run(None if kept is None else kept.again, "again, in the same process: warm")

    async def restart(self) -> None:
        """Run the scenario in a new program."""
        kept = self.kept
        await self._run(None if kept is None else kept.restart, "restarted: a new program, cold")

    async def _run(self, order: Order | None, done: str) -> None:
        if await self._order(order, done, "again and restart are for scenarios that run here"):
            self._shown.choose(choosing.back_to_live(self._shown.selection))

    async def _order(self, order: Order | None, done: str, if_none: str = _NOT_HERE) -> bool:
        """Carry out what can be asked of this session, or say why it cannot."""
        if order is None:
            self._say(if_none)
            return False
        return await self._thread.carry_out(order, done)

    async def interrupt(self) -> None:
        """Send SIGINT to the target."""
        await self._thread.carry_out(self._session.interrupt, "sent SIGINT to the target")

    async def release(self) -> None:
        """Have the program give back memory that it does not use; a notice tells what came."""
        session = self._session
        order = session.release if isinstance(session, Releasing) else None
        await self._order(order, "asked the program to release memory")

    async def list_tasks(self) -> None:
        """Have the program tell its asyncio tasks now."""
        session = self._session
        order = session.list_tasks if isinstance(session, ListingTasks) else None
        await self._order(order, "asked for the tasks of asyncio")

    async def trace(self, seconds: float) -> None:
        """Have the program trace its allocations for a while."""
        session = self._session
        order = None
        if isinstance(session, Tracing):
            order = partial(session.trace_allocations, seconds)
        await self._order(order, f"tracemalloc for {seconds:g} s: the Memory tab has what came")

    # -- the end ---------------------------------------------------------------------------

    @property
    def owns_target(self) -> bool:
        """Whether a target that we launched still runs."""
        return self._session.launched and self._session.target_alive()

    @property
    def target_waits(self) -> bool:
        """Whether the target's work is done: it is kept, and waits for an order."""
        return isinstance(self._session, Kept) and self._session.waits()

    async def part(self, how: Parting) -> bool:
        """Stop the target, or let it go; returns whether that went well."""
        session = self._session
        if how == "stop":
            self._say("stopping the target …")
            return await self._thread.carry_out(session.stop_target, "")
        if how == "let go":
            return isinstance(session, Kept) and await self._thread.carry_out(session.end_kept, "")
        return await self._thread.carry_out(session.leave_running, "")
