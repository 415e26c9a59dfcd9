"""What the live screen needs of a session: this, and nothing about how it measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.detect.spikes.finder import SpikeFinder
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.reader import Reader


class LiveSession(Protocol):
    """A running session, as the screen sees it.

    The calls may take a moment (they are made off the screen's own thread) and may raise
    OSError, which the screen tells in one line.
    """

    @property
    def reader(self) -> Reader:
        """Where every picture comes from."""
        ...

    @property
    def launched(self) -> bool:
        """True if perftui started the target, so that quitting must ask what becomes of it."""
        ...

    def target_alive(self) -> bool:
        """Tell whether the target still runs."""
        ...

    def stop_target(self) -> None:
        """End the target and its children: politely, then firmly."""
        ...

    def leave_running(self) -> None:
        """Let the target go on alone after perftui has ended."""
        ...

    def interrupt(self) -> None:
        """Send SIGINT to the target, as ctrl+c in its own terminal would."""
        ...

    def mark(self, name: str) -> None:
        """Put a mark into the log, now."""
        ...


@runtime_checkable
class Noted(Protocol):
    """A session that has something to say about its recording (optional)."""

    def recording_note(self) -> str:
        """Return a few words for the footer, as "rec collect-0118  4.1 MB"; cheap."""
        ...


@runtime_checkable
class Kept(Protocol):
    """A session whose target may keep its process and be run again (optional)."""

    def keeps_process(self) -> bool:
        """Tell whether it does, and lives."""
        ...

    def waits(self) -> bool:
        """Tell whether it waits for an order now."""
        ...

    def again(self) -> None:
        """Run once more in the same process: warm. OSError if it cannot now."""
        ...

    def restart(self) -> None:
        """Run in a new program that has nothing of the old one: cold. OSError if it cannot now."""
        ...

    def end_kept(self) -> None:
        """Let go of a target that waits: it ends as it would have ended by itself."""
        ...


@runtime_checkable
class Releasing(Protocol):
    """A session whose target can be asked to give memory back (optional)."""

    def release(self) -> None:
        """Ask it; a notice tells what came back. OSError if it cannot be asked."""
        ...


@runtime_checkable
class ListingTasks(Protocol):
    """A session whose target can be asked for its asyncio tasks (optional)."""

    def list_tasks(self) -> None:
        """Ask it; a list comes. OSError if it cannot be asked."""
        ...


@runtime_checkable
class Tracing(Protocol):
    """A session whose target can be asked to trace its allocations (optional)."""

    def trace_allocations(self, seconds: float) -> None:
        """Ask it; what came is told when the time is over. OSError if it cannot be asked."""
        ...


@runtime_checkable
class Spiked(Protocol):
    """A session that keeps the spikes found so far (optional)."""

    @property
    def spikes(self) -> SpikeFinder:
        """What finds them; the screen moves it on while it is shown."""
        ...


@runtime_checkable
class OnDisk(Protocol):
    """A session that can be exported, because it lies on disk (optional)."""

    def recording(self) -> Path | None:
        """Return where it is recorded, None if it is not."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A session that is itself a recording (optional)."""

    @property
    def recorded(self) -> RecordedReader:
        """Its reader, which knows where it lies and where it was made."""
        ...

    @property
    def recording_state(self) -> Literal["closed", "recording", "interrupted"]:
        """What became of it."""
        ...

    @property
    def salvage(self) -> str | None:
        """What could not be read, in one line; None if all is there."""
        ...

    def wall_ns(self, t_ns: int) -> int | None:
        """Return the time of day of a moment, in nanoseconds since 1970; None if not known."""
        ...
