"""Is this still the program that it was? Asked of /proc/PID/stat."""

from __future__ import annotations


class Gone(Exception):
    """The process has ended."""


class Identity:
    """Where the program lies (changes with exec) and when its process began."""

    __slots__ = ("begin_ticks", "image", "state")

    def __init__(self, pid: int) -> None:
        """Read it.

        Raises:
            OSError: there is no such process.
        """
        with open(f"/proc/{pid}/stat", "rb") as file:
            raw = file.read(2048)
        fields = raw[raw.rindex(b")") + 2 :].split(b" ")
        self.state = fields[0]
        self.begin_ticks = int(fields[19])
        self.image = tuple(fields[23:26])
        """Start and end of the code, start of the stack; zeros if we have no right to know."""
