"""The pieces of the last minute, for answers that are exact at both ends of a range.

Some hundred come every second. As they come they take 400 bytes each; those that are not asked for
all the time are kept as columns, without what is 0 in all of them, in a fifth of that.
"""

from __future__ import annotations

from array import array
from collections import deque
from itertools import chain, islice, repeat, takewhile
from typing import TYPE_CHECKING, Any

from perftui.probes.spine.weighed import WeighedStack
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_YOUNG_NS = 3 * NS_PER_S
"""The detectors ask for two seconds, again and again: so much stays as it came, and twice as much
before the rest of it becomes columns together."""
_FIELDS = WeighedStack._fields
_THREAD, _TORN, _SHARE = map(_FIELDS.index, ("thread", "torn", "cpu_share"))
_END = _FIELDS.index("held")
"""What follows says how a thread was met, and adds nothing to a sum."""
_HOW_MET = (True, *[None] * (len(_FIELDS) - _END - 1))


class _Columns:
    """Pieces as columns, but for their shares of CPU."""

    __slots__ = ("_columns", "_rows", "_threads")

    def __init__(self, pieces: Sequence[WeighedStack]) -> None:
        columns: list[Sequence[Any]] = list(islice(zip(*pieces, strict=True), _END))
        self._rows = len(pieces)
        self._threads = list(dict.fromkeys(columns[_THREAD]))
        index = {thread: at for at, thread in enumerate(self._threads)}
        columns[_THREAD] = [index[thread] for thread in columns[_THREAD]]
        columns[_SHARE] = ()
        self._columns = [_narrow(column) for column in columns]

    def pieces(self) -> Iterator[WeighedStack]:
        """Give them back."""
        columns: list[Iterable[Any]] = [
            repeat(0, self._rows) if column is None else column for column in self._columns
        ]
        columns[_THREAD] = map(self._threads.__getitem__, columns[_THREAD])
        columns[_TORN] = map(bool, columns[_TORN])
        how_met = (repeat(value, self._rows) for value in _HOW_MET)
        return map(WeighedStack._make, zip(*columns, *how_met, strict=True))


def _narrow(column: Sequence[Any]) -> Sequence[Any] | None:
    """Return whole numbers in 8 bytes each; None if all of them are 0."""
    if not any(column) and None not in column:
        return None
    try:
        return array("q", column)
    except (TypeError, OverflowError):  # wall time that a sampler does not tell
        return column


class _Together:
    """Pieces that came one after another."""

    __slots__ = ("_columns", "_pieces", "begin_ns", "end_ns", "rows")

    def __init__(self, pieces: Sequence[WeighedStack], *, narrow: bool = False) -> None:
        self._pieces: Sequence[WeighedStack] = () if narrow else pieces
        self._columns = _Columns(pieces) if narrow else None
        self.rows = len(pieces)
        self.begin_ns = min([piece.t0_ns for piece in pieces])
        self.end_ns = max([piece.t1_ns for piece in pieces])

    def pieces(self) -> Iterable[WeighedStack]:
        """Return them, in their order."""
        return self._pieces if self._columns is None else self._columns.pieces()


class RecentPieces:
    """Pieces for so long, and not more of them than so many.

    Args:
        span_ns: What ended so long before the newest is let go.
        rows: So many at the most, but for what comes together.
    """

    def __init__(self, span_ns: int, rows: int) -> None:
        self._span_ns = span_ns
        self._most_rows = rows
        self._rows = 0
        self._old: deque[_Together] = deque()
        self._young: list[_Together] = []
        self._gone_ns: int | None = None
        """What was let go had ended by then; None: nothing was."""
        self._last_ns = 0

    def add(self, pieces: Sequence[WeighedStack]) -> tuple[int, int]:
        """Take pieces, one at least; return when the first of them begins and the last one ends."""
        old, young, new = self._old, self._young, _Together(pieces)
        young.append(new)
        self._rows += new.rows
        self._last_ns = max(self._last_ns, new.end_ns)
        if self._last_ns - young[0].end_ns > 2 * _YOUNG_NS:
            self._grow_old()
        gone_ns = self._last_ns - self._span_ns
        while old and (old[0].end_ns < gone_ns or self._rows > self._most_rows):
            gone = old.popleft()
            self._rows -= gone.rows
            self._gone_ns = max(self._gone_ns or 0, gone.end_ns)
        return new.begin_ns, new.end_ns

    def _grow_old(self) -> None:
        grown_ns = self._last_ns - _YOUNG_NS
        grown = list(takewhile(lambda each: each.end_ns < grown_ns, self._young))
        del self._young[: len(grown)]
        pieces = list(chain.from_iterable(each.pieces() for each in grown))
        self._old.append(_Together(pieces, narrow=True))

    def reach_back_to(self, t_ns: int) -> bool:
        """Tell whether all that went on after a moment is still here."""
        return self._gone_ns is None or t_ns >= self._gone_ns

    def between(self, t0_ns: int, t1_ns: int) -> Iterator[WeighedStack]:
        """Return those that lie in [t0, t1), or partly."""
        for together in chain(self._old, self._young):
            if together.end_ns > t0_ns and together.begin_ns < t1_ns:
                for piece in together.pieces():
                    if piece.t1_ns > t0_ns and piece.t0_ns < t1_ns:
                        yield piece
