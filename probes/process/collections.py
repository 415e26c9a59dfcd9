"""Collections of cycles, read from outside: how many there were, and from 3.15 on what they took.

CPython keeps for each generation how often it was collected and how many objects that freed
(`gc.get_stats`). 3.15 keeps the last collections of each generation in a ring, with their times
and the sum of all durations; a counter tells whether the ring is being written. Nothing is loaded
into the program for it: one read a second and process.
"""

from __future__ import annotations

import os
import struct
import time
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.sampler.cpython.elf import DEBUG_COOKIE, find_runtime
from perftui.probes.sampler.cpython.layout import MEASURED, PUBLISHED
from perftui.probes.sampler.memory import MOST_ONE_PIECE, Memory
from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import Collected
from perftui.probes.spine.wakes import until_next_s
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Record

EVERY_S = 1.0
_TRIES = 5
"""A process that has no Python (yet) is looked at so often, ever more seldom."""
_MOST_PROCESSES = 64
_CANDIDATE = 0xC
_GC_IN_INTERPRETER = {11: 648, 12: 112}
"""Where an interpreter keeps what its collector knows: `offsetof` in the headers, see `layout`."""
_GC_WORDS = {13: 68, 14: 78, 15: 91}
"""Later it is published: the number of the word `gc.size` in `_Py_DebugOffsets`; `collecting` is
the next one, and in 3.15 the ring's size and place the fourth and fifth."""
_STATS_11_12 = 128
_COUNTS = struct.Struct("<9q")
"""Up to 3.14, right before `collecting`: (collections, collected, uncollectable) of each
generation."""
_ITEM = struct.Struct("<qqqqqqdq")
"""3.15: began, ended (monotonic ns), collections, collected, uncollectable, candidates, seconds
of all collections, objects in all."""
_RINGS = ((0, 11), (712, 3), (912, 3))
"""3.15: where each generation's ring begins, and how long it is; behind it the index of the newest
entry (one byte)."""
_RINGS_BYTES, _WRITES_AT = 1120, 1112
_MOST_PLACE = 1 << 20


class GenerationCounts(NamedTuple):
    """Of one generation, since the program began."""

    collections: int
    collected: int
    seconds: float | None
    """None where the interpreter does not keep it."""
    pauses: tuple[tuple[int, int], ...] = ()
    """(began, ended) of the last ones, monotonic ns."""


class _Pread(Memory):
    """The same memory by /proc: `Memory` has one buffer for all, and is the sampler's."""

    __slots__ = ("fd",)

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def read(self, address: int, size: int) -> bytes:
        if not 0 < size <= MOST_ONE_PIECE or not 0 <= address < 1 << 63:
            raise OSError(22, "size")
        found = os.pread(self.fd, size, address)
        if len(found) != size:
            raise OSError(14, "read")
        return found

    def close(self) -> None:
        os.close(self.fd)


class CollectorOf:
    """The collector of one process: the main interpreter's.

    Raises:
        OSError: the process is gone, may not be read, or has no Python (yet).
        ValueError: it has one of which we do not know how it counts.
    """

    def __init__(self, pid: int) -> None:
        self._memory = _Pread(pid)
        try:
            self._find()
        except (OSError, ValueError, struct.error):
            self._memory.close()
            raise

    def close(self) -> None:
        """Give everything back."""
        self._memory.close()

    def _find(self) -> None:
        memory = self._memory
        found = find_runtime(memory)
        if found is None:
            raise OSError(3, "no Python")
        minor = found.version >> 16 & 255
        known = minor in _GC_IN_INTERPRETER or minor in _GC_WORDS
        if found.version >> 24 != 3 or not known or found.version >> 4 & 15 < _CANDIDATE:
            raise ValueError("unknown version")
        self._ring = 0
        if minor in _GC_IN_INTERPRETER:
            offsets = MEASURED[minor]
            gc = _GC_IN_INTERPRETER[minor]
            self._at = gc + _STATS_11_12
        else:
            names = PUBLISHED[minor].split()
            count = _GC_WORDS[minor] + 5
            words = struct.unpack(f"<{count}Q", memory.read(found.address + 24, 8 * count))
            offsets = dict(zip(names, words, strict=False))
            gc, collecting = offsets["in.gc"], words[_GC_WORDS[minor] + 1]
            if memory.read(found.address, 8) != DEBUG_COOKIE or max(gc, collecting) > _MOST_PLACE:
                raise ValueError("another layout")
            self._at = gc + collecting - _COUNTS.size
            if minor >= 15:
                size, place = words[_GC_WORDS[minor] + 3 :][:2]
                if size != _RINGS_BYTES or place > _MOST_PLACE:
                    raise ValueError("another layout")  # free-threaded builds have other rings
                self._ring = gc + place
        interpreter = memory.word(found.address + offsets["rt.interpreters"])
        for _ in range(256):
            if not interpreter:
                raise OSError(3, "no interpreter")
            if memory.word(interpreter + offsets["in.id"]) == 0:
                break
            interpreter = memory.word(interpreter + offsets["in.next"])
        self._interpreter = interpreter

    def counts(self) -> tuple[GenerationCounts, ...] | None:
        """Return what each generation has; None while it is being written.

        Raises:
            OSError: the process is gone.
            ValueError: what is there cannot be counts.
        """
        if self._ring:
            told = self._rings()
        else:
            raw = _COUNTS.unpack(self._memory.read(self._interpreter + self._at, _COUNTS.size))
            told = tuple(
                GenerationCounts(n, objects, None)
                for n, objects in zip(raw[::3], raw[1::3], strict=True)
            )
        if told is not None and any(
            not 0 <= each.collections < 1 << 48 or not 0 <= each.collected < 1 << 56
            for each in told
        ):
            raise ValueError("no counts")
        return told

    def _rings(self) -> tuple[GenerationCounts, ...] | None:
        at = self._memory.word(self._interpreter + self._ring)
        raw = self._memory.read(at, _RINGS_BYTES)
        writes = raw[_WRITES_AT : _WRITES_AT + 4]
        if self._memory.read(at + _WRITES_AT, 4) != writes:
            return None
        told = []
        for begin, length in _RINGS:
            items = [_ITEM.unpack_from(raw, begin + n * _ITEM.size) for n in range(length)]
            newest = max(items, key=lambda item: item[2])
            pauses = tuple((item[0], item[1]) for item in items if item[1] > item[0] > 0)
            told.append(GenerationCounts(newest[2], newest[3], newest[6], pauses))
        return tuple(told)


class OutsideCollections:
    """A probe: what the collectors of some processes did, once a second.

    Args:
        log: Where it goes.
        pids: Returns the processes of the tree that are alive.
    """

    def __init__(self, log: SessionLog, pids: Callable[[], Sequence[int]]) -> None:
        self._log = log
        self._pids = pids
        self._stopping = Event()
        self._thread = ProbeThread(log, "collections of cycles", self._run, "perftui-collections")
        self._known: dict[int, CollectorOf] = {}
        self._before: dict[int, tuple[int, tuple[GenerationCounts, ...]]] = {}
        self._tries: dict[int, int] = {}
        self._sweeps = 0

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if self._thread.end():
            for collector in self._known.values():
                collector.close()
            self._known.clear()

    def _run(self) -> None:
        ends = False
        while True:
            self._log.extend(self.sweep(time.monotonic_ns()))
            if ends:
                return
            ends = self._stopping.wait(until_next_s(time.monotonic_ns(), EVERY_S))

    def sweep(self, t_ns: int) -> list[Record]:
        """Read all processes once; return what their collectors did since the last time."""
        pids = self._pids()
        self._sweeps += 1
        for gone in self._known.keys() - set(pids):
            self._forget(gone)
        for gone in self._tries.keys() - set(pids):
            del self._tries[gone]
        rows: list[Record] = []
        for pid in pids:
            rows += self._of(pid, t_ns)
        return rows

    def _of(self, pid: int, t_ns: int) -> list[Record]:
        collector = self._known.get(pid)
        try:
            if collector is None:
                tries = self._tries.get(pid, 0)
                if (
                    tries > _TRIES
                    or self._sweeps % (1 << tries)
                    or len(self._known) >= _MOST_PROCESSES
                ):
                    return []
                self._tries[pid] = tries + 1
                collector = self._known[pid] = CollectorOf(pid)
            counts = collector.counts()
        except (ValueError, struct.error):
            self._forget(pid)
            self._tries[pid] = _TRIES + 1
            return []
        except OSError:
            self._forget(pid)  # it ends, or has become another program
            return []
        if counts is None:
            return []
        before = self._before.get(pid)
        self._before[pid] = t_ns, counts
        if before is None:
            return []
        told = between(pid, *before, t_ns, counts)
        if told is None:
            self._forget(pid)
            return []
        return told

    def _forget(self, pid: int) -> None:
        collector = self._known.pop(pid, None)
        self._before.pop(pid, None)
        if collector is not None:
            with suppress(OSError):
                collector.close()


def between(
    pid: int,
    t0_ns: int,
    old: Sequence[GenerationCounts],
    t1_ns: int,
    new: Sequence[GenerationCounts],
) -> list[Record] | None:
    """Return what each generation did between two readings, None if they are of two programs."""
    rows: list[Record] = []
    for generation, (was, now) in enumerate(zip(old, new, strict=True)):
        n = now.collections - was.collections
        if n < 0:
            return None
        if n == 0:
            continue
        pause_ns = longest_ns = timed = 0
        if now.seconds is not None and was.seconds is not None:
            timed = n
            pause_ns = max(round((now.seconds - was.seconds) * NS_PER_S), 0)
            lately = [end - begin for begin, end in now.pauses if end > t0_ns]
            longest_ns = min(max(lately, default=0), pause_ns)
        objects = max(now.collected - was.collected, 0)
        row = Collected(t1_ns, pid, t0_ns, generation, n, timed, pause_ns, longest_ns, objects)
        rows.append(row)
    return rows
