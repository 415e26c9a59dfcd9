"""One metric over time in bounded memory: fine for minutes, coarser for hours, coarse for days.

Every tier keeps min, max and last of its steps, so that a spike never vanishes by thinning.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, cast

from perftui.probes.answers.buckets import Filling, Points, bucket_ns
from perftui.probes.answers.holding import READING_NS, hold_ns
from perftui.probes.spine.derived import METRIC_FIELDS
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, MutableSequence, Sequence

    from perftui.probes.spine.reader import Buckets

TIERS_NS = ((0, 6_000), (NS_PER_S, 3_600), (30 * NS_PER_S, 2_880), (600 * NS_PER_S, 8_640))
"""(step, steps kept): every sample of 5 minutes at 20 Hz, 1 h, 1 day, 60 days."""

PROCESS_TIERS_NS = ((0, 1_200), (NS_PER_S, 900), (30 * NS_PER_S, 960), (600 * NS_PER_S, 8_640))
"""Of one process of many: 1 minute at 20 Hz, 15 min, 8 h, 60 days."""
THREAD_TIERS_NS = ((0, 480), (NS_PER_S, 600), (15 * NS_PER_S, 720), (300 * NS_PER_S, 8_640))
"""Of one thread: 2 minutes at 4 Hz, 10 min, 3 h, 30 days."""
BRIEF_TIERS_NS = ((0, 600),)
"""Of anything, where nobody looks back: 5 minutes at 2 Hz."""

_MANY_BUCKETS, _MOST_FILLINGS = 32, 2
"""A range in so many buckets is drawn, and asked for again: so many of them are kept filled."""

READ_FIELDS = METRIC_FIELDS[METRIC_FIELDS.index("cpu_s") + 1 :]
"""What is kept of each reading of a process; its CPU seconds are kept as per cent."""


class _Tier:
    """Steps of one width, 8 bytes a number; a quarter more than the limit is cut back in one go.

    As long as every step is one reading, `low`, `high` and `last` are one array.
    """

    __slots__ = ("high", "keep", "last", "low", "most", "step_ns", "t")

    def __init__(self, step_ns: int, keep: int) -> None:
        self.step_ns = step_ns
        self.keep = keep
        self.most = keep + keep // 4 + 1
        self.t: MutableSequence[int] = array("q")
        # Whole numbers until the first that is none.
        column = cast("MutableSequence[float]", array("q"))
        self.low, self.high, self.last = column, column, column

    def add(self, t_ns: int, value: float) -> None:
        times, step_ns = self.t, self.step_ns
        if times and 0 <= t_ns - times[-1] < step_ns:
            last = self.last
            if last[-1] == value:
                return  # of a step that has it already: most of what idle processes tell
            low, high = self.low, self.high
            if low is not last and low[-1] <= value <= high[-1] and type(value) is type(last[-1]):
                last[-1] = value
                return
        start = t_ns - t_ns % step_ns if step_ns else t_ns
        try:
            self._add(start, value)
        except (TypeError, OverflowError):
            # The first value that is no whole number, or beyond 64 bits.
            self._become_real()
            self._add(start, float(value))

    def _add(self, start: int, value: float) -> None:
        if self.t and start <= self.t[-1]:
            if self.low is self.last:
                self.low, self.high = self.last[:], self.last[:]
            self.low[-1] = min(self.low[-1], value)
            self.high[-1] = max(self.high[-1], value)
            self.last[-1] = value
            return
        if self.low is self.last:
            self.last.append(value)
        else:
            for column in self._columns():
                column.append(value)
        self.t.append(start)
        if len(self.t) > self.most:
            old = self.keep // 4 + 1
            del self.t[:old]
            for column in self._columns():
                del column[:old]

    @property
    def is_full(self) -> bool:
        """Whether it will soon forget something."""
        return len(self.t) >= self.keep

    def _columns(self) -> list[MutableSequence[float]]:
        return [self.last] if self.low is self.last else [self.low, self.high, self.last]

    def _become_real(self) -> None:
        one = self.low is self.last
        self.last = array("d", self.last)[: len(self.t)]
        self.low = self.last if one else array("d", self.low)[: len(self.t)]
        self.high = self.last if one else array("d", self.high)[: len(self.t)]


class Series:
    """A metric's values in time order.

    A coarser tier is made when it would have its second step: until then the one before it has
    everything, and most series are of processes and threads that come and go.

    Args:
        hold_ns: How long a value stands for itself (`holding`).
        tiers: (step, steps kept), the finest first.
    """

    __slots__ = (
        "_coarser",
        "_due_ns",
        "_fillings",
        "_hold_ns",
        "_tiers",
        "first_t_ns",
        "highest",
        "last_t_ns",
        "last_value",
    )

    def __init__(
        self,
        hold_ns: int | None = READING_NS,
        tiers: Sequence[tuple[int, int]] = TIERS_NS,
    ) -> None:
        self._hold_ns = hold_ns
        self._tiers = [_Tier(*tiers[0])]
        self._coarser = tiers[1:]
        self._due_ns = 0
        """The first tier of `_coarser` is to be made then."""
        self._fillings: dict[tuple[int, int, int, int], Filling] | None = None
        """By what was asked for: the axis of a chart stands still while the session goes on."""
        self.first_t_ns: int | None = None
        self.last_t_ns = 0
        self.last_value: float | None = None
        self.highest: float | None = None

    def add(self, t_ns: int, value: float) -> None:
        """Append a value; times do not go back."""
        if self.first_t_ns is None:
            self.first_t_ns = t_ns
            self._due_ns = self._next_due_ns()
        self.last_t_ns = t_ns
        self.last_value = value
        if self.highest is None or value > self.highest:
            self.highest = value
        for tier in self._tiers:
            tier.add(t_ns, value)
        while self._coarser and (t_ns >= self._due_ns or self._tiers[-1].is_full):
            finer, tier = self._tiers[-1], _Tier(*self._coarser[0])
            for step in zip(finer.t, finer.low, finer.high, finer.last, strict=True):
                for part in step[1:]:
                    tier.add(step[0], part)
            self._tiers.append(tier)
            self._coarser = self._coarser[1:]
            self._due_ns = self._next_due_ns()

    def _next_due_ns(self) -> int:
        """Return the end of the first step that the next tier would have."""
        if not self._coarser or self.first_t_ns is None:
            return 0
        step_ns = self._coarser[0][0]
        return self.first_t_ns - self.first_t_ns % step_ns + step_ns

    def value_at(self, t_ns: int) -> float | None:
        """Return the newest value at or before `t_ns`."""
        if self.first_t_ns is None or t_ns < self.first_t_ns:
            return None
        for tier in self._tiers:
            if tier.t[0] <= t_ns or tier is self._tiers[-1]:
                at = bisect_right(tier.t, t_ns) - 1
                return tier.last[at] if at >= 0 else None
        return None

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        """Return (t, value) of [t0, t1) at the finest step that reaches back to t0."""
        tier = self._tier_for(t0_ns, 0)
        first, end = bisect_left(tier.t, t0_ns), bisect_left(tier.t, t1_ns)
        return list(zip(tier.t[first:end], tier.last[first:end], strict=True))

    def highest_in(self, t0_ns: int, t1_ns: int) -> float | None:
        """Return the highest value of [t0, t1], the one that held at t0 included."""
        tier = self._tier_for(t0_ns, 0)
        first = max(bisect_right(tier.t, t0_ns) - 1, 0)
        high = tier.high[first : bisect_right(tier.t, t1_ns)]
        return max(high) if high else None

    def buckets(self, t0_ns: int, t1_ns: int, n: int) -> Buckets:
        """Return the range in `n` equal buckets, None where nothing was measured."""
        tier = self._tier_for(t0_ns, bucket_ns(t0_ns, t1_ns, n) / 2)
        asked = (t0_ns, t1_ns, n, tier.step_ns)
        kept = self._fillings
        filling = None if kept is None else kept.pop(asked, None)
        if filling is None:
            filling = Filling((t0_ns, t1_ns), n, tier.step_ns, self._hold_ns)
        if n >= _MANY_BUCKETS:
            if kept is None:
                kept = self._fillings = {}
            if len(kept) >= _MOST_FILLINGS:
                del kept[next(iter(kept))]
            kept[asked] = filling  # the last to be forgotten
        points = Points(tier.t, tier.low, tier.high, tier.last)
        return filling.with_all(points, self.last_t_ns)

    def _tier_for(self, t0_ns: int, step_ns: float) -> _Tier:
        """Return the coarsest tier no wider than `step_ns`, or one that still reaches to t0."""
        chosen = self._tiers[-1]
        first = self.first_t_ns or 0
        for index, tier in enumerate(self._tiers):
            reaches = bool(tier.t) and tier.t[0] <= max(t0_ns, first)
            if not reaches:
                continue
            chosen = tier
            following = self._tiers[index + 1] if index + 1 < len(self._tiers) else None
            if following is None or following.step_ns > step_ns:
                return tier
        return chosen


class SeriesTable:
    """Every metric of every process, by (pid, name).

    Args:
        brief: Keep the last minutes alone.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self._tiers = BRIEF_TIERS_NS if brief else TIERS_NS
        self._process_tiers = BRIEF_TIERS_NS if brief else PROCESS_TIERS_NS
        self._known: dict[tuple[int, str], Series] = {}
        self._rows: dict[int, list[Series | None]] = {}
        """The same by process, as `add_row` takes them."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._known)

    def add(self, pid: int, name: str, t_ns: int, value: float) -> None:
        """Append a value."""
        self.of(pid, name).add(t_ns, value)

    def add_row(self, pid: int, t_ns: int, values: Iterable[float | None]) -> None:
        """Append values of `READ_FIELDS` of a process, in that order; None: not known."""
        row = self._rows.get(pid)
        if row is None:
            row = self._rows[pid] = [None] * len(READ_FIELDS)
        for at, value in enumerate(values):
            if value is not None:
                series = row[at]
                if series is None:
                    series = row[at] = self.of(pid, READ_FIELDS[at])
                series.add(t_ns, value)

    def of(self, pid: int, name: str, first_took_ns: int = 0) -> Series:
        """Return a metric, made if it is new; `first_took_ns` as of `hold_ns`."""
        series = self._known.get((pid, name))
        if series is None:
            tiers = self._tiers if pid == TREE else self._process_tiers
            series = self._known[pid, name] = Series(hold_ns(name, first_took_ns), tiers)
        return series

    def get(self, pid: int, name: str) -> Series | None:
        """Return a metric."""
        return self._known.get((pid, name))

    def names(self, pid: int) -> tuple[str, ...]:
        """Return the names of those of a process."""
        return tuple(name for owner, name in self._known if owner == pid)

    def forget(self, pids: Collection[int]) -> None:
        """Forget the metrics of processes."""
        for key in [key for key in self._known if key[0] in pids]:
            del self._known[key]
        for pid in pids:
            self._rows.pop(pid, None)
