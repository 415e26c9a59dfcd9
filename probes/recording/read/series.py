"""The metrics of a recording, from the steps that a question needs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from perftui.probes.answers.buckets import NONE, Points, bucket_ns, buckets_of
from perftui.probes.answers.holding import hold_ns
from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.rollup import STEP_NS, named_points
from perftui.probes.recording.format.tables import FLOAT_METRICS, TABLES
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.recording.read.catalog import Catalog
    from perftui.probes.spine.reader import Buckets

_METRIC_COLUMNS = frozenset(
    column.name
    for column in TABLES["metrics"].columns
    if column.name not in ("t_ns", "pid", "cpu_s")
)
_REAL = frozenset([*FLOAT_METRICS, "cpu_percent"])
_LONGEST_VALUES_NS = 900 * NS_PER_S


def source_of(name: str) -> str:
    """Return the table that the raw readings of a metric are in."""
    if name in _METRIC_COLUMNS:
        return "metrics"
    if name.startswith("part:"):
        return "memory_parts"
    return "pools" if name.startswith("pool:") else "counts"


def points_of(table: Any, *columns: str) -> Points:
    """Return the columns t_ns and low, high, last (or one for all three) as numbers."""
    t = _numbers(table["t_ns"], "q")
    if len(columns) == 1:
        values = _numbers(table[columns[0]], "d")
        return Points(t, values, values, values)
    low, high, last = (_numbers(table[name], "d") for name in columns)
    return Points(t, low, high, last)


def _numbers(column: Any, form: str) -> Sequence[Any]:
    """Return a column without nulls as a view of its memory."""
    pa = arrow()
    pc = compute()
    if not len(column):
        return ()
    kind = pa.int64() if form == "q" else pa.float64()
    array = pc.cast(column, kind, safe=False)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    memory = memoryview(array.buffers()[1]).cast("B")
    view: Sequence[Any] = memory.cast("q") if form == "q" else memory.cast("d")
    return view[array.offset : array.offset + len(array)]


def join(parts: Sequence[Points]) -> Points:
    """Return points of consecutive times as one."""
    kept = [part for part in parts if len(part.t)]
    if not kept:
        return NONE
    if len(kept) == 1:
        return kept[0]
    return Points(
        [t for part in kept for t in part.t],
        [value for part in kept for value in part.low],
        [value for part in kept for value in part.high],
        [value for part in kept for value in part.last],
    )


class DiskSeries:
    """One of them.

    Args:
        catalog: Where the readings are.
        pid: Whose they are.
        name: Which metric.
        steps: Its 30 s steps.
        segments: The segment of each step.
    """

    def __init__(
        self, catalog: Catalog, pid: int, name: str, steps: Points, segments: Sequence[int]
    ) -> None:
        self._catalog = catalog
        self._pid = pid
        self._name = name
        self._steps = steps
        self._segments = segments
        self._own = frozenset(segments)
        self._real = name in _REAL or name.startswith(("count:", "rate:"))
        self._raw_cache: dict[int, Points] = {}
        self._last_t_ns: int | None = None
        self.last_value: float | None = self._number(steps.last[-1])

    # Where it ends is looked up when it is asked for: most series never are.

    @property
    def last_t_ns(self) -> int:
        """When the last reading was taken."""
        if self._last_t_ns is None:
            raw = self._raw(self._segments[-1])
            self._last_t_ns = raw.t[-1] if len(raw.t) else self._steps.t[-1]
        return self._last_t_ns

    def _hold_ns(self) -> int | None:
        first_took_ns = 0
        if self._name.startswith("rate:"):
            first = self._raw(self._segments[0])
            if len(first.t) > 1:
                first_took_ns = first.t[1] - first.t[0] + 1
        return hold_ns(self._name, first_took_ns)

    def _number(self, value: float) -> float:
        return value if self._real or value != value else int(value)

    def _raw(self, segment: int) -> Points:
        """Return the readings of one segment as they were taken."""
        found = self._raw_cache.get(segment)
        if found is None:
            found = raw_points(self._catalog, segment, self._pid, self._name)
            if len(self._raw_cache) >= 4:
                self._raw_cache.pop(next(iter(self._raw_cache)))
            self._raw_cache[segment] = found
        return found

    def _seconds(self, segment: int) -> Points:
        pc = compute()
        table = self._catalog.load("series_1s", segment)
        mine = pc.and_(pc.equal(table["pid"], self._pid), pc.equal(table["name"], self._name))
        return points_of(table.filter(mine), "low", "high", "last")

    def _segments_in(self, t0_ns: int, t1_ns: int) -> list[int]:
        """Return the segments that may have readings in [t0, t1]."""
        found = self._catalog.overlapping(source_of(self._name), t0_ns, t1_ns + 1)
        return [segment for segment in found if segment in self._own]

    def value_at(self, t_ns: int) -> float | None:
        """Return the newest value at or before `t_ns`."""
        if t_ns >= self.last_t_ns:
            return self.last_value
        at = bisect_right(self._steps.t, t_ns) - 1
        for segment in dict.fromkeys(reversed(self._segments[: at + 1])):
            raw = self._raw(segment)
            row = bisect_right(raw.t, t_ns) - 1
            if row >= 0:
                return self._number(raw.last[row])
        return None

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        """Return (t, value) of [t0, t1); of a long range every 30 s."""
        if t1_ns - t0_ns > _LONGEST_VALUES_NS:
            points = self._steps
        else:
            points = join([self._raw(segment) for segment in self._segments_in(t0_ns, t1_ns)])
        first, end = bisect_left(points.t, t0_ns), bisect_left(points.t, t1_ns)
        last = [self._number(value) for value in points.last[first:end]]
        return list(zip(points.t[first:end], last, strict=True))

    def highest_in(self, t0_ns: int, t1_ns: int) -> float | None:
        """Return the highest value of [t0, t1], the one that held at t0 included."""
        t0_ns, t1_ns = max(t0_ns, 0), min(t1_ns, self.last_t_ns)
        found: list[float] = []
        held = self.value_at(t0_ns)
        if held is not None:
            found.append(held)
        inner: set[int] = set()
        for segment, extent in self._catalog.overlapping(
            source_of(self._name), t0_ns, t1_ns + 1
        ).items():
            if t0_ns <= extent.t0_ns and extent.t1_ns <= t1_ns:
                inner.add(segment)
            elif segment in self._own:
                raw = self._raw(segment)
                found += raw.high[bisect_right(raw.t, t0_ns) : bisect_right(raw.t, t1_ns)]
        found += [
            high
            for high, segment in zip(self._steps.high, self._segments, strict=True)
            if segment in inner
        ]
        return self._number(max(found)) if found else None

    def buckets(self, t0_ns: int, t1_ns: int, n: int) -> Buckets:
        """Return the range in `n` equal buckets, from the coarsest steps that still show all."""
        hold = self._hold_ns()
        half = bucket_ns(t0_ns, t1_ns, n) / 2
        step_ns = 0 if half < NS_PER_S else NS_PER_S if half < STEP_NS else STEP_NS
        margin_ns = max(hold or 0, 2 * step_ns) + 2 * STEP_NS
        if step_ns == STEP_NS:
            points = merged_steps(self._steps)
        else:
            segments = self._segments_in(t0_ns - margin_ns, t1_ns + margin_ns)
            load = self._seconds if step_ns else self._raw
            points = join([load(segment) for segment in segments])
            if step_ns:
                points = merged_steps(points)
            if hold is None:
                points = self._with_held(points, t0_ns)
        return buckets_of(
            points,
            (t0_ns, t1_ns),
            n,
            step_ns=step_ns,
            hold_ns=hold,
            until_ns=self.last_t_ns,
        )

    def _with_held(self, points: Points, t0_ns: int) -> Points:
        """Begin with the value that holds at t0, however old."""
        if len(points.t) and points.t[0] <= t0_ns:
            return points
        held = self.value_at(t0_ns)
        if held is None:
            return points
        return join([Points((t0_ns,), (held,), (held,), (held,)), points])


def merged_steps(points: Points) -> Points:
    """Return steps with those that two segments share made one."""
    t: list[int] = []
    low: list[float] = []
    high: list[float] = []
    last: list[float] = []
    for at, lowest, highest, newest in zip(*points, strict=True):
        if t and at <= t[-1]:
            low[-1], high[-1], last[-1] = min(low[-1], lowest), max(high[-1], highest), newest
            continue
        t.append(at)
        low.append(lowest)
        high.append(highest)
        last.append(newest)
    return Points(t, low, high, last)


def raw_points(catalog: Catalog, segment: int, pid: int, name: str) -> Points:
    """Return the readings of a metric in one segment."""
    pc = compute()
    source = source_of(name)
    if source == "metrics":
        table = catalog.load("metrics", segment, ["t_ns", "pid", name])
        mine = pc.and_(pc.equal(table["pid"], pid), pc.is_valid(table[name]))
        return points_of(table.filter(mine), name)
    wanted = catalog.load(source, segment)
    label = name.partition(":")[2]
    wanted = wanted.filter(pc.equal(wanted["name"], label))
    if source == "pools":
        column = "tree_bytes" if pid == TREE else "bytes"
        if pid != TREE:
            wanted = wanted.filter(pc.equal(wanted["pid"], pid))
        return points_of(wanted, column)
    if source == "memory_parts":
        return points_of(wanted.filter(pc.equal(wanted["pid"], pid)), "bytes")
    for table in named_points({"counts": wanted}):
        if table["name"][0].as_py() == name:
            return points_of(table, "last")
    return NONE


class DiskSeriesTable:
    """Every metric of a recording."""

    def __init__(self, catalog: Catalog) -> None:
        self._known: dict[tuple[int, str], DiskSeries] = {}
        steps = catalog.whole("series_30s")
        if not steps.num_rows:
            return
        steps = steps.sort_by([("pid", "ascending"), ("name", "ascending")])
        pids, names = steps["pid"].to_pylist(), steps["name"].to_pylist()
        start = 0
        for at in range(1, len(names) + 1):
            if at < len(names) and names[at] == names[start] and pids[at] == pids[start]:
                continue
            part = steps.slice(start, at - start)
            points = points_of(part, "low", "high", "last")
            segments = _numbers(part["segment"], "q")
            pid, name = pids[start], names[start]
            self._known[pid, name] = DiskSeries(catalog, pid, name, points, segments)
            start = at

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._known)

    def get(self, pid: int, name: str) -> DiskSeries | None:
        """Return one of them; `TREE` for the family's."""
        return self._known.get((pid, name))

    def names(self, pid: int) -> tuple[str, ...]:
        """Return the names of those of a process."""
        return tuple(name for owner, name in self._known if owner == pid)
