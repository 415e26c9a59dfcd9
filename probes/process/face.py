"""Reading one process from outside: the face that every system's module has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Metric, ThreadCpu


class ProcessGone(Exception):
    """The process has ended (a zombie counts as ended)."""


class RawReading(NamedTuple):
    """A reading of which only RSS has been taken out; the reader says what else it means."""

    t_ns: int
    rss_bytes: int
    cpu_ns: int
    text: bytes


class ProcessReader(Protocol):
    """One process that is read again and again; `close` it when it has ended."""

    pid: int
    ppid: int
    start_key: str
    """Tells this process from a later one with the same pid."""

    def argv(self) -> tuple[str, ...]:
        """Command line as the kernel shows it."""
        ...

    def age_s(self) -> float:
        """Return the seconds since it began."""
        ...

    def leads(self) -> bool:
        """Tell whether the pid is a process's own, not that of a further thread."""
        ...

    def fast(self, t_ns: int) -> Metric:
        """CPU, RSS and peak. Raises ProcessGone."""
        ...

    def glance(self, t_ns: int) -> RawReading | None:
        """Read what `fast` reads, for `told`; None where that saves nothing. Raises ProcessGone."""
        ...

    def told(self, glance: RawReading) -> Metric:
        """What `fast` would have returned then. May be asked after the end, in any order."""
        ...

    def counts(self, metric: Metric) -> Metric:
        """The same reading with all that counts up, as far as it may be read."""
        ...

    def slow(self, metric: Metric) -> Metric:
        """The same reading with descriptors, and all that counts up, where they may be read."""
        ...

    def shares(self, metric: Metric) -> Metric:
        """The same with PSS, USS and swap: the kernel walks all pages of the process for them.

        Raises ProcessGone.
        """
        ...

    def threads(self, t_ns: int) -> Sequence[ThreadCpu]:
        """CPU of every OS thread, native ones too. Raises ProcessGone."""
        ...

    def children(self) -> Sequence[int]:
        """Pids of direct children."""
        ...

    def close(self) -> None:
        """Let go of the file descriptors."""
        ...
