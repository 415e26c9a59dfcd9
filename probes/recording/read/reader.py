"""A recording: opened, refreshed, and the `Reader` of its session."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.answers.answers import Answers
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.liveness import RecordingState, state_of
from perftui.probes.recording.format.meta import META, parse_meta
from perftui.probes.recording.format.redacted import is_current
from perftui.probes.recording.read.batches import batches
from perftui.probes.recording.read.catalog import Catalog
from perftui.probes.recording.read.container import open_container
from perftui.probes.recording.read.disk import Disk
from perftui.probes.recording.read.intervals import StackInterval, stack_intervals
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.container import Container
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.reader import Status
    from perftui.probes.spine.records import ThreadKey


_REASONS = 8
"""Damaged files that are named in one line."""
_STATE_HOLDS_S = 1.0
"""Pictures ask for it many times a second, and it takes system calls."""


def open_recording(path: Path | str) -> RecordedReader:
    """Open a recording: a directory or a packed one.

    Raises:
        RecordingError: it cannot be opened; the message is one line that says why.
    """
    return read_container(open_container(Path(path)))


def read_container(container: Container, *, follow: bool = False) -> RecordedReader:
    """Open a recording whose files are found already.

    Args:
        container: Its files.
        follow: Show one that another process writes as what it is: a session that goes on.

    Raises:
        RecordingError: it cannot be read.
    """
    return FollowedReader(container) if follow else RecordingReader(container)


class RecordingReader(Answers):
    """Answers from disk. `refresh` takes in what another process has written since."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._state_known: tuple[float, RecordingState] | None = None
        self.meta = self._read_meta()
        self._catalog = Catalog(container, redacts=not is_current(self.meta))
        self._disk = Disk(self._catalog, self.meta)
        super().__init__(self._disk)

    def _read_meta(self) -> dict[str, Any]:
        name = str(self._container.path)
        try:
            data = self._container.read(META)
        except FileNotFoundError:
            raise RecordingError(f"{name} is not a recording: it has no {META}") from None
        except OSError as error:
            raise RecordingError(f"{name}: {error.strerror or error}") from error
        return parse_meta(data, name)

    # What a recording has besides

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._container.path

    @property
    def container(self) -> Container:
        """Its files."""
        return self._container

    @property
    def catalog(self) -> Catalog:
        """Its tables."""
        return self._catalog

    @property
    def state(self) -> RecordingState:
        """Closed, still being written, or interrupted (its recorder is gone)."""
        if self.meta["state"] == "closed":
            return "closed"
        now_s = time.monotonic()
        if self._state_known is None or now_s - self._state_known[0] > _STATE_HOLDS_S:
            self._state_known = (now_s, state_of(self.path, self.meta))
        return self._state_known[1]

    def check_files(self) -> None:
        """Find the files that are cut off, mixed up or gone, whether they were needed or not."""
        self._disk.check()

    @property
    def salvage(self) -> str | None:
        """One line on what could not be read or was never written; None if all is there."""
        start_ns, end_ns = self._disk.session.t_start_ns, self._disk.session.t_end_ns
        read_s = max(self._disk.last_read_ns - start_ns, 0) / NS_PER_S
        whole_s = max(end_ns - start_ns, 0) / NS_PER_S
        reasons = []
        state = self.state
        if state != "recording":
            reasons += [f"{name} {why}" for name, why in sorted(self._catalog.torn.items())]
        reasons += [f"{name} {why}" for name, why in sorted(self._catalog.damaged.items())]
        stopped = self.meta.get("stopped")
        if isinstance(stopped, dict) and type(stopped.get("t_ns")) is int:
            at = format_seconds(max(stopped["t_ns"] - start_ns, 0) / NS_PER_S)
            reason = str(stopped.get("reason"))[:200]
            reasons.insert(0, f"{reason} at t={at}, nothing after it is recorded")
        missing = self._catalog.missing_segments()
        if missing:
            label = "segment" if len(missing) == 1 else "segments"
            reasons.append(f"{label} {', '.join(map(str, missing[:5]))} missing")
        if not reasons and state != "interrupted":
            return None
        more = len(reasons) - _REASONS
        told = "; ".join(reasons[:_REASONS]) + (f" and {more} more" if more > 0 else "")
        text = f"{format_seconds(read_s)} of {format_seconds(max(whole_s, read_s))} read"
        if state == "interrupted":
            text = f"interrupted, reason unknown: {text}"
        return f"{text}; {told}" if told else text

    def stack_intervals(
        self, t0_ns: int, t1_ns: int, *, waits: bool = False
    ) -> Iterator[tuple[ThreadKey, list[StackInterval]]]:
        """Yield what each thread did in [t0, t1), a segment at a time, in the order of time.

        `waits`: with the kinds of waiting.
        """
        return stack_intervals(self._catalog, t0_ns, t1_ns, waits=waits)

    def batches(self) -> Iterator[Batch]:
        """Yield what detectors are fed with, in the order of time, a segment at a time."""
        return batches(self._catalog, self.target().pid)

    @property
    def limit_bytes(self) -> int | None:
        """Memory limit of the target while it was recorded; None: there was none, or not known."""
        return self._option("known_limit_bytes") or self._option("limit_bytes")  # as asked for

    @property
    def cores(self) -> int | None:
        """Cores that the target could use while it was recorded, None if that is not known."""
        return self._option("cores")

    @property
    def has_stacks(self) -> bool:
        """It was asked for stacks, or has some."""
        options = self.meta.get("options")
        asked = options.get("stacks") if isinstance(options, dict) else None
        return asked if isinstance(asked, bool) else bool(self._catalog.extents("stacks"))

    def _option(self, name: str) -> int | None:
        """Return a count among the options of the recorded session."""
        options = self.meta.get("options")
        value = options.get(name) if isinstance(options, dict) else None
        return value if isinstance(value, int) and value > 0 else None

    def refresh(self) -> bool:
        """Take in what was written since; True if anything was.

        Raises:
            RecordingError: it can no longer be read.
        """
        before, self.meta = self.meta, self._read_meta()
        return self._disk.refresh(self.meta, anew=self.meta["state"] != before["state"])


class FollowedReader(RecordingReader):
    """A recording that another process writes, shown as what it is: a session that goes on."""

    def status(self) -> Status:
        """See `Reader.status`: live as long as it is being recorded."""
        status = super().status()
        return status._replace(state="live") if self.state == "recording" else status
