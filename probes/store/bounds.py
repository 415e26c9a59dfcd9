"""Lists of events that stay bounded: what is left out is counted, the recording has it all."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Bounded(Generic[T]):
    """What is kept of a list that grows.

    Args:
        keep: How many at most.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._items: list[T] = []
        self.left_out = 0

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> T:
        return self._items[index]


class Thinning(Bounded[T]):
    """Events in the order of arrival, the newer half whole, older ones ever more thinly."""

    def append(self, item: T) -> None:
        """Add one."""
        self._items.append(item)
        if len(self._items) > self._keep:
            half = self._keep // 2
            before = len(self._items)
            self._items[:half] = self._items[:half:2]
            self.left_out += before - len(self._items)


class Longest(Bounded[T]):
    """Spans in the order of their begin: those that last, the newest, and the longest of the rest.

    Args:
        keep: How many at most.
        length_of: Returns how long a span was, None while it lasts.
    """

    def __init__(self, keep: int, length_of: Callable[[T], int | None]) -> None:
        super().__init__(keep)
        self._length_of = length_of

    def append(self, item: T) -> None:
        """Add one that begins."""
        self._items.append(item)
        if len(self._items) > self._keep:
            self._thin()

    def _thin(self) -> None:
        """Leave the shortest eighth of the older half out, so that this is seldom done."""
        ended = []
        for at, item in enumerate(self._items[: self._keep // 2]):
            length = self._length_of(item)
            if length is not None:
                ended.append((length, at))
        gone = {at for _, at in nsmallest(self._keep // 8 + 1, ended)}
        if not gone:  # all of them last: the oldest go, or there is no bound
            gone = set(range(self._keep // 8 + 1))
        self._items = [item for at, item in enumerate(self._items) if at not in gone]
        self.left_out += len(gone)

    def between(self, first: int, end: int) -> list[T]:
        """Return those at first..end."""
        return self._items[first:end]
