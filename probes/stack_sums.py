"""Sums of stack time per second, thread and leaf node: any range is a few additions away.

Memory is bounded by steps that grow coarser with age; the sums of the whole session are kept
besides, because that is what the screen asks for most.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.reader import Weights
from perftui.probes.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

ThreadKey = tuple[int, int]
"""(pid, tid)"""

TIERS_NS = ((NS_PER_S, 900), (15 * NS_PER_S, 960), (300 * NS_PER_S, 8_640))
"""(step, steps kept): 15 min by the second, 4 h by 15 s, 30 days by 5 min."""
RECENT_NS = 60 * NS_PER_S
RECENT_ROWS = 60_000

_Cell = list[int]  # wall_ns, cpu_ns, grown_bytes, torn_ns
_Sums = dict[ThreadKey, dict[int, _Cell]]


class Piece(NamedTuple):
    """One stack interval with what it weighs."""

    t0_ns: int
    t1_ns: int
    thread: ThreadKey
    node: int
    cpu_ns: int
    grown_bytes: int
    torn: bool


class StackSums:
    """Adds pieces up. One writer; readers get copies."""

    def __init__(self) -> None:
        self._total: _Sums = {}
        self._tiers: tuple[dict[int, _Sums], ...] = tuple({} for _ in TIERS_NS)
        self._recent: deque[Piece] = deque(maxlen=RECENT_ROWS)
        self._all_recent = True
        """Nothing is too old for `_recent` yet: it answers for the very start too."""
        self.first_t_ns: int | None = None
        self.last_t_ns = 0
        self.latest_node: dict[ThreadKey, int] = {}
        self.version = 0

    def add(self, piece: Piece) -> None:
        """Add one interval."""
        if piece.t1_ns <= piece.t0_ns:
            return
        if self.first_t_ns is None or piece.t0_ns < self.first_t_ns:
            self.first_t_ns = piece.t0_ns
        self.last_t_ns = max(self.last_t_ns, piece.t1_ns)
        self.version += 1
        if not piece.torn:
            self.latest_node[piece.thread] = piece.node
        self._all_recent = self._all_recent and len(self._recent) < RECENT_ROWS
        self._recent.append(piece)
        while self._recent and self._recent[0].t1_ns < self.last_t_ns - RECENT_NS:
            self._recent.popleft()
            self._all_recent = False
        _add(self._total, piece)
        for part in _by_second(piece):
            for (step, keep), tier in zip(TIERS_NS, self._tiers, strict=True):
                bucket = part.t0_ns // step
                sums = tier.get(bucket)
                if sums is None:
                    sums = tier[bucket] = {}
                    if len(tier) > keep:
                        del tier[next(iter(tier))]
                _add(sums, part)

    def sums(self, t0_ns: int, t1_ns: int) -> dict[ThreadKey, dict[int, Weights]]:
        """Return what each thread's leaf nodes weigh in [t0, t1).

        Exact for the last minute and for the whole session; older edges are shared out in
        proportion within their step.
        """
        first = self.first_t_ns
        if first is None or t1_ns <= first:
            return {}
        if t0_ns <= first and t1_ns >= self.last_t_ns:
            return _frozen(self._total)
        result: _Sums = {}
        if self._recent and (self._all_recent or t0_ns >= self._recent[0].t0_ns):
            for piece in self._recent:
                if piece.t1_ns > t0_ns and piece.t0_ns < t1_ns:
                    _add(result, _clip(piece, t0_ns, t1_ns))
            return _frozen(result)
        for step, tier in zip((step for step, _ in TIERS_NS), self._tiers, strict=True):
            oldest = next(iter(tier), None)
            if oldest is None:
                continue
            if oldest * step <= max(t0_ns, first) or step == TIERS_NS[-1][0]:
                for bucket, sums in list(tier.items()):
                    start = bucket * step
                    overlap = min(start + step, t1_ns) - max(start, t0_ns)
                    if overlap > 0:
                        _add_scaled(result, sums, overlap / step)
                break
        return _frozen(result)

    def token(self, t0_ns: int, t1_ns: int) -> tuple[int, int, int]:
        """Return what `sums(t0, t1)` depends on: while this is equal, so is the answer."""
        if t1_ns <= self.last_t_ns:
            return (t0_ns, t1_ns, 0)
        start_ns = t0_ns if self.first_t_ns is None else max(t0_ns, self.first_t_ns)
        return (start_ns, -1, self.version)

    def recent(self) -> tuple[Piece, ...]:
        """Return the intervals of about the last minute, oldest first."""
        return tuple(self._recent)


def _add(sums: _Sums, piece: Piece) -> None:
    nodes = sums.get(piece.thread)
    if nodes is None:
        nodes = sums[piece.thread] = {}
    cell = nodes.get(piece.node)
    if cell is None:
        cell = nodes[piece.node] = [0, 0, 0, 0]
    wall_ns = piece.t1_ns - piece.t0_ns
    cell[0] += wall_ns
    cell[1] += piece.cpu_ns
    cell[2] += piece.grown_bytes
    if piece.torn:
        cell[3] += wall_ns


def _add_scaled(result: _Sums, sums: _Sums, share: float) -> None:
    for thread, nodes in sums.items():
        into = result.setdefault(thread, {})
        for node, cell in nodes.items():
            target = into.setdefault(node, [0, 0, 0, 0])
            for index, value in enumerate(cell):
                target[index] += value if share == 1 else round(value * share)


def _clip(piece: Piece, t0_ns: int, t1_ns: int) -> Piece:
    start, end = max(piece.t0_ns, t0_ns), min(piece.t1_ns, t1_ns)
    whole = piece.t1_ns - piece.t0_ns
    if end - start == whole:
        return piece
    share = (end - start) / whole
    return piece._replace(
        t0_ns=start,
        t1_ns=end,
        cpu_ns=round(piece.cpu_ns * share),
        grown_bytes=round(piece.grown_bytes * share),
    )


def _by_second(piece: Piece) -> Iterator[Piece]:
    step = TIERS_NS[0][0]
    start = piece.t0_ns
    while start < piece.t1_ns:
        end = min(piece.t1_ns, start - start % step + step)
        yield _clip(piece, start, end)
        start = end


def _frozen(sums: _Sums) -> dict[ThreadKey, dict[int, Weights]]:
    return {
        thread: {node: Weights(*cell) for node, cell in nodes.items()}
        for thread, nodes in sums.items()
    }
