"""Telling of new alerts to a person who looks elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.session.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.reader import Reader
    from perftui.probes.spine.records import Alert
    from perftui.tui.screens.live.acts.session_thread import Say, SessionThread
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.session.notify import How

SAID: dict[How, str] = {
    "off": "new alerts are told on this screen only",
    "bell": "new alerts of severity warn and critical ring the bell",
    "desktop": "new alerts of severity warn and critical become desktop notifications",
}


class AlertNews:
    """Looks for new alerts of a live session and tells them as the person wants.

    Args:
        shown: What is on the screen: a recording has no news.
        thread: Where the session is asked.
        say: Answers a key.
        send: Writes a control sequence to the terminal, between two pictures.
        how: How to tell them at first.
    """

    def __init__(
        self, shown: Shown, thread: SessionThread, say: Say, send: Callable[[str], None], how: How
    ) -> None:
        self._shown = shown
        self._thread = thread
        self._say = say
        self._send = send
        self._notifier = Notifier(how)

    @property
    def how(self) -> How:
        """How new alerts are told."""
        return self._notifier.how

    async def look(self) -> None:
        """Tell of what is new, if that is wanted."""
        wanted = self.how != "off" and self._shown.view is not None
        if wanted and not self._shown.replayed:
            await self._take()

    async def _take(self) -> None:
        await self._thread.ask(lambda reader: self._notifier.take(_all_alerts(reader)))
        for sequence in self._notifier.sequences():
            self._send(sequence)

    async def tell(self, how: How) -> None:
        """Change how new alerts are told; what there is already is not told again."""
        self._notifier.how = "off"
        await self._take()
        self._notifier.how = how
        self._say(SAID[how])


def _all_alerts(reader: Reader) -> tuple[Alert, ...]:
    status = reader.status()
    return reader.alerts(status.t_start_ns, status.t_end_ns + 1)
