"""The last line of a progress that grows: what runs now, on a terminal alone."""

from __future__ import annotations

import os
import sys

from perftui.tui.text.words import columns, tell


class LastLine:
    """Is taken away before a row is written above it."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False

    def now(self, line: str) -> None:
        """Say what goes on."""
        if self._terminal:
            tell(f"\r\x1b[K{line[: columns() - 1]}", end="")
            self._shown = True

    def clear(self) -> None:
        """Take it away."""
        if self._shown:
            tell("\r\x1b[K", end="")
            self._shown = False
