"""What one process gave in one second."""

from __future__ import annotations

import time

from . import stream
from .stream import Writer


class SecondTally:
    """Counts, until they are written."""

    __slots__ = (
        "again",
        "awake",
        "cpu_ns",
        "failed",
        "samples",
        "since_ns",
        "sweeps",
        "unsteady",
    )

    def __init__(self) -> None:
        self.since_ns = time.monotonic_ns()
        self._clear()

    def _clear(self) -> None:
        self.sweeps = self.samples = self.failed = self.unsteady = self.cpu_ns = 0
        self.awake = self.again = 0
        """Looks at Python's threads while they ran, and those of them that had to be made again, or
        met a generator that had gone on by the time that it was read."""

    def write(self, writer: Writer, process: int, now: int, used_ns: int) -> None:
        """Write the counts and begin anew.

        Args:
            writer: Where to.
            process: Number of the process in the stream.
            now: Its end.
            used_ns: CPU of the whole process since it is watched.
        """
        if self.sweeps:
            fields = stream.TALLY_FIELDS.pack(
                process,
                self.since_ns,
                now,
                self.sweeps,
                self.samples,
                self.failed,
                self.unsteady,
                self.awake,
                self.again,
                max(used_ns, 0),
                self.cpu_ns,
            )
            writer.block(stream.TALLY, fields)
        self._clear()
        self.since_ns = now
