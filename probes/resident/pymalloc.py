"""Python's own heap, read from outside: which arenas it has, and what of them is free.

CPython's pymalloc takes arenas of 1 MiB (256 KiB before 3.10) from the system, cuts them into
pools of 16 KiB (4 KiB) and keeps a list of them, an array of `struct arena_object`
(Objects/obmalloc.c):

    address       of the arena, 0 if this entry has none
    pool_address  up to which it was cut into pools: beyond that nothing was ever touched
    nfreepools    pools that are empty, those not cut yet included
    ntotalpools   63 or 64
    freepools, nextarena, prevarena

Where the pointer to that array stands differs between versions, its form does not: it is looked
for among the variables of the interpreter, once, and every reading is checked again. Arenas of
further interpreters, and a Python that uses another allocator (free-threaded builds,
PYTHONMALLOC=malloc), are not told.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left, bisect_right
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perftui.probes.resident.smaps import Kind

    Read = Callable[[int, int], bytes]
    """(address, size) to that many bytes; raises OSError."""

_ENTRY = struct.Struct("<QQIIQQQ")
_FIRST_ENTRIES = 16
"""INITIAL_ARENA_OBJECTS; the array is doubled when it is full."""
_MOST_ENTRIES = 1 << 22
_POOLS = (63, 64)
_MOST_VARIABLE_BYTES = 8 << 20
_MOST_ARENA_BYTES = 1 << 20
_PAGE = 4096
_MOST_PLACES = 16
_ALIGNED = 15
"""Bits that no address of malloc's has: the array comes from there."""
_WORTH_A_BLOCK = 4
_BLOCK_BYTES = 64 << 10
"""So many pointers into a stretch of this length, and it is read as a whole. Not more at once: what
an allocator has once given out in one piece of megabytes it keeps."""


class PythonHeap(NamedTuple):
    """Bytes that were touched, as all but a few of them are resident."""

    arenas: int
    used_bytes: int
    """In pools with at least one object."""
    free_bytes: int
    """In pools that are empty again."""
    within: dict[Kind, int]
    """All of it by what its mappings were taken for."""


class Arenas:
    """Finds the arenas of one process.

    Args:
        read: Reads its memory.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._places: list[int] = []
        """Addresses of pointers into the array; one of them points to its begin."""

    def heap(
        self, variables: Sequence[tuple[int, int]], writable: Sequence[tuple[int, int, Kind]]
    ) -> PythonHeap | None:
        """Return the heap now, None if there is none that can be found.

        Args:
            variables: Where the interpreter's variables are.
            writable: Where the array and the arenas may be, by address.
        """
        if not variables:
            return None
        space = _Space(writable)
        found = self._best(space)
        if found is None:
            self._places = self._look(variables, space)
            found = self._best(space)
        return None if found is None else _sum(found, space)

    def _best(self, space: _Space) -> list[tuple[int, ...]] | None:
        best: list[tuple[int, ...]] = []
        for place in self._places:
            try:
                array = int.from_bytes(self._read(place, 8), "little")
                entries = self._entries(array, space)
            except OSError:
                continue
            if len(entries) > len(best):
                best = entries
        return best or None

    def _look(self, variables: Sequence[tuple[int, int]], space: _Space) -> list[int]:
        places: list[int] = []
        low, high = space.low, space.high
        # The small ones first: in some versions it is there, and the others are a hundred times as
        # large. All pointers into the array are beside each other.
        for start, end in sorted(variables, key=lambda each: each[1] - each[0]):
            if places or end - start > _MOST_VARIABLE_BYTES:
                break
            try:
                words = memoryview(self._read(start, (end - start) & ~7)).cast("Q")
            except OSError:
                continue
            # Tens of thousands of words: what is asked of each must be little.
            pointers = {word for word in words if low <= word < high and not word & _ALIGNED}
            arrays = {
                pointer
                for pointer in self._beginnings(sorted(pointers), space)
                if self._entries(pointer, space)
            }
            if arrays:
                places += [start + 8 * n for n, word in enumerate(words) if word in arrays]
        return places[:_MOST_PLACES]

    def _beginnings(self, pointers: Sequence[int], space: _Space) -> Iterator[int]:
        """Yield those where an entry with an arena stands.

        Args:
            pointers: Addresses in order.
            space: Where there is any memory.
        """
        for start, end in space.ranges():
            first, last = bisect_left(pointers, start), bisect_left(pointers, end - _ENTRY.size + 1)
            while first < last:
                begin = pointers[first]
                beyond = begin + _BLOCK_BYTES - _ENTRY.size + 1
                upto = bisect_left(pointers, beyond, first, last)
                block = b""
                if upto - first >= _WORTH_A_BLOCK:
                    with suppress(OSError):
                        block = self._read(begin, min(_BLOCK_BYTES, end - begin))
                for pointer in pointers[first:upto]:
                    try:
                        entry = (
                            _ENTRY.unpack_from(block, pointer - begin)
                            if block
                            else _ENTRY.unpack(self._read(pointer, _ENTRY.size))
                        )
                    except OSError:
                        continue
                    if _fits(entry, space):
                        yield pointer
                first = upto

    def _entries(self, array: int, space: _Space) -> list[tuple[int, ...]]:
        """Return the entries that have an arena."""
        found: list[tuple[int, ...]] = []
        at, count = 0, _FIRST_ENTRIES
        while at < _MOST_ENTRIES:
            try:
                data = self._read(array + at * _ENTRY.size, count * _ENTRY.size)
            except OSError:
                break
            entries = [entry for entry in _ENTRY.iter_unpack(data) if entry[0]]
            if not entries:
                break
            good = [entry for entry in entries if _fits(entry, space)]
            if len(good) < len(entries):  # behind its end, or not one at all
                if at == 0 and len(good) < len(entries) // 2:
                    return []
                break_at = next(n for n, entry in enumerate(entries) if not _fits(entry, space))
                found += entries[:break_at]
                break
            found += entries
            at += count
            count = at  # it is twice as long, or ends here
        return found


class _Space:
    """Where memory without a file is."""

    def __init__(self, ranges: Sequence[tuple[int, int, Kind]]) -> None:
        self._ranges = sorted(ranges)
        self._starts = [start for start, _, _ in self._ranges]
        self.low = self._starts[0] if self._starts else 0
        self.high = self._ranges[-1][1] if self._ranges else 0

    def ranges(self) -> list[tuple[int, int]]:
        """Return [start, end) of each, in order."""
        return [(start, end) for start, end, _ in self._ranges]

    def has(self, address: int) -> bool:
        at = bisect_right(self._starts, address) - 1
        return at >= 0 and address < self._ranges[at][1]

    def kind(self, address: int) -> Kind:
        """Return what one that it has was taken for."""
        return self._ranges[bisect_right(self._starts, address) - 1][2]


def _fits(entry: tuple[int, ...], space: _Space) -> bool:
    address, pool_address, free, total, *_ = entry
    return (
        total in _POOLS
        and free <= total
        and address % _PAGE == 0
        and address < pool_address <= address + _MOST_ARENA_BYTES
        and space.has(address)
    )


def _sum(entries: Sequence[tuple[int, ...]], space: _Space) -> PythonHeap:
    # Pools are aligned to their size.
    pool_bytes = 16384 if all(entry[1] % 16384 == 0 for entry in entries) else 4096
    free = 0
    within: dict[Kind, int] = {}
    for address, pool_address, free_pools, total_pools, *_ in entries:
        first = -(-address // pool_bytes) * pool_bytes
        cut = (pool_address - first) // pool_bytes
        kind = space.kind(address)
        within[kind] = within.get(kind, 0) + pool_address - address
        free += max(free_pools - (total_pools - cut), 0) * pool_bytes
    touched = sum(within.values())
    return PythonHeap(len(entries), max(touched - free, 0), min(free, touched), within)


def reader_of(pid: int) -> tuple[Read, Callable[[], None]]:
    """Return a reader of a process's memory, and what closes it.

    Raises:
        OSError: we may not.
    """
    fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def read(address: int, size: int) -> bytes:
        data = os.pread(fd, size, address)
        if len(data) < size:
            raise OSError("not that much is mapped there")
        return data

    return read, lambda: os.close(fd)
