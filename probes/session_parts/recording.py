"""The recording of a session: its place, and the recorder that fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.recording.write.recorder import Recorder
    from perftui.probes.session_options import ProbeOptions, RecordOptions
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.reader import Target
    from perftui.probes.spine.records import Severity


def place_of(record: RecordOptions, title: str) -> RecordingPlace | None:
    """Return where a session will be recorded, None if it is not to be.

    Raises:
        FileExistsError: another session is being recorded at the path that was asked for.
        OSError: it was to be recorded elsewhere, and cannot be.
    """
    if not record.wanted:
        return None
    if record.url is not None:
        from perftui.probes.recording.shelf.remote_place import RemotePlace

        return RemotePlace(title, record.url)
    from perftui.probes.recording.shelf.place import RecordingPlace

    return RecordingPlace(title, record.directory)


def started_recorder(
    log: SessionLog,
    about: Target,
    record: RecordOptions,
    place: RecordingPlace,
    *,
    t_start_ns: int,
    options: ProbeOptions,
    limit_bytes: int | None,
    cores: int | None,
    say: Callable[[Severity, str], None],
    also: Mapping[str, object] | None = None,
) -> Recorder | None:
    """Begin to record; a session that cannot be recorded says so and goes on.

    Args:
        log: What is recorded.
        about: The target.
        record: How.
        place: Where.
        t_start_ns: Begin of the session.
        options: What is measured; kept with the recording.
        limit_bytes: Memory that the target may use, None if there is no limit.
        cores: That the target may use, None if nobody can say.
        say: Puts a notice into the log.
        also: Kept with the options; "far" of it: the machine that the target runs on.
    """
    from perftui.probes.recording.shelf import shelf
    from perftui.probes.recording.write.recorder import Recorder

    folder = record.directory

    def make_room() -> None:
        limit = record.max_bytes
        if limit is None and folder is None:
            limit = shelf.DEFAULT_LIMIT_BYTES  # a folder of the person's choice is theirs
        if limit is None and record.max_age_s is None:
            return
        for gone in shelf.enforce(limit, record.max_age_s, folder):
            say("info", f"deleted the recording {gone.name}: {gone.reason}")

    if place.directory is None:
        say("warn", f"this session is not recorded: {place.problem}")
        return None
    about_session = {
        **options._asdict(),
        "known_limit_bytes": limit_bytes,
        "cores": cores,
        **(also or {}),
    }
    recorder: Recorder
    if record.url is not None:
        from perftui.probes.session_parts.uploaded import uploaded_recorder

        recorder = uploaded_recorder(log, about, place, t_start_ns, about_session, say)
    else:
        recorder = Recorder(
            log,
            about,
            place.directory,
            t_start_ns=t_start_ns,
            session=about_session,
            claim=place.claim,
            before=None if place.named else make_room,
        )
    recorder.start()
    return recorder
