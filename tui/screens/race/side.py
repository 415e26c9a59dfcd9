"""One side of a race on the ordinary live screen; leaving it leads back to the race."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.live.recorded import recorded_screen
from perftui.tui.screens.live.screen import LiveScreen

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.session import Session
    from perftui.probes.spine.reader import Reader
    from perftui.scenarios.race.race import SideState


class _WatchedSide:
    """A side that is being raced: it is looked at, and belongs to the race."""

    launched = False

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def reader(self) -> Reader:
        return self._session.reader

    def target_alive(self) -> bool:
        return self._session.target_alive()

    def stop_target(self) -> None:
        raise OSError("this side belongs to the race: q there ends it")

    def leave_running(self) -> None:
        """Nothing to do: the race goes on anyway."""

    def interrupt(self) -> None:
        raise OSError("this side belongs to the race: q there ends it")

    def mark(self, name: str) -> None:
        self._session.mark(name)

    def recording_note(self) -> str:
        return self._session.recording_note()


def side_screen(side: SideState, recording: Path | None) -> LiveScreen:
    """Make the screen of a side: its recording once that is complete, else the session itself.

    Raises:
        OSError: the recording cannot be read.
    """
    assert side.session is not None
    if not side.ended or recording is None:
        return LiveScreen(_WatchedSide(side.session), leads_back=True)
    return recorded_screen(recording)
