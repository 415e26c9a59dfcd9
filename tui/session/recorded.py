"""A recording with the face of a session: nothing runs, so there is nothing to stop or to ask."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.recording.read.reader import read_container
from perftui.probes.text.source_lines import SourceLines
from perftui.probes.text.units import format_bytes
from perftui.tui.text.fit import shorten_middle

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.recording.format.liveness import RecordingState
    from perftui.probes.recording.read.container import Container
    from perftui.probes.recording.read.face import RecordedReader

FOLLOW_EVERY_S = 1.0
_NAME_CELLS = 28


class RecordedSession:
    """What the live screen needs of a session, from a recording.

    Args:
        reader: The recording.
        follow: Take in what another process writes, once a second, until it is closed.
    """

    launched = False

    def __init__(self, reader: RecordedReader, *, follow: bool = False) -> None:
        self._recording = reader
        # Of another machine: files of the same names may be here, and be others.
        session = reader.meta.get("options")
        SourceLines.elsewhere = isinstance(session, dict) and bool(session.get("far"))
        self._ending = Event()
        self._problem: str | None = None
        self._size = self._bytes()
        self._follower: Thread | None = None
        if follow:
            self._follower = Thread(target=self._follow, name="perftui-follow", daemon=True)
            self._follower.start()

    @property
    def reader(self) -> RecordedReader:
        """The recording."""
        return self._recording

    @property
    def recorded(self) -> RecordedReader:
        """The same, known for a recording."""
        return self._recording

    def recording(self) -> Path:
        """Return where the recording is."""
        return self._recording.path

    @property
    def recording_state(self) -> RecordingState:
        """Closed, still being written, or interrupted."""
        return self._recording.state

    @property
    def salvage(self) -> str | None:
        """One line on what could not be read; None if all is there."""
        return self._problem or self._recording.salvage

    def wall_ns(self, t_ns: int) -> int | None:
        """Return the time of day of a moment, in nanoseconds since 1970; None if not known."""
        return wall_ns(self._recording.meta, t_ns)

    def recording_note(self) -> str:
        """Return the name of the recording and its size, for the footer."""
        path = self._recording.path
        name = shorten_middle(path.name.removesuffix(".zip").removesuffix(".perftui"), _NAME_CELLS)
        return f"{name}  {format_bytes(self._size)}"

    def _bytes(self) -> int:
        with suppress(OSError, RecordingError):
            return sum(file.size for file in self._recording.container.files())
        return 0

    def _follow(self) -> None:
        while not self._ending.wait(FOLLOW_EVERY_S):
            try:
                self._recording.refresh()
            except RecordingError as error:
                self._problem = str(error)
                return
            self._size = self._bytes()
            if self._recording.state != "recording":
                return

    def close(self) -> None:
        """Follow no longer."""
        self._ending.set()
        if self._follower is not None:
            self._follower.join(timeout=5)

    # A recording has no target.

    def target_alive(self) -> bool:
        """Return False: what was recorded is another matter."""
        return False

    def stop_target(self) -> None:
        """Do nothing: there is nothing to stop."""

    def leave_running(self) -> None:
        """Do nothing: there is nothing to leave."""

    def interrupt(self) -> None:
        """Refuse.

        Raises:
            OSError: always.
        """
        raise OSError("a recording has no target to interrupt")

    def mark(self, name: str) -> None:
        """Refuse.

        Raises:
            OSError: always.
        """
        raise OSError("a recording cannot be added to")


Mode = Literal["replay", "follow"]


def open_session(container: Container, mode: Mode = "replay") -> RecordedSession:
    """Open a recording for the screen.

    Raises:
        RecordingError: it cannot be read.
    """
    reader = read_container(container, follow=mode == "follow")
    return RecordedSession(reader, follow=mode == "follow" and reader.state == "recording")
