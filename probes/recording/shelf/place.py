"""Where a session is recorded: found and claimed before its target starts.

Two sessions never write one recording: by name the second is refused before it has started
anything, in a folder it takes another name.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.probes.recording.format.claim import Claim, Taken
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.shelf import shelf

if TYPE_CHECKING:
    from pathlib import Path

_TRIES = 100
"""Sessions that begin in the same second in one folder."""


class RecordingPlace:
    """The folder of a recording to be, or why there is none.

    Args:
        title: What is recorded; the name begins with it.
        where: A folder of recordings, or a path that ends in .perftui; None: the shelf.

    Raises:
        Taken: another session is being recorded at that very path.
    """

    def __init__(self, title: str, where: Path | None) -> None:
        self.named = where is not None and where.name.endswith(shelf.ENDING)
        """The path was given, not found."""
        self.claim: Claim | None = None
        self.directory: Path | None = None
        self.problem = ""
        try:
            self.directory, self.claim = self._claimed(title, where)
        except Taken as error:
            if self.named:
                raise
            self.problem = str(error)
        except (OSError, RecordingError, RuntimeError) as error:
            self.problem = str(error)

    def _claimed(self, title: str, where: Path | None) -> tuple[Path, Claim]:
        for _ in range(_TRIES):
            directory = shelf.new_directory(title, where)
            try:
                return directory, Claim.take(directory)
            except FileExistsError:
                if self.named:
                    raise
        raise RecordingError(f"{directory.parent} has too many sessions that begin just now")

    def give_up(self) -> None:
        """Nothing was started: leave no trace."""
        if self.claim is not None and self.directory is not None:
            self.claim.end()
            with suppress(OSError):
                self.directory.rmdir()
