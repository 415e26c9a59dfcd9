"""What detectors are fed with, and what they say.

Times are seconds on any clock that starts with the trace or the session; unknown is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from perftui.probes.own.tuples import NamedTuple

EdgeSeverity = Literal["info", "warn", "critical", "clear"]
RANK: dict[str, int] = {"info": 0, "warn": 1, "critical": 2}


class TreeReading(NamedTuple):
    """One reading of the whole process tree."""

    t_s: float
    rss_bytes: float | None
    cpu_percent: float | None = None
    """100 = one core."""
    rows: float | None = None
    """Cumulative; None without a counter."""
    phase: str | None = None
    """Innermost phase; None where nothing is marked."""
    run_queue_share: float | None = None
    """Of the time that threads wanted a core, the share they waited for one, 0..1, lately."""
    rows_are_data: bool = True
    """False where the counter counts work (requests, ticks), not what was read."""
    pool_bytes: float | None = None
    """Bytes that known allocators (Arrow, DuckDB) have given out."""
    pool_name: str = ""
    """The largest of them."""
    run_queue_percent: float | None = None
    """Time that threads waited for a core, lately: 100 = one thread all the time."""
    brought_bytes: float = 0.0
    """Of `rss_bytes`, what processes that came later had when they were young."""
    newcomers: int = 0
    """How many processes have come so far."""
    files_bytes: float = 0.0
    """Of `rss_bytes`, pages of mapped files that came since that was first known; negative if
    the kernel has taken some away."""
    modules: int = 0
    """How many imports have ended so far, those that others caused included."""


class CallEnded(NamedTuple):
    """A timed call ended at `t_s`."""

    t_s: float
    name: str
    dur_s: float


class ImportBegan(NamedTuple):
    """A module that no other import caused began to be imported."""

    t_s: float
    module: str


class ImportEnded(NamedTuple):
    """An import ended at `t_s`."""

    t_s: float
    module: str
    dur_s: float


class Waiting(NamedTuple):
    """What the program's threads stood in while little of it ran."""

    t_s: float
    cause: Literal["lock", "io", "other"]
    share: float
    """Of the time off CPU of the last second or two, 0..1."""
    where: str
    """The place, as a person would say it."""
    lock_share: float = 0.0
    """Of the whole time of all threads that have work, the share spent waiting for locks."""
    threads: int = 1
    """How many threads have work."""


class LoopBlocked(NamedTuple):
    """An event loop has not come back from one callback up to `t_s`."""

    t_s: float
    pid: int
    n: int
    """Blocks of the process so far."""
    took_s: float
    over: bool
    callback: str
    where: str
    stack: str


class CyclesCollected(NamedTuple):
    """The collector of cycles ran in one generation of a process, from `t0_s` to `t_s`."""

    t_s: float
    t0_s: float
    pid: int
    generation: int
    n: int
    pause_s: float
    longest_s: float
    part: bool
    """Not all of them were timed: the pause is made up from those that were."""


class BoundSeen(NamedTuple):
    """Somebody looked from inside whether what grew has a bound (`filling`)."""

    t_s: float
    t0_s: float
    """It looked from here on."""
    rose_bytes: float | None
    """RSS of the process meanwhile."""
    came_bytes: float
    """Into containers with a bound, by an estimate."""
    to_come_bytes: float | None
    """Until they are full; None if their code keeps them to a bound that it does not tell."""
    words: str
    """About the largest of them."""


class PeerUse(NamedTuple):
    """What one of several processes that are alike used in the last second."""

    pid: int
    name: str
    busy: float
    """Cores that it ran on or waited for: what it wants, however full the machine is."""
    ran: float
    """Cores that it ran on."""
    used_s: float
    """What it wanted since it was first seen, in seconds of a core."""
    rss_bytes: float


class PeersSeen(NamedTuple):
    """Processes that are alike (`peers`)."""

    t_s: float
    group: str
    uses: tuple[PeerUse, ...]
    progress: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]
    """Counters that all of them have: by how much each rose in the seconds before the last ones
    and in the last ones, in their order."""


Observation = (
    TreeReading
    | CallEnded
    | ImportBegan
    | ImportEnded
    | Waiting
    | LoopBlocked
    | CyclesCollected
    | BoundSeen
    | PeersSeen
)


class Edge(NamedTuple):
    """An alert begins, changes its severity, or is cleared.

    An alert is known by (kind, t_onset_s): later edges of it repeat both.
    """

    kind: str
    severity: EdgeSeverity
    t_onset_s: float
    t_detect_s: float
    """When this edge was known."""
    message: str
    evidence: str
    """What was ruled out, and figures that the message has no room for."""
    first: bool = True
    """False for a change of an open alert and for its clear."""
    t_end_s: float | None = None
    """In a clear: when the cause ended, which may be before it was known."""
