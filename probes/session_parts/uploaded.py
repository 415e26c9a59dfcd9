"""The recorder of a session whose recording is to lie elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.remote.uploader import Uploader
from perftui.probes.recording.shelf.remote_place import RemotePlace
from perftui.probes.recording.write.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.reader import Target
    from perftui.probes.spine.records import Severity


class UploadedRecorder(Recorder):
    """A recorder, and what sends its files; the arguments are those of `Recorder`."""

    uploader: Uploader

    def cpu_s(self) -> float:
        """See `Recorder.cpu_s`; of those that sent as well."""
        return super().cpu_s() + self.uploader.cpu_s

    def start(self) -> None:
        """See `Recorder.start`."""
        super().start()
        self.uploader.start()

    def stop(self) -> None:
        """See `Recorder.stop`; returns when all is there, or it is given up."""
        super().stop()
        self.uploader.stop()


def uploaded_recorder(
    log: SessionLog,
    about: Target,
    place: RecordingPlace,
    t_start_ns: int,
    session: dict[str, Any],
    say: Callable[[Severity, str], None],
) -> UploadedRecorder:
    """Return the recorder for a place that lies elsewhere in the end."""
    assert isinstance(place, RemotePlace)
    assert place.directory is not None
    recorder = UploadedRecorder(
        log,
        about,
        place.directory,
        t_start_ns=t_start_ns,
        session=session,
        claim=place.claim,
        often=True,
    )
    recorder.uploader = Uploader(log, place.directory, place.address, place.kept, say)
    return recorder
