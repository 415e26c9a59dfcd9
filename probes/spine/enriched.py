"""A batch of records with what follows from it: what every sink gets.

A probe says what it read. Several readers need more than that: CPU per cent, sums over the whole
family of processes, what a stack weighs. `Enricher` works it out once, before the sinks, so that
memory, disk and detectors cannot differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NamedTuple

    from perftui.probes.spine.records import Alert, Count, Metric, Pool, Record, StackWindow
    from perftui.probes.spine.weighed import WeighedStack
else:
    from perftui.probes.own.tuples import NamedTuple


class Reading(NamedTuple):
    """One reading of one process."""

    metric: Metric
    cpu_percent: float | None
    """Of one core, over at least `derived.CPU_SMOOTH_NS`; None at a process's first."""


class Tick(NamedTuple):
    """One reading of the whole family: all processes at the same time."""

    t_ns: int
    readings: tuple[Reading, ...]
    sums: Mapping[str, float]
    """Fields of `Metric` and "cpu_percent" summed over the family; what no process knows is
    missing. Not `cpu_s`: what ended processes used leaves the sum. Of `rss_bytes` shared pages
    are counted once (`family_memory`)."""
    pools: Mapping[str, int]
    """Bytes by name of pool, over the processes that live."""


class Counted(NamedTuple):
    """A counter after one record."""

    record: Count
    total: float
    """Over all processes, ended ones included."""
    rate_per_s: float | None
    """Since `since_ns`; None until enough time has passed."""
    since_ns: int | None


class Pooled(NamedTuple):
    """A pool after one record."""

    record: Pool
    total: int
    """Bytes over all processes that live."""


class Parted(NamedTuple):
    """Resident bytes of one part of a process, or of the family."""

    t_ns: int
    pid: int
    """`reader.TREE` for the family, in which shared pages count once."""
    name: str
    bytes: int


class Covered(NamedTuple):
    """A window of stacks, and what share of its process's time was seen so far."""

    window: StackWindow
    threads: int
    """With stacks in the window."""
    covered_ns: float
    """Time with good stacks of its process so far, cumulative."""


class Standing(NamedTuple):
    """An alert as it stands."""

    alert: Alert
    is_new: bool
    """Its first record as more than a mark; later ones change or clear it."""


class Batch(NamedTuple):
    """What one probe handed in at once, and what follows from it. Nobody changes it."""

    raw: Sequence[Record]
    """As it was handed in, in the order of time. Empty in another process than the session's."""
    events: Sequence[Record]
    """Those of `raw` that no part below has, in their order (alerts are in both)."""
    ticks: Sequence[Tick] = ()
    counted: Sequence[Counted] = ()
    pools: Sequence[Pooled] = ()
    weighed: Sequence[WeighedStack] = ()
    windows: Sequence[Covered] = ()
    alerts: Sequence[Standing] = ()
    """The newest form of each that the batch tells of."""
    parts: Sequence[Parted] = ()

    @property
    def size(self) -> int:
        """Rows that it comes to on disk."""
        readings = sum(len(tick.readings) for tick in self.ticks)
        rest = (
            self.events,
            self.counted,
            self.pools,
            self.weighed,
            self.windows,
            self.parts,
        )
        return readings + sum(len(part) for part in rest)
