"""Weighed pieces on their way into sums: together where they add to one cell, cut by the second."""

from __future__ import annotations

from collections import defaultdict
from itertools import compress
from typing import TYPE_CHECKING, Any

from perftui.probes.own.tuples import made
from perftui.probes.spine.reader import Weights
from perftui.probes.spine.weighed import WeighedStack
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import ThreadKey

ByNode = defaultdict[int, list[WeighedStack]]
"""Pieces by the node of their stack."""

_SPREAD_AT = Weights._fields.index("touched_bytes")
"""From there on are the weights that only some samplers tell."""
_COLUMNS = WeighedStack._fields
_SHARED = tuple(_COLUMNS.index(name) for name in Weights._fields if name != "torn_ns")
"""Those that a clipped interval has its share of, as `WeighedStack` and `Weights` name them."""
_CPU, _GROWN, _TORN, _WALL, _SPREAD = map(
    _COLUMNS.index, ("cpu_ns", "grown_bytes", "torn", "wall_ns", "touched_bytes")
)
_SPREAD_END = _SPREAD + len(Weights._fields) - _SPREAD_AT
"""Places in a piece, which has those weights in the same order."""
assert _COLUMNS[_SPREAD:_SPREAD_END] == Weights._fields[_SPREAD_AT:]


def runs(pieces: Sequence[WeighedStack]) -> list[tuple[ThreadKey, int | None, ByNode]]:
    """Return neighbours of one thread in one second together: what they add is added up first,
    for it is added in several places.

    A piece that does not lie in one second is alone, and the second None.
    """
    found: list[tuple[ThreadKey, int | None, ByNode]] = []
    of_run: tuple[ThreadKey, int] | None = None
    nodes: ByNode = defaultdict(list)
    for piece in pieces:
        t0_ns, t1_ns, thread, node = piece[:4]
        second = t0_ns // NS_PER_S
        whole = t0_ns < t1_ns <= (second + 1) * NS_PER_S
        if not whole or of_run != (thread, second):
            of_run, nodes = (thread, second) if whole else None, defaultdict(list)
            found.append((thread, second if whole else None, nodes))
        nodes[node].append(piece)
    return found


def amounts_of(pieces: Sequence[WeighedStack]) -> list[tuple[int, int]]:
    """Return what pieces add to a cell: (index in `Weights`, amount), those that are not 0."""
    if len(pieces) == 1:
        return _of_one(pieces[0])
    columns: list[tuple[Any, ...]] = list(zip(*pieces, strict=True))
    walls = columns[_WALL]
    if None in walls:
        return [each for piece in pieces for each in _of_one(piece)]
    amounts = [(0, sum(walls)), (1, sum(columns[_CPU]))]
    if grown := sum(columns[_GROWN]):
        amounts.append((2, grown))
    if any(columns[_TORN]):
        amounts.append((3, sum(compress(walls, columns[_TORN]))))
    rest = map(sum, columns[_SPREAD:_SPREAD_END])
    amounts += [(index, amount) for index, amount in enumerate(rest, _SPREAD_AT) if amount]
    return amounts


def _of_one(piece: WeighedStack) -> list[tuple[int, int]]:
    wall_ns = piece.t1_ns - piece.t0_ns if piece.wall_ns is None else piece.wall_ns
    amounts = [(0, wall_ns), (1, piece.cpu_ns)]
    if piece.grown_bytes:
        amounts.append((2, piece.grown_bytes))
    if piece.torn:
        amounts.append((3, wall_ns))
    if piece.wall_ns is not None:  # else its sampler tells none of the rest
        rest: tuple[Any, ...] = piece[_SPREAD:_SPREAD_END]
        if any(rest):
            amounts += [(index, amount) for index, amount in enumerate(rest, _SPREAD_AT) if amount]
    return amounts


def clip(piece: WeighedStack, t0_ns: int, t1_ns: int) -> WeighedStack:
    """Return the part of a piece that lies in a range, with its share of what is in it."""
    start, end = max(piece.t0_ns, t0_ns), min(piece.t1_ns, t1_ns)
    whole = piece.t1_ns - piece.t0_ns
    if end - start == whole:
        return piece
    share = (end - start) / whole
    values: list[Any] = [start, end, *piece[2:]]
    for at in _SHARED:
        if values[at]:  # few are, and a wall time may be unknown
            values[at] = round(values[at] * share)
    return made(WeighedStack, values)


def by_second(piece: WeighedStack) -> Sequence[WeighedStack]:
    """Return a piece as parts that lie in one second each; the piece itself if it does."""
    start, last = piece.t0_ns, piece.t1_ns
    if start // NS_PER_S == (last - 1) // NS_PER_S and start < last:
        return (piece,)
    parts = []
    while start < last:
        end = min(last, start - start % NS_PER_S + NS_PER_S)
        parts.append(clip(piece, start, end))
        start = end
    return parts
