"""How many bytes of mapped files have come to be resident: RSS that no program keeps.

The pages of a file that is mapped and read stay as long as the kernel has room for them. What is
resident beside private memory is files and shared memory, and is known at every reading; how much
of it is shared memory is told about once a second (`resident`). What comes between two such
tellings is shared out as what came between the last two.
"""

from __future__ import annotations

LEAST_BYTES = 100_000.0
"""With less that came nothing new is known of whose it is."""


class MappedFiles:
    """Follows one family. All are bytes."""

    def __init__(self) -> None:
        self._outside: float | None = None
        """Resident and not private, at the newest reading."""
        self._shared = 0.0
        """Of it, at the last telling."""
        self._then: float | None = None
        """What was outside at that time."""
        self._part_shared = 0.0
        """Of what comes now: 0..1."""
        self._at_first: float | None = None
        """Files when they were first known."""
        self._come = 0.0

    def told(self, shared_bytes: float) -> None:
        """Take how much is shared memory, of which much may be mapped by nobody else."""
        if self._outside is None:
            return
        if self._then is not None:
            came, shared_came = self._outside - self._then, shared_bytes - self._shared
            if abs(came) >= LEAST_BYTES:
                self._part_shared = min(max(shared_came / came, 0.0), 1.0)
        self._shared, self._then = shared_bytes, self._outside
        if self._at_first is None:
            self._at_first = self._outside - shared_bytes

    def read(self, rss_bytes: float, private_bytes: float | None) -> float:
        """Take a reading; return by how much files have grown since it was first known.

        A reading that does not tell private memory says nothing new.
        """
        if private_bytes is None:
            return self._come
        self._outside = max(rss_bytes - private_bytes, 0.0)
        if self._then is None or self._at_first is None:
            return 0.0
        shared = self._shared + self._part_shared * (self._outside - self._then)
        self._come = self._outside - shared - self._at_first
        return self._come
