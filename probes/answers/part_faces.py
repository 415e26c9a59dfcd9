"""What each part must answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from perftui.probes.answers.metric_series import MetricSeries
    from perftui.probes.answers.phases import PhaseSpan
    from perftui.probes.answers.threads import ThreadState
    from perftui.probes.spine.reader import (
        Blame,
        CallStats,
        Counter,
        Event,
        Import,
        Process,
        RunCost,
        State,
        Target,
        Task,
        Weights,
    )
    from perftui.probes.spine.records import (
        Alert,
        Call,
        Collected,
        Exit,
        Installed,
        LogLine,
        Notice,
        Plan,
        ThreadKey,
    )


class SeriesPart(Protocol):
    """Every metric."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def get(self, pid: int, name: str) -> MetricSeries | None:
        """Return one of them; `TREE` for the family's."""
        ...

    def names(self, pid: int) -> tuple[str, ...]:
        """Return the names of those of a process."""
        ...


class StacksPart(Protocol):
    """Stack time by thread and leaf node."""

    def sums(self, t0_ns: int, t1_ns: int) -> dict[ThreadKey, dict[int, Weights]]:
        """Return what each thread's leaf nodes weigh in [t0, t1); the caller's own."""
        ...

    def token(self, t0_ns: int, t1_ns: int) -> object:
        """Return what `sums(t0, t1)` depends on: while this is equal, so is the answer."""
        ...

    def latest_node(self, thread: ThreadKey) -> int:
        """Return where a thread was last seen, 0 if it was not."""
        ...


class ThreadsPart(Protocol):
    """Every thread."""

    def states(self) -> Mapping[ThreadKey, ThreadState]:
        """Return what is known of each."""
        ...

    def get(self, thread: ThreadKey) -> ThreadState:
        """Return what is known of one, an empty state if nothing is."""
        ...


class JournalPart(Protocol):
    """What happened."""

    @property
    def notices(self) -> Sequence[Notice]:
        """What perftui said."""
        ...

    @property
    def phases(self) -> Iterable[PhaseSpan]:
        """By start."""
        ...

    @property
    def alerts(self) -> Iterable[Alert]:
        """Each as it stands."""
        ...

    def import_list(self, t0_ns: int, t1_ns: int, now_ns: int) -> tuple[Import, ...]:
        """Return imports that overlap the range, by start; running ones as far as they are."""
        ...

    def run_list(self, t0_ns: int, t1_ns: int) -> tuple[RunCost, ...]:
        """Return the runs that ended in the range, each with what its process imported."""
        ...

    def collected(self, t0_ns: int, t1_ns: int) -> tuple[Collected, ...]:
        """Return collections of cycles, steps of time that overlap the range."""
        ...

    def installed_list(self) -> tuple[Installed, ...]:
        """Return the distributions of which something was imported, by name."""
        ...

    def plan_list(self, t1_ns: int) -> tuple[Plan, ...]:
        """Return the plans that were told before a moment, the oldest first."""
        ...

    def task_list(self, t1_ns: int) -> tuple[Task, ...]:
        """Return asyncio's tasks as they stood at a moment."""
        ...

    def blame(self, t0_ns: int, t1_ns: int) -> Blame:
        """Return what the looks that ended in the range found out."""
        ...

    def event_list(self, t0_ns: int, t1_ns: int, firsts: Iterable[Call]) -> tuple[Event, ...]:
        """Return what a person may want to jump to, in time order."""
        ...


class CallsPart(Protocol):
    """Timed calls."""

    def firsts(self) -> Sequence[Call]:
        """Return the first call of each name."""
        ...

    def stats(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        """Return statistics per name; "first" is the first call of the session."""
        ...


class CountsPart(Protocol):
    """Counters."""

    def list(
        self, t0_ns: int, t1_ns: int, at: Callable[[str, int], float | None]
    ) -> tuple[Counter, ...]:
        """Return counters at the end of the range; `at` looks a total up."""
        ...


class LinesPart(Protocol):
    """What the target wrote."""

    def newest(self, t0_ns: int, t1_ns: int, limit: int) -> Sequence[LogLine]:
        """Return the newest lines of the range, oldest first, as they are kept."""
        ...


class ProcessesPart(Protocol):
    """The target and its descendants."""

    @property
    def exit(self) -> Exit | None:
        """How the target ended, None while it runs."""
        ...

    def all(self) -> tuple[Process, ...]:
        """Return those that are known, oldest first."""
        ...


class SessionPart(Protocol):
    """What is watched, since when, and whether it still goes on."""

    @property
    def target(self) -> Target:
        """What is watched."""
        ...

    @property
    def t_start_ns(self) -> int:
        """When the session began."""
        ...

    def now_ns(self) -> int:
        """Return the session's time; of one that is over, its end."""
        ...

    def state(self, exit_: Exit | None, *, measured: bool) -> tuple[State, int]:
        """Return the state and the latest moment known.

        Args:
            exit_: How the target ended.
            measured: Something was read already.
        """
        ...
