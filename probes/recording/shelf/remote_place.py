"""Where a session is recorded whose recording is to lie elsewhere: here first, then there.

That it can be written there is known before the target starts, by writing its first small file.
"""

from __future__ import annotations

import errno
import os

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.remote.address import RemoteAddress
from perftui.probes.recording.remote.kept import LocalCopy, kept_of, make_room
from perftui.probes.recording.remote.upload_apart import UploadProcess
from perftui.probes.recording.remote.uploader import prepared
from perftui.probes.recording.shelf import shelf
from perftui.probes.recording.shelf.place import RecordingPlace

ANSWER_S = 30.0
"""As long may a store take for the first file."""


class NoUpload(OSError):
    """Nothing can be recorded there; `strerror` is one line that says why."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.EACCES, text)


class RemotePlace(RecordingPlace):
    """See the module.

    Args:
        title: What is recorded; the name begins with it.
        url: A folder of recordings there, or an address that ends in .perftui.

    Raises:
        NoUpload: nothing can be written there, or there is a recording of that name.
        OSError: nothing can be written here.
    """

    def __init__(self, title: str, url: str) -> None:
        try:
            base = RemoteAddress(url)
            self.address = base if base.name.endswith(shelf.ENDING) else base.child(_name(title))
            self.kept: LocalCopy = kept_of(self.address)
            self._check_waiting()
            outcome = UploadProcess().run("begin", self.address, stall_s=ANSWER_S)
            if outcome.problem:
                raise NoUpload(outcome.problem)
            self.kept.remove()  # a copy of what was there once
            self.kept.use()
            make_room()
            prepared(self.address, self.address.name, self.kept)
        except RecordingError as error:
            raise NoUpload(str(error)) from None
        try:
            super().__init__(title, self.kept.folder / self.address.name)
            if self.directory is None:
                raise NoUpload(self.problem)
        except OSError:
            self._take_back()
            raise

    def _check_waiting(self) -> None:
        """Refuse to write over a recording of this very address that is not uploaded yet.

        Raises:
            NoUpload: there is one.
        """
        note = self.kept.note()
        if note is not None and note.state == "uploading":
            raise NoUpload(
                f"{self.address.shown}: a recording of that name waits here to be uploaded: "
                "perftui upload"
            )

    def give_up(self) -> None:
        """See `RecordingPlace.give_up`; nothing stays there either."""
        super().give_up()
        self._take_back()

    def _take_back(self) -> None:
        UploadProcess().run("take back", self.address, stall_s=ANSWER_S)
        self.kept.remove()


def _name(title: str) -> str:
    """Return a name that no other machine takes in the same second."""
    path = shelf.new_directory(title)
    return f"{path.name.removesuffix(shelf.ENDING)}-{os.urandom(4).hex()}{shelf.ENDING}"
