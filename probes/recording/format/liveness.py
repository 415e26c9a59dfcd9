"""Whether a recording is still being written: the one answer that everybody asks for.

Its writer's lock tells (see `claim`), then its process, then how long it has been silent by the
clock of its own file system. What deletes asks more: it takes only what is surely over.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perftui.probes.recording.format.claim import CLAIM, is_locked
from perftui.probes.recording.format.limits import META_BYTES, RecordingError
from perftui.probes.recording.format.meta import META, boot_id, parse_meta, recorder_alive

if TYPE_CHECKING:
    from collections.abc import Mapping

RecordingState = Literal["closed", "recording", "interrupted"]

SILENT_S = 120.0
"""A writer elsewhere that has not been heard of for this long is taken for gone."""
OVER_S = 600.0
"""Nothing that was written to within this time is deleted by itself."""
OVER_ELSEWHERE_S = 86_400.0
"""The same where no lock tells: a machine may sleep, a network may be away."""


def state_of(path: Path, meta: Mapping[str, Any]) -> RecordingState:
    """Return what a recording is in.

    Args:
        path: Its folder, or its one file.
        meta: What its `meta.json` said when it was read; the answer is of that moment.
    """
    if meta.get("state") == "closed":
        return "closed"
    if not path.is_dir():
        return "interrupted"  # nobody writes into a packed one
    locked = is_locked(path)
    if locked or recorder_alive(meta):
        return "recording"
    if _beats(meta) and not (locked is False and _lock_tells(meta)):
        silent_s = silence_s(path)
        if silent_s is not None and silent_s <= SILENT_S:
            return "recording"
    # What `meta` says may be from before its writer closed it: then it was being written.
    return "recording" if _is_closed(path) else "interrupted"


def surely_over(path: Path, meta: Mapping[str, Any]) -> bool:
    """Tell whether a recording may be deleted unasked: closed, or silent for long."""
    state = state_of(path, meta)
    if state != "interrupted" or not path.is_dir():
        return state != "recording"
    silent_s = silence_s(path)
    over_s = OVER_S if _lock_tells(meta) else OVER_ELSEWHERE_S
    return silent_s is not None and silent_s > over_s


def silence_s(path: Path) -> float | None:
    """Return how long nothing was written to a recording, None if that cannot be told.

    Both times are the file system's own: clocks of machines that share it may differ.
    """
    newest = None
    for name in (CLAIM, META):
        with suppress(OSError):
            written = (path / name).stat(follow_symlinks=False).st_mtime
            newest = written if newest is None else max(newest, written)
    if newest is None:
        return None
    return max(_now_s(path) - newest, 0.0)


def _now_s(path: Path) -> float:
    """Return the time by the clock of a folder's file system; ours if we may not write there."""
    import tempfile

    with suppress(OSError):
        fd, name = tempfile.mkstemp(prefix=".now-", dir=path)
        try:
            os.utime(fd)
            return os.fstat(fd).st_mtime
        finally:
            os.close(fd)
            Path(name).unlink()
    return time.time()


def _is_closed(path: Path) -> bool:
    """Tell whether `meta.json` says so by now."""
    with suppress(OSError, RecordingError):
        fd = os.open(path / META, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            return bool(parse_meta(file.read(META_BYTES + 1), META)["state"] == "closed")
    return False


def _beats(meta: Mapping[str, Any]) -> bool:
    recorder = meta.get("recorder")
    return isinstance(recorder, dict) and type(recorder.get("locked")) is bool


def _lock_tells(meta: Mapping[str, Any]) -> bool:
    """Tell whether the writer locked its file on the kernel that we run on."""
    recorder = meta.get("recorder")
    return (
        isinstance(recorder, dict)
        and recorder.get("locked") is True
        and recorder.get("boot_id") == boot_id()
        and recorder.get("boot_id") is not None
    )
