"""When it is told what RSS is made of: by what it costs, on a thread of its own.

A reading of the mappings takes the kernel a walk through all pages: some 10 ms for each GB in
pages of 4 KiB, and some 5 µs a mapping. All processes of a family are read one after another, so
that their sum is of one moment; then there is a pause.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from threading import Event, Lock
from typing import TYPE_CHECKING

from perftui.probes.process.pace import CostPace
from perftui.probes.resident.parts import GivenOut, Part, coarse_parts, parts_of
from perftui.probes.resident.pymalloc import Arenas, reader_of
from perftui.probes.resident.smaps import read_mappings
from perftui.probes.spine.derived import POOL_HOLD_NS
from perftui.probes.spine.probe_thread import ProbeThread, say_failed
from perftui.probes.spine.records import MemoryPart, Notice
from perftui.probes.spine.wakes import next_ns
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.resident.pymalloc import PythonHeap
    from perftui.probes.resident.smaps import Mappings
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Record

EVERY_S = 1.0
CORE = 0.0045
"""Of one core, for all of it."""
SWEEP_NS = 100_000_000
"""Of CPU, for all processes at one time: those that are left, the smaller ones, are told in three
parts by /proc/PID/status. At the share above this is paid for in 20 s."""
CALM_NS = 3 * NS_PER_S
"""For so long nothing is read again of a family whose RSS stands still, and that tells nothing new
of its allocators: what it is made of can have changed by what came and went in the same second."""
CALM_BYTES = 256 * 1024
LOOK_S = 0.25
"""How often it is looked whether a reading has been paid for."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MOST_POOLS = 64
_MOST_PROCESSES = 4_096
"""A program may make names up, and processes that are none of its family."""
_HEAP_LOOKS = 3
"""Python's list of arenas is looked for so often in vain, then ever more seldom."""


class ResidentProbe:
    """A sink, for what allocators say, and a probe: connect it to the log, then start it.

    Args:
        log: Where the parts go.
        pids: Returns the processes of the tree that are alive.
        dear: Share of the usual CPU that it may cost.
    """

    def __init__(
        self, log: SessionLog, pids: Callable[[], Sequence[int]], *, dear: float = 1.0
    ) -> None:
        self._log = log
        self._pids = pids
        self._stopping = Event()
        self._thread = ProbeThread(log, "what RSS is made of", self._run, "perftui-resident")
        self._telling = Lock()
        self._given: dict[int, dict[str, tuple[int, GivenOut]]] = {}
        """By process and pool: when it was told, and what."""
        self._known: dict[int, _Process] = {}
        self._pace = CostPace(CORE * dear, room_s=4.0)
        self._told_ns = -CALM_NS
        self._said_coarse = self._failed = False

    def ingest(self, batch: Batch) -> None:
        """Remember what allocators say."""
        if batch.pools:
            with self._telling:
                for record, _ in batch.pools:
                    if record.pid not in self._given and len(self._given) >= _MOST_PROCESSES:
                        continue
                    told = self._given.setdefault(record.pid, {})
                    if record.name in told or len(told) < _MOST_POOLS:
                        said = GivenOut(record.bytes, record.backend)
                        told[record.name] = (record.t_ns, said)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if self._thread.end():
            for process in self._known.values():
                process.close()

    def _run(self) -> None:
        due_ns = time.monotonic_ns()
        while not self._stopping.wait(max(due_ns - time.monotonic_ns(), 0) / NS_PER_S):
            now_ns = time.monotonic_ns()
            due_ns = now_ns + round(LOOK_S * NS_PER_S)
            if not self._pace.may(now_ns):
                continue
            began_ns = time.thread_time_ns()
            try:
                rows = self._sweep()
                if rows:
                    self._log.extend(rows)
            except Exception as error:  # one reading less, not all readings
                if not self._failed:
                    self._failed = True
                    say_failed(self._log, "some readings of what RSS is made of", error)
            self._pace.took(time.thread_time_ns() - began_ns)
            due_ns = next_ns(now_ns, round(EVERY_S * NS_PER_S))

    def _sweep(self) -> list[Record]:
        pids = self._pids()
        for gone in self._known.keys() - set(pids):
            self._known.pop(gone).close()
            with self._telling:
                self._given.pop(gone, None)
        rows: list[Record] = []
        began_ns = time.thread_time_ns()
        t_ns = time.monotonic_ns()
        if t_ns - self._told_ns < CALM_NS and not self._moved(pids):
            return []
        self._told_ns = t_ns
        for pid in sorted(pids, key=lambda pid: -self._size(pid)):
            process = self._known.get(pid)
            if process is None:
                process = self._known[pid] = _Process(pid)
            paid = time.thread_time_ns() - began_ns < SWEEP_NS
            given = self._given_lately(pid)
            process.begin(given)
            parts = process.parts(given) if paid else process.coarse()
            process.rss_bytes = sum(part.rss_bytes for part in parts)
            rows += (MemoryPart(t_ns, pid, *part) for part in parts)
            if parts and process.refused and not self._said_coarse:
                self._said_coarse = True
                text = f"process {pid}: its mappings may not be read ({process.refused})"
                rows.append(
                    Notice(t_ns, "info", f"{text}: of its memory only three parts are told")
                )
        return rows

    def _moved(self, pids: Sequence[int]) -> bool:
        """Tell whether anybody has another RSS than when it was told, or other allocators."""
        known = self._known
        return len(known) != len(pids) or any(
            pid not in known or known[pid].moved(self._given_lately(pid)) for pid in pids
        )

    def _size(self, pid: int) -> int:
        process = self._known.get(pid)
        return 0 if process is None else process.rss_bytes

    def _given_lately(self, pid: int) -> dict[str, GivenOut]:
        now_ns = time.monotonic_ns()
        with self._telling:
            told = self._given.get(pid, {})
            return {
                name: said for name, (t_ns, said) in told.items() if now_ns - t_ns <= POOL_HOLD_NS
            }


class _Process:
    """One process that is read again and again."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.rss_bytes = 0
        """As read last."""
        self._resident_bytes = 0
        self._given: dict[str, GivenOut] = {}
        """RSS by the kernel's quick count, and what its allocators had told, right before that."""
        self.refused = ""
        """Why its mappings may not be read."""
        self._close: Callable[[], None] | None = None
        self._arenas: Arenas | None = None
        self._where = 0
        """Address of its interpreter."""
        self._in_vain = 0

    def begin(self, given: dict[str, GivenOut]) -> None:
        """Call before it is read: keeps what `moved` compares with."""
        self._resident_bytes, self._given = self._resident(), given

    def moved(self, given: dict[str, GivenOut]) -> bool:
        """Tell whether it is another one than when it was read, by one small read."""
        if given != self._given:
            return True
        return abs(self._resident() - self._resident_bytes) >= CALM_BYTES

    def _resident(self) -> int:
        try:
            with open(f"/proc/{self._pid}/statm", "rb") as file:  # noqa: PTH123 - often
                return int(file.read().split(None, 2)[1]) * _PAGE_BYTES
        except (OSError, ValueError, IndexError):
            return -CALM_BYTES

    def parts(self, given: dict[str, GivenOut]) -> list[Part]:
        """Return what its RSS is made of now; nothing if it has ended."""
        if not self.refused:
            try:
                with open(f"/proc/{self._pid}/smaps", "rb") as file:  # noqa: PTH123 - often
                    text = file.read()
            except PermissionError as error:
                self.refused = error.strerror or "no right"
            except OSError as error:
                # The kernel was built without it, or the process has ended.
                if not os.path.exists("/proc/self/smaps"):  # noqa: PTH110
                    self.refused = error.strerror or "not there"
            else:
                mappings = read_mappings(text)
                if not mappings.rss_bytes:
                    return []
                return parts_of(mappings, self._heap(mappings), given)
        return self.coarse()

    def _heap(self, mappings: Mappings) -> PythonHeap | None:
        if not mappings.interpreter:
            return None
        where = mappings.interpreter[0][0]
        if where != self._where:  # it has become another by exec: what is open is of the old one
            self.close()
            self._where, self._in_vain = where, 0
        if self._in_vain > _HEAP_LOOKS and self._in_vain & (self._in_vain - 1):
            self._in_vain += 1
            return None
        heap = None
        with suppress(OSError):
            if self._arenas is None:
                read, self._close = reader_of(self._pid)
                self._arenas = Arenas(read)
            heap = self._arenas.heap(mappings.interpreter, mappings.writable)
        self._in_vain = 0 if heap is not None else self._in_vain + 1
        return heap

    def coarse(self) -> list[Part]:
        """Return the three parts that everybody may know."""
        try:
            with open(f"/proc/{self._pid}/status", "rb") as file:  # noqa: PTH123 - often
                text = file.read()
        except OSError:
            return []
        values = []
        for name in (b"VmRSS", b"RssAnon", b"RssFile", b"RssShmem"):
            at = text.find(b"\n" + name + b":")
            if at < 0:
                return []
            values.append(int(text[at:].split(None, 2)[1]) * 1024)
        return coarse_parts(*values)

    def close(self) -> None:
        """Let go of its memory."""
        if self._close is not None:
            self._close()
        self._close = self._arenas = None
