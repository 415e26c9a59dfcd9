"""Uploads a recording while it is written, from a thread of the session that waits for nobody.

The folder is the queue: what is sealed and not noted as sent is to be sent, by a process that ends
again. Whatever becomes of it, all that is not there is here.
"""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.remote.kept import CopyNote, LocalCopy
from perftui.probes.recording.remote.sending import is_over, plan
from perftui.probes.recording.remote.upload_apart import Outcome, UploadProcess
from perftui.probes.spine.probe_thread import ProbeThread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perftui.probes.recording.remote.address import RemoteAddress
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Severity

LOOK_S = 1.0
FIRST_RETRY_S = 5.0
LAST_RETRY_S = 300.0
"""Between two tries, doubled each time."""
LAST_TRIES = 3
"""At the end of a session somebody waits: then no more than these, a second apart."""
PATIENCE_S = 20.0
"""At the end, without a file that was sent."""
END_S = 40.0
"""At the end, whatever is sent: a session has to be closed within a minute."""


class Uploader:
    """See the module.

    Args:
        log: Where a failure of the thread itself is said.
        directory: The recording here.
        address: The recording there.
        kept: The local copy that the directory is in.
        say: Gets what a person must be told.
    """

    def __init__(
        self,
        log: SessionLog,
        directory: Path,
        address: RemoteAddress,
        kept: LocalCopy,
        say: Callable[[Severity, str], None],
    ) -> None:
        self.address = address
        self.whole = False
        """All of it is there."""
        self.cpu_s = 0.0
        """CPU seconds of the processes that sent."""
        self._directory = directory
        self._kept = kept
        self._say = say
        self._over = Event()
        self._told = False
        self._pause_s = FIRST_RETRY_S
        self._due_s = 0.0
        self._seen_ns = -1
        self._process = UploadProcess()
        self._moved_s = self._stopped_s = time.monotonic()
        self._thread = ProbeThread(log, "the upload", self._run, "perftui-uploader")

    @property
    def pid(self) -> int | None:
        """The process that sends just now."""
        return self._process.pid

    def start(self) -> None:
        """Begin to upload."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is left of a recording that was closed; returns when it is there, or when it is
        given up."""
        self._moved_s = self._stopped_s = time.monotonic()
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        if not self.whole:
            self._say(
                "warn",
                f"not all of the recording is at {self.address.shown}: what is missing is in "
                f"{self._directory}; `perftui upload` sends it",
            )

    def _run(self) -> None:
        while not self._over.wait(LOOK_S):
            if time.monotonic() >= self._due_s and self._has_more():
                self._send(last=False)
        for number in range(LAST_TRIES):
            if number:
                time.sleep(LOOK_S)
            if self._send(last=True) or self._patience_is_over():
                return

    def _has_more(self) -> bool:
        """Tell whether there are files to send; asks the folder's own time first."""
        try:
            changed_ns = self._directory.stat().st_mtime_ns
            if changed_ns == self._seen_ns:
                return False
            note = self._kept.note()
            more = note is not None and plan(self._directory, note.files, last=False).any
        except (OSError, RecordingError):
            return False
        if not more:
            self._seen_ns = changed_ns
        return more

    def _send(self, *, last: bool) -> bool:
        outcome = self._process.run(
            "send",
            self.address,
            heard=self._heard,
            give_up=lambda: self._over.is_set() and self._patience_is_over(),
            directory=str(self._directory),
            kept=str(self._kept.folder),
            last=last,
        )
        self.cpu_s += outcome.cpu_s
        if outcome.problem:
            self._failed(outcome)
            return False
        if self._told:
            self._told = False
            self._say("info", f"the recording is uploaded to {self.address.shown} again")
        self._pause_s = FIRST_RETRY_S
        if last:
            note = self._kept.note()
            self.whole = note is not None and note.state == "copy"
        return True

    def _heard(self, name: str, size: int) -> None:
        self._moved_s = time.monotonic()

    def _patience_is_over(self) -> bool:
        now_s = time.monotonic()
        return now_s - self._moved_s > PATIENCE_S or now_s - self._stopped_s > END_S

    def _failed(self, outcome: Outcome) -> None:
        self._due_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LAST_RETRY_S)
        if not self._told:
            self._told = True
            self._say(
                "warn",
                f"the recording is not uploaded: {outcome.problem}; it is tried again, and all of "
                f"it is in {self._directory}",
            )


def upload_rest(
    kept: LocalCopy, note: CopyNote, address: RemoteAddress, heard: Callable[[str, int], None]
) -> Outcome:
    """Send what is left of a recording of ours that nobody writes any more.

    Args:
        kept: The local copy.
        note: What is known of it.
        address: The recording there.
        heard: Told of each file.
    """
    directory = kept.folder / note.name
    if not is_over(directory):
        return Outcome("it is still being recorded", lasting=True)
    return UploadProcess().run(
        "send",
        address,
        heard=heard,
        directory=str(directory),
        kept=str(kept.folder),
        last=True,
    )


def upload_whole(
    recording: Path, address: RemoteAddress, heard: Callable[[str, int], None]
) -> Outcome:
    """Send any recording that nobody writes any more.

    Args:
        recording: The folder, or a packed one.
        address: The recording there.
        heard: Told of each file.
    """
    if recording.is_dir() and not is_over(recording):
        return Outcome("it is still being recorded", lasting=True)
    return UploadProcess().run(
        "send whole", address, heard=heard, directory=str(recording.absolute())
    )


def prepared(address: RemoteAddress, name: str, kept: LocalCopy) -> None:
    """Make a note for a recording that is to be uploaded.

    Raises:
        RecordingError: it cannot be made.
    """
    whole = not address.has_secret and address.shown == address.url
    try:
        kept.write(CopyNote(address.shown, name, "uploading", {}, whole))
    except OSError as error:
        with suppress(OSError):
            kept.folder.rmdir()
        raise RecordingError(f"{kept.folder}: {error.strerror or error}") from error
