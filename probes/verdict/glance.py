"""A recording at a glance: the curve of its memory, its first finding, where its CPU went.

Takes a tenth of a second of CPU and more: asked on a worker thread, for one recording after the
other, and kept in the cache folder, since a sealed recording does not change.
"""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.own.folders import cache_folder
from perftui.probes.own.whole_file import write_text
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.verdict.ranked import verdict
from perftui.probes.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 24
MOST_KEPT = 1_000


class Glance(NamedTuple):
    """What is known of a recording after a look into it."""

    rss: tuple[float | None, ...]
    """Highest of each of `STEPS` equal parts of its time."""
    plain: str
    """What it did, in a line."""
    findings: tuple[str, ...]
    """A line each, by impact."""
    alerts: int
    """More than marks."""


NOTHING = Glance((), "", (), 0)


def glance(path: Path, file_bytes: int, wall_ns: int) -> Glance:
    """Return a recording at a glance; `NOTHING` if it cannot be read.

    Args:
        path: Of a recording that is not written any more.
        file_bytes: Its size, and
        wall_ns: when it began: with another one, what is kept is of another recording.
    """
    mark = f"{__version__} {path} {file_bytes} {wall_ns}"
    kept = cache_folder() / "glances" / f"{sha256(mark.encode()).hexdigest()[:24]}.json"
    with suppress(OSError, ValueError, TypeError, KeyError):
        told = json.loads(kept.read_text(encoding="utf-8"))
        rss = tuple(None if value is None else float(value) for value in told["rss"])
        lines = tuple(str(line) for line in told["findings"])
        return Glance(rss, str(told["plain"]), lines, int(told["alerts"]))
    try:
        found = _looked(path)
    except (RecordingError, OSError):
        return NOTHING
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, json.dumps(found._asdict()))
        _make_room(kept.parent)
    return found


def _make_room(folder: Path) -> None:
    """Let go of the older half, once there are many: they are found out anew when needed."""
    kept = [path for path in folder.iterdir() if path.suffix == ".json"]
    if len(kept) > MOST_KEPT:
        for path in sorted(kept, key=lambda each: each.stat().st_mtime)[: MOST_KEPT // 2]:
            path.unlink()


def _looked(path: Path) -> Glance:
    reader = open_recording(path)
    status = reader.status()
    rss = reader.metric("rss_bytes", status.t_start_ns, status.t_end_ns + 1, STEPS)
    found = verdict(reader)
    alerts = reader.alerts(status.t_start_ns, status.t_end_ns + 1)
    loud = sum(alert.severity != "info" for alert in alerts)
    return Glance(rss.high, found.plain, tuple(each.line for each in found.findings), loud)
