"""Seals finished segments, again and again if the disk does not take them yet.

A finished segment lies whole in its live files, and is sealed from there: at once, or later.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.write.live import file_name
from perftui.probes.recording.write.seal_apart import SealsHere
from perftui.probes.text.reason import reason_of
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perftui.probes.recording.write.live import LiveSegment
    from perftui.probes.recording.write.seal_apart import SealsApart
    from perftui.probes.spine.records import Severity

SEGMENTS_MERGED = 12
"""Five-minute segments of an hour."""
FIRST_RETRY_NS = 5 * NS_PER_S
LAST_RETRY_NS = 300 * NS_PER_S
"""Between two tries, doubled each time."""


class Sealer:
    """See the module.

    Args:
        directory: The recording.
        say: Gets what a person must be told.
        clock: The session's time in nanoseconds.
        seals: Where it is done.
    """

    def __init__(
        self,
        directory: Path,
        say: Callable[[Severity, str], None],
        clock: Callable[[], int],
        seals: SealsApart | SealsHere,
    ) -> None:
        self._directory = directory
        self._say = say
        self._clock = clock
        self._seals = seals
        self._sizes: dict[str, int] = {}
        self._waiting: dict[int, int] = {}
        """Segments that are not sealed yet: number and bytes of their live files."""
        self._next = 0
        self._merged_to = 0
        self._due_ns = 0
        self._pause_ns = FIRST_RETRY_NS
        self._told = False

    @property
    def file_bytes(self) -> int:
        """Bytes of all files of finished segments."""
        return sum(self._sizes.values()) + sum(self._waiting.values())

    @property
    def waiting(self) -> tuple[int, ...]:
        """Numbers of the segments that are not sealed yet."""
        return tuple(self._waiting)

    def stay_here(self) -> None:
        """Seal in this process from now on: it is about to end, another would only cost."""
        self._seals = SealsHere(self._directory)

    def take(self, segment: LiveSegment) -> None:
        """Seal a finished segment, now or later."""
        segment.close()
        self._next = segment.number + 1
        if self._try(segment.number):
            self._merge()
        else:
            self._waiting[segment.number] = segment.file_bytes

    def retry(self, *, now: bool = False) -> None:
        """Try once more what could not be sealed, if it is time."""
        if not self._waiting or not (now or self._clock() >= self._due_ns):
            return
        for number in list(self._waiting):
            if not self._try(number):
                return
            del self._waiting[number]
        self._merge()

    def _try(self, number: int) -> bool:
        try:
            self._sizes.update(self._seals.seal(number))
        except Exception as error:  # whatever it is, the rows are safe in the live files
            self._failed(error)
            return False
        self._pause_ns = FIRST_RETRY_NS
        self._told = False
        live = {file_name(name, number, "arrows") for name in TABLES}
        with suppress(OSError):
            live &= set(os.listdir(self._directory))  # noqa: PTH208
        for file in live:
            with suppress(OSError):
                (self._directory / file).unlink(missing_ok=True)
        return True

    def _failed(self, error: Exception) -> None:
        self._due_ns = self._clock() + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, LAST_RETRY_NS)
        if not self._told:
            self._told = True
            why = reason_of(error)
            self._say("warn", f"the recording is not compacted: {why}; it is tried again")

    def _merge(self) -> None:
        """Merge what an hour has: only segments before the first that is not sealed."""
        upto = min(self._waiting, default=self._next)
        while upto - self._merged_to >= SEGMENTS_MERGED:
            last = self._merged_to + SEGMENTS_MERGED - 1
            try:
                self._sizes.update(self._seals.merge(self._merged_to, last))
            except Exception as error:
                self._failed(error)
                return
            self._merged_to = last + 1
