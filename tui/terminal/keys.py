"""Keys are done one after the other, however fast they come.

Textual hands a key to what has the focus when the key arrives, and only later, when it has come
back through all parents, does what it is bound to. A key that arrives in between goes where the
focus was: `g 5 0 % enter e`, typed ahead of a busy machine, gives `e` to a line that is about to
close. So a key waits until the one before it is done: a message follows that one on its way.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from textual import events
    from textual.app import App
    from textual.message_pump import MessagePump
    from textual.timer import Timer

ROUNDS = 2
"""How often the way is gone: what a key is bound to may itself tell its widget something first,
as a line tells that it was submitted, and that is done when the second message has passed."""
PATIENCE_S = 1.0
"""A message is lost with the widget that has it: then the next key goes on after so long."""


class KeyPassed(Message):
    """Went the way of a key, after it: from what had the focus up to the application."""

    def __init__(self, number: int, rounds: int, start: MessagePump) -> None:
        super().__init__()
        self.number = number
        """Which key of the application it follows."""
        self.rounds = rounds
        """How often it is to go the way after this."""
        self.start = start
        """What had the focus."""


class KeysInOrder:
    """Gives an application its keys, each when the one before is done."""

    def __init__(self, app: App[Any], give: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app = app
        self._give = give
        self._waiting: deque[events.Key] = deque()
        self._number = 0
        self._under_way = False
        self._patience: Timer | None = None

    async def press(self, event: events.Key) -> None:
        """Give a key that came from the terminal, at once or in its turn."""
        if self._under_way:
            self._waiting.append(event)
            if self._patience is None:
                self._patience = self._app.set_timer(PATIENCE_S, self._next)
            return
        await self._press(event)

    async def passed(self, message: KeyPassed) -> None:
        """Go on when what followed a key has arrived."""
        if message.number != self._number or not self._under_way:
            return  # nobody waits for it any more
        if message.rounds and self._follow(message.start, message.rounds):
            return
        await self._next()

    async def _next(self) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        self._under_way = False
        while self._waiting and not self._under_way:
            await self._press(self._waiting.popleft())
        if self._waiting:
            self._patience = self._app.set_timer(PATIENCE_S, self._next)

    async def _press(self, event: events.Key) -> None:
        start = self._app.focused or self._app.screen
        await self._give(event)
        self._number += 1
        self._under_way = self._follow(start, ROUNDS)

    def _follow(self, start: MessagePump, rounds: int) -> bool:
        """Send a message after a key; False if there is nobody any more to take it."""
        return start.post_message(KeyPassed(self._number, rounds - 1, start))
