"""Bytes of an output stream, made into lines of bounded length."""

from __future__ import annotations

from codecs import getincrementaldecoder

LINE_CHARACTERS = 4_000
"""The rest of a longer line is counted, not kept."""


class LineMaker:
    """Takes pieces as they come; what is not UTF-8 is replaced, never refused."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self._more = 0
        self._returned = False
        """A carriage return was last: what follows overwrites the line."""

    @property
    def pending(self) -> bool:
        """True if there is the begin of a line: a prompt, a progress bar."""
        return bool(self._line)

    def feed(self, data: bytes) -> list[str]:
        """Take a piece; returns the lines that are complete with it."""
        lines = []
        *ended, rest = self._decoder.decode(data).split("\n")
        for piece in ended:
            self._add(piece)
            lines.append(self.take())
        self._add(rest)
        return lines

    def take(self) -> str:
        """Return the line as far as it has come, and begin the next."""
        line = self._line
        if self._more:
            line = f"{line} … {self._more:,} more characters"
        self._line, self._more, self._returned = "", 0, False
        return line

    def restart(self) -> None:
        """Something is missing here: what comes next does not belong to what came before."""
        self._decoder.reset()
        self._line, self._more, self._returned = "", 0, False

    def _add(self, text: str) -> None:
        # What a progress bar has overwritten with carriage returns is gone on a terminal too.
        shown = text.rstrip("\r")
        if shown:
            _, overwritten, shown = shown.rpartition("\r")
            if overwritten or self._returned:
                self._line, self._more = "", 0
            room = LINE_CHARACTERS - len(self._line)
            self._line += shown[:room]
            self._more += max(len(shown) - room, 0)
            self._returned = text.endswith("\r")
        elif text:
            self._returned = True
