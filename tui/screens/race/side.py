"""One side of a race on the ordinary live screen; leaving it leads back to the race."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.live.screen import LiveScreen
from perftui.tui.widgets.bars.footer import KeyFooter, KeyHint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perftui.probes.session import Session
    from perftui.probes.spine.reader import Reader
    from perftui.scenarios.race.race import SideState
    from perftui.tui.session.face import LiveSession
    from perftui.tui.terminal.theme import Paint


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


class _BackFooter(KeyFooter):
    """Says that q leads back."""

    DEFAULT_CSS = """
    _BackFooter { height: 1; width: 100%; dock: bottom; background: $panel; }
    """

    def show(self, hints: Sequence[KeyHint], right: str, width: int, paint: Paint) -> None:
        *others, leave = hints
        super().show([*others, leave._replace(label="back")], right, width, paint)


class SideScreen(LiveScreen):
    """The live screen of one side, or the replay of its recording."""

    def __init__(self, session: LiveSession) -> None:
        super().__init__(session)
        self._footer = _BackFooter(id="keys")

    def action_quit_or_ask(self) -> None:
        """Go back to the race."""
        self.dismiss(None)


def side_screen(side: SideState, recording: Path | None) -> SideScreen:
    """Make the screen of a side: its recording once that is complete, else the session itself.

    Raises:
        OSError: the recording cannot be read.
    """
    assert side.session is not None
    if not side.ended or recording is None:
        return SideScreen(_WatchedSide(side.session))
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.read.container import open_container
    from perftui.tui.session.recorded import open_session

    try:
        return SideScreen(open_session(open_container(recording)))
    except RecordingError as error:
        raise OSError(str(error)) from error
