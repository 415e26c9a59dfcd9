"""Lines of the program's source, as far as they can be had without harm.

A recording may name anything: a pipe that nobody writes to, a device without an end, a file of
gigabytes. Only regular files of moderate size are opened, whoever asks.
"""

from __future__ import annotations

import stat
from pathlib import Path

MAX_SOURCE_BYTES = 1_000_000
_CACHE_FILES = 64


class SourceLines:
    """Lines of source files, read once per version of a file."""

    elsewhere = False
    """The program runs on another machine: a file of that name here may be another one."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[int, int, tuple[str, ...]]] = {}

    def get(self, file: str, first: int, count: int) -> list[tuple[int, str]]:
        """Return up to `count` (number, text) from line `first`; empty if they cannot be had."""
        lines = self._lines(file)
        first = max(first, 1)
        return [(n, lines[n - 1]) for n in range(first, min(first + count, len(lines) + 1))]

    def _lines(self, file: str) -> tuple[str, ...]:
        if not file or file.startswith("<") or SourceLines.elsewhere:
            return ()
        try:
            path = Path(file)
            info = path.stat()
            if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_SOURCE_BYTES:
                return ()
            known = self._files.get(file)
            if known and known[:2] == (info.st_mtime_ns, info.st_size):
                return known[2]
            raw = path.read_bytes()
        except (OSError, ValueError):
            return ()  # gone, not ours to read, or not a path at all: no source to show
        if b"\0" in raw[:4096]:
            return ()
        lines = tuple(raw.decode("utf-8", "replace").expandtabs(4).splitlines())
        if len(self._files) >= _CACHE_FILES:
            self._files.pop(next(iter(self._files)))
        self._files[file] = (info.st_mtime_ns, info.st_size, lines)
        return lines

    def line(self, file: str, number: int) -> str:
        """Return one line, "" if it cannot be had."""
        found = self.get(file, number, 1) if number > 0 else []
        return found[0][1] if found else ""


SOURCE = SourceLines()
"""For whoever asks seldom."""
