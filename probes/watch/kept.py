"""What was kept: ordinary recordings in a folder, not more than so many."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.probes.recording.format.limits import META_BYTES, RecordingError
from perftui.probes.recording.format.liveness import state_of
from perftui.probes.recording.format.meta import META, parse_meta
from perftui.probes.recording.shelf import shelf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

PREFIX = "watch-"
RINGS = ".rings"
"""Folder of the rings, in that of what is kept: to keep is then to rename."""
_WORDS = re.compile(r"[^\w]+")
_OWN = re.compile(r"\d+-\d+")
_YOUNG_S = 60.0


class KeptEvents:
    """The folder in which recordings of events are kept.

    Args:
        folder: Where; None: the shelf of all recordings.
        most: The oldest go beyond so many.
    """

    def __init__(self, folder: Path | None, most: int) -> None:
        self.folder = shelf.folder() if folder is None else folder
        self._most = most

    def ring_folder(self) -> Path:
        """Return the folder for a ring of this process; it is not made."""
        return self.folder / RINGS / f"{os.getpid()}-{time.monotonic_ns()}"

    def place(self, label: str) -> Path:
        """Return where a recording of an event goes; it is not made.

        Args:
            label: The name begins with it.
        """
        words = _WORDS.sub("-", label).strip("-")[:50]
        return shelf.new_directory(f"{PREFIX}{words}", self.folder)

    def make_room(self) -> list[str]:
        """Delete the oldest beyond what may stay; returns their names."""
        mine = [
            entry
            for entry in shelf.entries(self.folder)
            if entry.path.name.startswith(PREFIX) and entry.state in ("closed", "interrupted")
        ]
        mine.sort(key=lambda entry: -_written_ns(entry.path))
        gone = []
        for entry in mine[self._most :]:
            with suppress(RecordingError, OSError):
                shelf.delete(entry.path)
                gone.append(entry.name)
        return gone

    def take_up(self) -> list[Path]:
        """Keep what a watcher has left that was killed; rings of others that live stay.

        Of the recordings of one ring the one that reaches back furthest is kept.
        """
        found = []
        with suppress(OSError):
            rings = [path for path in (self.folder / RINGS).iterdir() if _OWN.fullmatch(path.name)]
            for ring in rings:
                with suppress(OSError):
                    found += self._take_up(ring)
        return found

    def _take_up(self, ring: Path) -> list[Path]:
        parts = []
        for path in sorted(ring.glob("ring-*.perftui")):
            meta = _meta(path)
            if meta is None:
                if time.time() - path.stat().st_mtime < _YOUNG_S:
                    return []  # it is just being made
                continue
            if state_of(path, meta) == "recording":
                return []
            parts.append((path, meta))
        if not parts and time.time() - ring.stat().st_mtime < _YOUNG_S:
            return []
        # One that was closed before is of an event that was about to be kept, or of a full disk.
        unclosed = [path for path, meta in parts if meta.get("state") != "closed"]
        kept = []
        for path in [*unclosed, *(path for path, _ in parts)][:1]:
            kept.append(self.place("interrupted"))
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(path, kept[-1])
        self.make_room()
        shutil.rmtree(ring, ignore_errors=True)
        return kept


def _written_ns(path: Path) -> int:
    """Return when a recording was kept; several may be of one ring, and have begun together."""
    try:
        return (path / META).stat().st_mtime_ns
    except OSError:
        return 0


def _meta(path: Path) -> Mapping[str, Any] | None:
    try:
        with (path / META).open("rb") as file:
            return parse_meta(file.read(META_BYTES + 1), META)
    except (OSError, RecordingError):
        return None
