"""`RecordedReader`: what a recording answers besides `Reader`, for those who need more of it.

A live session keeps sums; only a recording has every row and the order of stacks. Exports and
SQL need those, and comparisons the place where it was made. Who is content with `Reader` takes
`Reader`: that works on what is going on as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from perftui.probes.spine.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from perftui.probes.recording.format.liveness import RecordingState
    from perftui.probes.recording.read.catalog import Catalog
    from perftui.probes.recording.read.container import Container
    from perftui.probes.recording.read.intervals import StackInterval
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import ThreadKey


class RecordedReader(Reader, Protocol):
    """A recording that is open."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    @property
    def meta(self) -> Mapping[str, Any]:
        """Where and how it was made, as `meta.json` has it: anybody may have written that."""
        ...

    @property
    def state(self) -> RecordingState:
        """Closed, still being written, or interrupted (its recorder is gone)."""
        ...

    @property
    def salvage(self) -> str | None:
        """One line on what could not be read or was never written; None if all is there."""
        ...

    @property
    def container(self) -> Container:
        """Its files."""
        ...

    @property
    def catalog(self) -> Catalog:
        """Its tables, row by row."""
        ...

    def stack_intervals(
        self, t0_ns: int, t1_ns: int, *, waits: bool = False
    ) -> Iterator[tuple[ThreadKey, list[StackInterval]]]:
        """Yield what each thread did in [t0, t1), a segment at a time, in the order of time.

        `waits`: with the kinds of waiting.
        """
        ...

    def batches(self) -> Iterator[Batch]:
        """Yield what detectors are fed with, in the order of time, a segment at a time."""
        ...

    @property
    def limit_bytes(self) -> int | None:
        """Memory limit of the target while it was recorded; None: there was none, or not known."""
        ...

    @property
    def cores(self) -> int | None:
        """Cores that the target could use while it was recorded, None if that is not known."""
        ...

    @property
    def has_stacks(self) -> bool:
        """It was asked for stacks, or has some."""
        ...

    def check_files(self) -> None:
        """Find the files that are cut off, mixed up or gone, whether they were needed or not."""
        ...

    def refresh(self) -> bool:
        """Take in what was written since; True if anything was.

        Raises:
            RecordingError: it can no longer be read.
        """
        ...
