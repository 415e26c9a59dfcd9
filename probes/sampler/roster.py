"""Which kernel threads a process has, and which of them ran lately."""

from __future__ import annotations

import os
import time

from . import stream
from .cpython.identity import Gone
from .stream import Writer
from .threads import KernelThread, namespace_number

HOT_SWEEPS = 50
"""A thread that ran within so many sweeps is read whether or not it is known to have run."""
_RAN_SWEEPS = 8
"""Who ran within so many may have started a process since its children were listed last."""
_MOST_THREADS = 20_000
_RUNNING = ord("R")


class Roster:
    """The threads of one process.

    Raises:
        OSError: there is no such process.
    """

    next_thread = 0
    """Number of the next thread in the stream, over all processes."""

    def __init__(self, pid: int, process: int, writer: Writer, born: bool, schedstat: str) -> None:
        self._pid = pid
        self._process = process
        self._writer = writer
        self._born = born
        """Whether all that its threads have used so far belongs to this session."""
        self._schedstat = schedstat
        self._folder = os.open(f"/proc/{pid}/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._links = -1
        self.threads: dict[int, KernelThread] = {}
        self.hot: list[KernelThread] = []
        """Those that ran lately."""
        self.ended: list[int] = []
        """Numbers of threads that have ended, as the interpreter knows them; for who maps them."""

    def look(self) -> bool:
        """List the threads again if they may be others than before; return whether so.

        Raises:
            Gone: the process has ended.
        """
        try:
            links = os.fstat(self._folder).st_nlink
        except OSError:
            raise Gone from None
        if links == self._links:
            return False
        self._list()
        return True

    def doubt(self) -> None:
        """A thread could not be read: it may have ended, and another have come."""
        self._links = -1

    def _list(self) -> None:
        try:
            found = os.listdir(self._folder)[:_MOST_THREADS]
            self._links = os.fstat(self._folder).st_nlink
        except OSError:
            raise Gone from None
        tids = {int(name) for name in found}
        if not tids:
            raise Gone
        other_namespace = namespace_number(f"/proc/{self._pid}") not in (0, self._pid)
        for tid in tids - self.threads.keys():
            native = tid
            if other_namespace:
                native = namespace_number(f"/proc/{self._pid}/task/{tid}") or tid
            try:
                thread = KernelThread(
                    tid, native, Roster.next_thread, self._folder, self._schedstat
                )
            except FileNotFoundError:
                if self._schedstat and os.path.exists(f"/proc/{self._pid}/task/{tid}/stat"):
                    self._schedstat = ""  # a kernel without it
                    self._links = -1
                continue
            except (OSError, ValueError):
                continue
            Roster.next_thread += 1
            thread.born = self._born
            self.threads[tid] = thread
            self.hot.append(thread)
            used = 0 if self._born else thread.cpu_ns
            fields = (thread.index, self._process, tid, time.monotonic_ns(), used)
            self._writer.block(
                stream.THREAD, stream.THREAD_FIELDS.pack(*fields) + stream.text(thread.comm)
            )
        for tid in self.threads.keys() - tids:
            self._drop(self.threads[tid])
        self._born = True  # who comes later has used nothing before

    def _drop(self, thread: KernelThread) -> None:
        self.threads.pop(thread.tid, None)
        if thread in self.hot:
            self.hot.remove(thread)
        self.ended.append(thread.native)
        thread.close()
        fields = (thread.index, time.monotonic_ns())
        self._writer.block(stream.ENDED, stream.ENDED_FIELDS.pack(*fields))

    def cool(self) -> None:
        """Those that have not run for long are no longer hot."""
        self.hot = [thread for thread in self.hot if thread.cold < HOT_SWEEPS]

    def awake(self, stand: list[KernelThread]) -> list[KernelThread]:
        """Return the hot ones but those that have slept on since they were read.

        Args:
            stand: Takes those that have stood in the queue for a CPU since, of whom a record can
                be made without reading them.
        """
        awake = []
        for thread in self.hot:
            try:
                if thread.stands is not None:
                    if thread.stands_on():
                        stand.append(thread)
                        continue
                    thread.stands = None
                quiet = thread.cold > 1 and thread.state != _RUNNING
                if quiet and not thread.may_have_moved() and thread.sleeps_on():
                    thread.cold += 1
                    if thread.faulting > 0:
                        thread.faulting -= 1
                    continue
            except OSError:
                self.doubt()
            awake.append(thread)
        return awake

    def woken(self) -> tuple[list[KernelThread], dict[KernelThread, tuple[int, int]]]:
        """Ask all that are not hot; return who ran, and its CPU and run-queue ns."""
        woken: list[KernelThread] = []
        usage: dict[KernelThread, tuple[int, int]] = {}
        hot = set(self.hot)
        for thread in list(self.threads.values()):
            if thread in hot:
                continue
            try:
                used = thread.read_usage()
            except (OSError, ValueError):
                self.doubt()
                continue
            if used[0]:
                woken.append(thread)
                usage[thread] = used
        return woken, usage

    def children(self, all_of_them: bool) -> set[int]:
        """Return the processes started by threads that ran lately, or by `all_of_them`."""
        found: set[int] = set()
        for thread in list(self.threads.values()) if all_of_them else self.hot:
            if all_of_them or thread.cold < _RAN_SWEEPS:
                try:
                    found.update(thread.children())
                except (OSError, ValueError):
                    continue
        return found

    def close(self) -> None:
        """Give everything back, and say that all threads have ended."""
        for thread in list(self.threads.values()):
            self._drop(thread)
        os.close(self._folder)
