"""Sums of stack time per second, thread and leaf node: any range is a few additions away.

Memory is bounded by steps that grow coarser with age; the sums of the whole session are kept
besides, because that is what the screen asks for most.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from perftui.probes.own.tuples import made
from perftui.probes.spine.reader import Weights
from perftui.probes.spine.records import ThreadKey
from perftui.probes.store.pieces import amounts_of, by_second, clip, runs
from perftui.probes.store.recent_pieces import RecentPieces
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from perftui.probes.spine.weighed import WeighedStack
    from perftui.probes.store.pieces import ByNode


TIERS_NS = ((NS_PER_S, 900), (15 * NS_PER_S, 960), (300 * NS_PER_S, 8_640))
"""(step, steps kept): 15 min by the second, 4 h by 15 s, 30 days by 5 min. Fewer where stacks are
so many that their cells (see below) would be too many."""
CELLS_KEPT = (40_000, 40_000, 80_000)
"""Per tier, 40 bytes each and 8 more for each weight beyond the first three."""
BRIEF_TIERS_NS = ((NS_PER_S, 300),)
"""Where nobody looks back: 5 min."""
OPEN_STEPS = (30, 3, 2)
"""Per tier: steps that are still added to; windows of stacks come seconds late."""
_ENDED_TID = 0
RECENT_NS = 60 * NS_PER_S
RECENT_ROWS = 60_000
CHANGES_KEPT = 4_096
"""Windows of stacks whose time is remembered: beyond, a range is only added up once more."""

_Cell = list[int]  # as `Weights`
_Sums = dict[ThreadKey, dict[int, _Cell]]


_WIDTH = len(Weights._fields)
_BITS = tuple((1 << index, index) for index in range(_WIDTH))


def _packed(nodes: dict[int, _Cell]) -> array[int]:
    """Return cells as they are kept, one after another: node, which weights are not 0, those."""
    flat = array("q")
    for node, cell in nodes.items():
        held = 0
        entry = [node, 0]
        for bit, index in _BITS:
            if value := cell[index]:
                held |= bit
                entry.append(value)
        entry[1] = held
        flat.extend(entry)
    return flat


class _Bucket:
    """Sums of one step: as dictionaries while they are added to, then packed."""

    __slots__ = ("cells", "open", "packed")

    def __init__(self) -> None:
        self.open: _Sums | None = {}
        self.packed: dict[ThreadKey, array[int]] = {}
        self.cells = 0

    def opened(self) -> _Sums:
        """Return the sums to add to."""
        if self.open is None:
            self.open = {}
            self.add_to(self.open, 1)
            self.packed = {}
        return self.open

    def pack(self) -> None:
        """Nothing more is added for now."""
        if self.open is None:
            return
        self.packed = {thread: _packed(nodes) for thread, nodes in self.open.items()}
        self.cells = sum(len(nodes) for nodes in self.open.values())
        self.open = None

    def add_to(self, result: _Sums, share: float) -> None:
        """Add a share of the sums to others."""
        if self.open:
            _add_scaled(result, self.open, share)
        for thread, flat in self.packed.items():
            into = result.setdefault(thread, {})
            at = 0
            while at < len(flat):
                cell = into.setdefault(flat[at], [0] * _WIDTH)
                held = flat[at + 1]
                at += 2
                for index in range(_WIDTH):
                    if held >> index & 1:
                        value = flat[at]
                        at += 1
                        cell[index] += value if share == 1 else round(value * share)


class _Tier:
    """Buckets of one width in bounded memory."""

    def __init__(self, step_ns: int, keep: int, cells: int, open_steps: int, last: bool) -> None:
        self.step_ns = step_ns
        self._keep = keep
        self._cells_kept = cells
        self._open_steps = open_steps
        self._last = last
        self._cells = 0
        self.buckets: dict[int, _Bucket] = {}
        self._open: list[int] = []
        self._forgotten_ns = 0

    def __len__(self) -> int:
        return len(self.buckets)

    def sums_at(self, t_ns: int) -> _Sums | None:
        """Return the sums of the step of a moment, None if that is forgotten already."""
        number = t_ns // self.step_ns
        bucket = self.buckets.get(number)
        if bucket is None:
            if number * self.step_ns < self._forgotten_ns:
                return None
            late = bool(self.buckets) and number < next(reversed(self.buckets))
            self.buckets[number] = _Bucket()
            if late:
                self.buckets = dict(sorted(self.buckets.items()))
            self._open.append(number)
            self._tidy()
            # If it is the oldest it may be packed by now, joined to another one, or forgotten.
            number = t_ns // self.step_ns
            bucket = self.buckets.get(number)
            if bucket is None:
                return None
        if bucket.open is None:
            self._cells -= bucket.cells
            self._open.append(number)
        return bucket.opened()

    def _tidy(self) -> None:
        while len(self._open) > self._open_steps:
            self._open.sort()
            bucket = self.buckets[self._open.pop(0)]
            bucket.pack()
            self._cells += bucket.cells
        if not self._last:
            while len(self.buckets) > self._keep or (
                self._cells > self._cells_kept and len(self.buckets) > 2 * self._open_steps
            ):
                self._forget_oldest()
            return
        while self._cells > self._cells_kept and len(self.buckets) > 4 * self._open_steps:
            before = self._cells
            self._widen()
            if self._cells > before * 0.9:
                break  # ever new stacks: wider steps do not help, the call tree bounds them
        while len(self.buckets) > self._keep:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        number = next(iter(self.buckets))
        bucket = self.buckets.pop(number)
        self._forgotten_ns = (number + 1) * self.step_ns
        if bucket.open is None:
            self._cells -= bucket.cells
        else:
            self._open.remove(number)

    def _widen(self) -> None:
        """Join each two steps to one."""
        self.step_ns *= 2
        old, self.buckets, self._open = self.buckets, {}, []
        for number, bucket in old.items():
            into = self.buckets.get(number // 2)
            if into is None:
                self.buckets[number // 2] = bucket
            else:
                bucket.add_to(into.opened(), 1)
                into.pack()  # at once: all of them open would be many times as large
        for bucket in self.buckets.values():
            bucket.pack()
        self._cells = sum(bucket.cells for bucket in self.buckets.values())

    def fold(self, gone: frozenset[ThreadKey]) -> None:
        """Give the sums of threads to the joined thread of their process."""
        for number, bucket in self.buckets.items():
            held = bucket.open if bucket.open is not None else bucket.packed
            if gone.isdisjoint(held):
                continue
            was_open = bucket.open is not None
            if not was_open:
                self._cells -= bucket.cells
            _fold(bucket.opened(), gone)
            if not was_open and number not in self._open:
                bucket.pack()
                self._cells += bucket.cells


def _fold(sums: _Sums, gone: frozenset[ThreadKey]) -> None:
    for key in [key for key in sums if key in gone]:
        _add_scaled(sums, {(key[0], _ENDED_TID): sums.pop(key)}, 1)


class StackSums:
    """Adds pieces up. One writer; readers get copies.

    Args:
        brief: Keep the last minutes alone, and no sums of all.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self._total: _Sums | None = None if brief else {}
        tiers: Sequence[tuple[int, int]] = BRIEF_TIERS_NS if brief else TIERS_NS
        self._tiers = tuple(
            _Tier(step, keep, cells, steps, step == TIERS_NS[-1][0])
            for (step, keep), cells, steps in zip(tiers, CELLS_KEPT, OPEN_STEPS, strict=False)
        )
        self._recent = RecentPieces(RECENT_NS, RECENT_ROWS)
        self.first_t_ns: int | None = None
        self.last_t_ns = 0
        self._latest_node: dict[ThreadKey, int] = {}
        self._version = 0
        self._answered: tuple[tuple[int, int, int], dict[ThreadKey, dict[int, Weights]]] | None = (
            None
        )
        """The last range that was asked for, of which version, and its sums."""
        self._changes: list[tuple[int, int]] = []
        """(from when on, version): each later than the one before, in both."""

    def add(self, pieces: Sequence[WeighedStack]) -> None:
        """Add intervals that came together."""
        self._version += 1
        second, into = -1, tuple[_Sums, ...]()
        for piece in pieces:
            if piece.held and not piece.torn:
                self._latest_node[piece.thread] = piece.node
        for thread, only_second, nodes in runs(pieces):
            for node, same in nodes.items():
                amounts = amounts_of(same)
                if self._total is not None:
                    _add(self._total, thread, node, amounts)
                if only_second is None:
                    cut = by_second(same[0])
                    parts = [(part.t0_ns // NS_PER_S, amounts_of((part,))) for part in cut]
                else:
                    parts = [(only_second, amounts)]
                for number, part_amounts in parts:
                    # Neighbours lie in the same second, mostly: its sums are looked up once.
                    if number != second:
                        second, into = number, self._open_at(number * NS_PER_S)
                    for sums in into:
                        _add(sums, thread, node, part_amounts)
        self._know_times(pieces)

    def _open_at(self, t_ns: int) -> tuple[_Sums, ...]:
        """Return the sums that a moment belongs to, one of each tier that has not forgotten it.

        They stand until another moment is asked for: that may pack them.
        """
        found = (tier.sums_at(t_ns) for tier in self._tiers)
        return tuple(sums for sums in found if sums is not None)

    def _know_times(self, pieces: Sequence[WeighedStack]) -> None:
        """Note what has come, and let go of what is no longer recent."""
        from_ns, end_ns = self._recent.add(pieces)
        self.first_t_ns = from_ns if self.first_t_ns is None else min(self.first_t_ns, from_ns)
        self.last_t_ns = max(self.last_t_ns, end_ns)
        self._know_change(from_ns)

    def _know_change(self, from_ns: int) -> None:
        """Note that what reaches beyond a moment has changed."""
        while self._changes and self._changes[-1][0] >= from_ns:
            self._changes.pop()
        self._changes.append((from_ns, self._version))
        if len(self._changes) > CHANGES_KEPT:
            del self._changes[: CHANGES_KEPT // 2]

    def fold(self, gone: Collection[ThreadKey]) -> None:
        """Join threads that have ended long ago to one per process (tid 0)."""
        if not gone:
            return
        threads = frozenset(gone)
        if self._total is not None:
            _fold(self._total, threads)
        for tier in self._tiers:
            tier.fold(threads)
        for thread in threads:
            self._latest_node.pop(thread, None)
        self._version += 1
        self._know_change(0)

    def sums(self, t0_ns: int, t1_ns: int) -> dict[ThreadKey, dict[int, Weights]]:
        """Return what each thread's leaf nodes weigh in [t0, t1).

        Exact for the last minute and for the whole session; older edges are shared out in
        proportion within their step.
        """
        asked = (t0_ns, t1_ns, self._version)
        if self._answered is None or self._answered[0] != asked:
            self._answered = (asked, self._added_up(t0_ns, t1_ns))
        # Asked for twice, mostly: of the threads, and of their stacks. Callers get their own.
        return {thread: dict(nodes) for thread, nodes in self._answered[1].items()}

    def _added_up(self, t0_ns: int, t1_ns: int) -> dict[ThreadKey, dict[int, Weights]]:
        first = self.first_t_ns
        if first is None or t1_ns <= first:
            return {}
        if self._total is not None and t0_ns <= first and t1_ns >= self.last_t_ns:
            return _frozen(self._total)
        result: _Sums = {}
        if self._recent.reach_back_to(t0_ns):
            threads: dict[ThreadKey, ByNode] = defaultdict(partial(defaultdict, list))
            for piece in self._recent.between(t0_ns, t1_ns):
                start_ns, end_ns, thread, node = piece[:4]
                if start_ns < t0_ns or end_ns > t1_ns:
                    piece = clip(piece, t0_ns, t1_ns)
                threads[thread][node].append(piece)
            for thread, nodes in threads.items():
                for node, same in nodes.items():
                    _add(result, thread, node, amounts_of(same))
            return _frozen(result)
        for tier in self._tiers:
            step = tier.step_ns
            oldest = next(iter(tier.buckets), None)
            if oldest is None:
                continue
            if oldest * step <= max(t0_ns, first) or tier is self._tiers[-1]:
                for number, bucket in list(tier.buckets.items()):
                    start = number * step
                    overlap = min(start + step, t1_ns) - max(start, t0_ns)
                    if overlap > 0:
                        bucket.add_to(result, overlap / step)
                break
        return _frozen(result)

    def token(self, t0_ns: int, t1_ns: int) -> tuple[int, int, int]:
        """Return what `sums(t0, t1)` depends on: while this is equal, so is the answer."""
        start_ns = t0_ns if self.first_t_ns is None else max(t0_ns, self.first_t_ns)
        if t1_ns > self.last_t_ns:
            return (start_ns, -1, self._version)
        # Windows of one process come later than those of another: also what is past may change.
        at = bisect_left(self._changes, (t1_ns, 0)) - 1
        return (start_ns, t1_ns, self._changes[at][1] if at >= 0 else 0)

    def latest_node(self, thread: ThreadKey) -> int:
        """Return where a thread was last seen, 0 if it was not."""
        return self._latest_node.get(thread, 0)


def _add(sums: _Sums, thread: ThreadKey, node: int, amounts: Sequence[tuple[int, int]]) -> None:
    nodes = sums.get(thread)
    if nodes is None:
        nodes = sums[thread] = {}
    cell = nodes.get(node)
    if cell is None:
        cell = nodes[node] = [0] * _WIDTH
    for index, amount in amounts:
        cell[index] += amount


def _add_scaled(result: _Sums, sums: _Sums, share: float) -> None:
    for thread, nodes in sums.items():
        into = result.setdefault(thread, {})
        for node, cell in nodes.items():
            target = into.setdefault(node, [0] * _WIDTH)
            for index, value in enumerate(cell):
                target[index] += value if share == 1 else round(value * share)


def _frozen(sums: _Sums) -> dict[ThreadKey, dict[int, Weights]]:
    return {
        thread: {node: made(Weights, cell) for node, cell in nodes.items()}
        for thread, nodes in sums.items()
    }
