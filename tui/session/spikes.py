"""Follows a session for spikes on the screen's worker thread: once a second, or once for all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perftui.probes.detect.spikes.finder import SpikeFinder
from perftui.tui.session.face import Spiked

if TYPE_CHECKING:
    from perftui.probes.detect.spikes.spike import Spike
    from perftui.tui.session.face import LiveSession

EVERY_S = 1.0


class SpikeWatch:
    """The spikes of a session for a screen."""

    def __init__(self, session: LiveSession) -> None:
        self._finder = session.spikes if isinstance(session, Spiked) else None
        self._session = session
        self._due_s = 0.0
        self.more = True
        """A recording has not been looked through yet: another picture will tell more."""

    def look(self, *, recorded: bool) -> tuple[Spike, ...]:
        """Return the cards so far; a stretch of a long recording is looked at per call."""
        finder = self._finder
        if finder is None:
            finder = self._finder = SpikeFinder(self._session.reader)
        now = time.monotonic()
        if self.more if recorded else now >= self._due_s:
            self._due_s = now + EVERY_S
            self.more = finder.advance()
        return finder.spikes
