"""The processes of a tree: found while they are young, followed when they leave it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from perftui.probes.process.baseline import Baseline
from perftui.probes.process.face import ProcessGone
from perftui.probes.process.new_pids import NewPids
from perftui.probes.process.opening import open_process
from perftui.probes.process.rank import rank_of
from perftui.probes.spine.records import ProcessStart
from perftui.probes.text.redact import redact_argv
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.process.face import ProcessReader
    from perftui.probes.process.family_mark import FamilyMark
    from perftui.probes.spine.records import Record

YOUNG_NS = NS_PER_S
"""So long a new process may still exec, or give itself its title: then it is told again."""
LOOK_EVERY_NS = NS_PER_S
"""Everybody's children are looked up this often though no pid was given out."""
LOOK_BLIND_NS = NS_PER_S // 4
"""The same where the system does not tell of new pids."""
_UNKNOWN = -1
_DEAREST_SHARE = 50
"""Looking takes no more than a part of this of the time, whatever the machine starts."""


class ProcessFamily:
    """Readers of the tree's living processes, by pid.

    Args:
        root: Where the tree begins.
        mark: What its processes carry, wherever they go; None: only children are found.
        attached: The root was found running: what it and its children used until now is not
            this session's.
    """

    def __init__(self, root: int, mark: FamilyMark | None = None, attached: bool = False) -> None:
        self._root = root
        self._mark = mark
        self._began_s = time.monotonic() if attached else None
        self._new_pids = NewPids() if mark is None else mark.new_pids
        self._looked_ns: int | None = None
        self._next_ns = 0
        self._strangers: set[int] | None = None
        """Pids of processes that have been looked at."""
        self._somebody_new = self._once_more = False
        self._known: set[str] = set()
        self._young: dict[int, ProcessStart] = {}
        self._argv: dict[int, tuple[str, ...]] = {}
        self._titles: dict[int, tuple[str, ...]] = {}
        """What somebody calls a process, by pid; who that is ends with the process."""
        self._root_rank: int | None = _UNKNOWN
        self.readers: dict[int, ProcessReader] = {}
        self.baselines: dict[int, Baseline] = {}
        """Of those that ran before us."""
        self.fresh: set[int] = set()
        """Not read yet."""

    def calm(self, t_ns: int) -> bool:
        """Tell whether `look` would find that there is nothing to look for."""
        looked_ns = self._looked_ns
        if looked_ns is None or t_ns - looked_ns >= LOOK_EVERY_NS:
            return False
        return not (self._somebody_new or self._young or self.fresh) and self._new_pids.none()

    def look(self, t_ns: int) -> list[Record]:
        """Open readers for who is new; returns what is to be told of it.

        To be called at every tick: it knows itself when there is nothing to look for.
        """
        # Only marked processes are looked for by their numbers.
        new_pids = [] if self._mark is None else self._new_pids.take()
        every_ns = LOOK_EVERY_NS if self._new_pids.known else LOOK_BLIND_NS
        due = self._looked_ns is None or t_ns - self._looked_ns >= every_ns
        if new_pids or (self._mark is None and self._new_pids.moved()):
            # Twice: of who runs just now the kernel may not have counted the CPU that tells us
            # to ask for its children.
            self._somebody_new = self._once_more = True
        started: list[Record] = []
        if self._mark is not None:
            started += self._marked(t_ns, self._mark, new_pids)
            if due:
                started += self._marked(t_ns, self._mark, self._passed_over(new_pids))
        if due or (self._somebody_new and t_ns >= self._next_ns):
            began_ns = time.monotonic_ns()
            started += self._descend(t_ns)
            self._looked_ns = t_ns
            self._somebody_new, self._once_more = self._once_more, False
            self._next_ns = t_ns + _DEAREST_SHARE * (time.monotonic_ns() - began_ns)
        return [*started, *self._renamed(t_ns)]

    def _passed_over(self, new_pids: list[int]) -> set[int]:
        """Return pids that were given out and had nobody to look at yet: seldom there is one."""
        pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208
        if self._strangers is None:  # the machine as it was before
            self._strangers = pids.difference(new_pids)
        found = pids - self._strangers
        self._strangers = pids
        return found

    def _marked(self, t_ns: int, mark: FamilyMark, pids: Iterable[int]) -> list[Record]:
        started: list[Record] = []
        for pid in pids:
            if pid not in self.readers and mark.is_on(pid):
                started += self._open(t_ns, pid, not_child_of=os.getpid())
        return started

    def _descend(self, t_ns: int) -> list[Record]:
        started: list[Record] = []
        # The root is opened once: later its number may be another's.
        frontier = [self._root] if self._looked_ns is None else list(self.readers)
        seen: set[int] = set()
        while frontier:
            pid = frontier.pop()
            if pid in seen:
                continue
            seen.add(pid)
            if pid not in self.readers:
                started += self._open(t_ns, pid)
            reader = self.readers.get(pid)
            if reader is not None:
                frontier.extend(reader.children())
        return started

    def adopt(self, t_ns: int, pid: int, title: tuple[str, ...]) -> list[Record]:
        """Take a process in that is no descendant; `title` is told in place of its command line.

        Returns what is to be told of it; one that cannot be read is not in `readers` after.
        """
        known = pid in self.readers
        self._titles[pid] = title
        if not known:
            told = list(self._open(t_ns, pid))
            if pid not in self.readers:
                del self._titles[pid]
            return told
        if self._argv.get(pid) == title:
            return []
        self._argv[pid] = title
        start = ProcessStart(t_ns, pid, self.readers[pid].ppid, title)
        if pid in self._young:
            self._young[pid] = start
        return [start]

    def _name(self, reader: ProcessReader) -> tuple[str, ...]:
        """Return what a process is called."""
        title = self._titles.get(reader.pid)
        if title is not None:
            return title
        argv = redact_argv(reader.argv())
        if not argv or reader.pid == self._root:
            return argv
        if self._root_rank == _UNKNOWN:
            self._root_rank = rank_of(self._root)
        # Where the root has one, all that it starts inherit it.
        rank = None if self._root_rank is not None else rank_of(reader.pid)
        return argv if rank is None else (f"rank {rank}", *argv)

    def _open(self, t_ns: int, pid: int, not_child_of: int | None = None) -> Iterable[Record]:
        """Begin to read a process; its start is told if it is the first time."""
        try:
            reader = open_process(pid)
        except ProcessGone:
            return ()
        if not reader.leads() or (not_child_of == reader.ppid and pid != self._root):
            reader.close()  # a thread's number, or a process of our own
            return ()
        self.readers[pid] = reader
        self.fresh.add(pid)
        if self._began_s is not None and reader.age_s() > time.monotonic() - self._began_s:
            self.baselines[pid] = Baseline()
        if reader.start_key in self._known:
            return ()
        self._known.add(reader.start_key)
        argv = self._name(reader)
        start = self._young[pid] = ProcessStart(t_ns, pid, reader.ppid, argv)
        self._argv[pid] = argv
        return (start,)

    def _renamed(self, t_ns: int) -> list[Record]:
        """Return young processes anew that have another command line than when first seen."""
        renamed: list[Record] = []
        for pid, start in list(self._young.items()):
            reader = self.readers.get(pid)
            argv = () if reader is None else self._name(reader)
            if argv and argv != start.argv:
                start = self._young[pid] = start._replace(argv=argv)
                self._argv[pid] = argv
                renamed.append(start)
            if reader is None or t_ns - start.t_ns > YOUNG_NS:
                del self._young[pid]
        return renamed

    def ended(self, pid: int) -> None:
        """Let go of a process that has ended."""
        self.readers.pop(pid).close()
        self.baselines.pop(pid, None)
        self._argv.pop(pid, None)
        self._titles.pop(pid, None)
        self.fresh.discard(pid)

    def others(self) -> list[tuple[int, tuple[str, ...]]]:
        """Return pid and command line of those that live besides the root."""
        found = []
        for pid, reader in list(self.readers.items()):
            try:
                reader.fast(0)
            except ProcessGone:
                continue
            if pid != self._root:
                found.append((pid, self._name(reader) or self._argv.get(pid, ())))
        return found

    def close(self) -> None:
        """Let go of every process."""
        for reader in self.readers.values():
            reader.close()
        self._new_pids.close()
