"""One look at threads of a process: where are they, and what did they use?

The order of the reads decides what the figures are worth. Of threads that ran lately the stack
is read first, with the GIL in the same call; their state right after; what they used last. So a
burst of work that is shorter than the sweep is seen with its stack, and its CPU is in the record.
"""

from __future__ import annotations

import time

from . import stream
from .guess import Guess
from .memory import Buffer, Memory
from .reading.batch import ReadPlan
from .reading.walk import NOTHING, Read
from .roster import HOT_SWEEPS, Roster
from .runtime import Runtime
from .stream import Writer
from .tally import SecondTally
from .threads import CROWDED, KernelThread
from .wake import wake

RUNNING, SLEEPING = ord("R"), ord("S")
_FAULTING_SWEEPS = 200
_WAIT_EVERY = 16
_LAST_LOOK = 12
"""Sweeps since it ran after which the stack of a thread is no longer tried to be read."""
_LOCK, _GIL, _FUTEX = map(stream.WAITS.index, ("lock", "gil", "futex"))
_BRIEF_NS = 500_000
"""Whoever works in shorter pieces may be met too rarely: see docs/sampler.md."""
_NOT_TO_REPEAT = stream.FAILED | stream.UNSTEADY
_NOTHING_USED = 0, 0, 0, 0
_LONGEST_WINDOW_NS = 600_000
"""Of a stack and what is asked about it: in a longer one the sampler itself was off the CPU."""

_group = Buffer()
_now = time.monotonic_ns


class Look:
    """Reads threads of one process and writes their records."""

    def __init__(
        self, memory: Memory, python: Runtime, roster: Roster, tally: SecondTally, writer: Writer
    ) -> None:
        self._memory = memory
        self._python = python
        self._walker = python.walker
        self._batches = python.walker.batches
        self._interpreters = python.interpreters
        self._tasks = python.tasks
        self._roster = roster
        self._tally = tally
        self._writer = writer
        self.attempted = self.good = 0
        """Stacks that were to be read, and that were, since `threads` began."""

    def threads(
        self,
        now: int,
        threads: list[KernelThread],
        usage: dict[KernelThread, tuple[int, int]] | None,
    ) -> int:
        """Read `threads`; return the CPU ns that they used since they were read before.

        Args:
            now: Time of the records.
            threads: Whom to read.
            usage: CPU and run-queue ns of each, if that was asked already.
        """
        used = at = self.attempted = self.good = 0
        while at < len(threads):
            group, pieces, total = self._batches.group(threads, at)
            at += len(group)
            used += self._read(now, group, pieces, total, usage)
        return used

    def _read(
        self,
        now: int,
        group: list[tuple[KernelThread, list[ReadPlan]]],
        pieces: list[int],
        total: int,
        usage: dict[KernelThread, tuple[int, int]] | None,
    ) -> int:
        """Read one batch and what the kernel says to it; write the records, return CPU ns."""
        interpreters, roster, writer = self._interpreters, self._roster, self._writer
        self._read_faults(group)
        start = _now()
        self._walker.begin_batch()
        whole = total > 0 and self._memory.gather(_group, pieces, total)
        holders: list[int] = []
        if whole:
            self._walker.end_batch(_group)
            holders = interpreters.holders(_group.bytes)
            if any(holders):
                self._ask_holders(group, holders)
        for thread, _ in group:
            try:
                thread.new_faults = thread.read_state()
                if (
                    thread.crowded >= CROWDED
                    and thread.state == RUNNING
                    and thread.early is None
                    and thread.worth_asking()
                ):
                    thread.read_switches()
                elif thread.drifted and thread.state == SLEEPING:
                    thread.learn_drift()
            except (OSError, ValueError, IndexError):
                thread.new_faults = -1
                roster.doubt()
        window = _now() - start
        if whole and interpreters.changed(_group.bytes):
            self._python.stale = True
        used_ns = 0
        for thread, plans in group:
            new_faults = thread.new_faults
            if new_faults < 0:
                thread.cold += 1
                continue
            running = thread.state == RUNNING
            asked, early, kept = thread.asked, thread.early, False
            if early is not None and running:
                cpu_ns, queue_ns = early  # some µs ago: what came since is the next record's
            else:
                try:
                    cpu_ns, queue_ns = thread.read_usage()
                except (OSError, ValueError):
                    roster.doubt()
                    continue
                if early is not None:
                    cpu_ns += early[0]
                    queue_ns += early[1]
                elif asked:
                    thread.judge_on_cpu()
                    if thread.on_cpu and window > _LONGEST_WINDOW_NS:
                        thread.on_cpu = False  # we were kept from asking right away
                        kept = True
            if asked and running and thread.on_cpu is False:
                thread.judge_why_off()
            if usage is not None:
                cpu_ns += usage[thread][0]
                queue_ns += usage[thread][1]
            used_ns += cpu_ns
            cold, thread.cold = thread.cold, 0
            known = thread.seen or thread.born
            if not thread.seen:
                thread.seen = True
                if not cpu_ns and not running:
                    thread.cold = HOT_SWEEPS  # it sleeps, and has since before we came
                cpu_ns = thread.cpu_ns if thread.born else cpu_ns
            elif not cpu_ns and not running and not _holds(plans, holders):
                thread.cold = cold + 1
                if not (thread.may_have_moved() and self._has_moved(thread, plans, whole, holders)):
                    if thread.faulting > 0:
                        thread.faulting -= 1
                    continue
            if new_faults:
                thread.faulting = _FAULTING_SWEEPS
            elif thread.faulting > 0:
                thread.faulting -= 1
            read, guess, holder = self._stack(plans, whole, holders)
            thread.node, thread.moved = read.node, cpu_ns > 0 or read.failed or read.unsteady
            held = guess is not None and holder == guess.state
            flags = stream.GIL_HELD if held else 0
            if asked and thread.on_cpu is not None and (running or early is not None):
                flags |= stream.ON_CPU if thread.on_cpu else stream.QUEUED
                # Without the GIL it may have woken somebody who let us run: then we had to wait.
                if thread.biased or not (held or wake.at_once):
                    flags |= stream.BIASED
            turns = thread.turns() if cpu_ns else 0
            if turns > 1 and known and cpu_ns < turns * _BRIEF_NS:
                flags |= stream.BRIEF
            in_window = wait = 0
            if thread.faults_before >= 0 and window < _LONGEST_WINDOW_NS:
                flags |= stream.WINDOW_VALID
                in_window = thread.faults - thread.faults_before
            if running:
                thread.awake += 1
                if guess is not None:
                    self._tally.awake += 1
                    self._tally.again += read.again
            else:
                thread.awake = 0
                wait = self._wait(thread, read.node, guess, taken=holder != 0 and not held)
            if read.failed or read.unsteady:
                flags |= self._torn(read)
            task = -1
            if guess is not None and guess.task and self._tasks.running_offset:
                task = self._tasks.task(guess.task)
            tally = self._tally
            tally.samples += 1
            tally.cpu_ns += cpu_ns
            amounts = cpu_ns, queue_ns, new_faults, in_window
            writer.sample(now, thread.index, read.node, amounts, thread.state, flags, wait, task)
            if flags & stream.QUEUED and not (kept or flags & _NOT_TO_REPEAT):
                thread.stands = read.node, (flags | stream.BIASED) & ~stream.BRIEF, task
        return used_ns

    def stand(self, now: int, threads: list[KernelThread]) -> None:
        """Write records of threads that have not run since their last ones, and wait to."""
        for thread in threads:
            if thread.stands is not None:
                node, flags, task = thread.stands
                thread.cold = 0
                thread.awake += 1
                if thread.faulting > 0:
                    thread.faulting -= 1
                self._tally.samples += 1
                self._writer.sample(now, thread.index, node, _NOTHING_USED, RUNNING, flags, 0, task)

    def _has_moved(
        self, thread: KernelThread, plans: list[ReadPlan], whole: bool, holders: list[int]
    ) -> bool:
        """Tell whether a thread sleeps elsewhere than its last record says.

        It has not run since then, but it may have run between our reading of its stack and our
        asking what it had used. It sleeps there for as long as it will; so it is read once more.
        """
        read = self._stack(plans, whole, holders)[0]
        if read.failed or read.unsteady:
            thread.moved = thread.cold < _LAST_LOOK
            return False
        thread.moved = False
        return read.node != thread.node

    def _torn(self, read: Read) -> int:
        """Count a stack that was not read whole; return what is said of it."""
        if read.failed:
            self._tally.failed += 1
            return stream.FAILED
        self._tally.unsteady += 1
        return stream.UNSTEADY

    def _read_faults(self, group: list[tuple[KernelThread, list[ReadPlan]]]) -> None:
        """Read the minor faults so far of those that lately had any; begin a look at each."""
        for thread, _ in group:
            thread.early, thread.asked, thread.faults_before = None, False, -1
            if thread.faulting > 0:
                try:
                    thread.faults_before = thread.read_faults()
                except (OSError, ValueError, IndexError):
                    self._roster.doubt()

    def _ask_holders(
        self, group: list[tuple[KernelThread, list[ReadPlan]]], holders: list[int]
    ) -> None:
        """Ask at once whether who holds the GIL has a CPU: a burst may end between two looks."""
        for thread, plans in group:
            if thread.crowded >= CROWDED and _holds(plans, holders) and thread.worth_asking():
                try:
                    thread.read_switches()
                    thread.early = thread.read_usage()
                    thread.judge_on_cpu()
                except (OSError, ValueError):
                    self._roster.doubt()

    def _stack(
        self, plans: list[ReadPlan], whole: bool, holders: list[int]
    ) -> tuple[Read, Guess | None, int]:
        """Return a thread's stack, its thread state, and which one holds its GIL (0: none).

        A thread inside of several interpreters is where the newest of them has frames.
        """
        walker, interpreters = self._walker, self._interpreters
        guess: Guess | None = None
        holder, read = 0, NOTHING
        for plan in plans if len(plans) < 2 else reversed(plans):
            guess = plan.guess
            read = walker.resolve(plan, _group) if whole else walker.alone(guess)
            if read.lead:
                holders = interpreters.holders(read.lead)
            holder = holders[guess.gil] if guess.gil < len(holders) else 0
            if read.node >= 0:
                self._python.named = True
                break
            if read.failed:
                self._python.lost = True
                break
        if plans:
            self.attempted += 1
            if not read.failed:
                self.good += 1
        return read, guess, holder

    def _wait(self, thread: KernelThread, node: int, guess: Guess | None, *, taken: bool) -> int:
        """Return what a sleeping thread waits for, as index into `stream.WAITS`.

        Asked anew where it may have changed: now and then, and as long as another thread has the
        GIL. Then a thread comes from its sleep at a line and waits at the same line for the GIL.
        """
        known, kind = thread.waits
        sure = node == known and kind not in (0, _GIL) and not taken
        if sure and self._tally.samples % _WAIT_EVERY:
            return kind
        gil = -1 if guess is None else guess.gil
        again = taken and kind == _GIL and gil >= 0
        # Mostly it waits for the GIL again, and where its futex lies says so by itself.
        if again and self._interpreters.is_gil(gil, thread.futex(), taken=True):
            thread.waits = node, _GIL
            return _GIL
        now = thread.wait_kind() or (kind if node == known else 0)
        if now == _LOCK and guess is not None:
            for_gil = self._interpreters.is_gil(gil, thread.futex(), taken=taken)
            now = _LOCK if for_gil is False else _GIL if for_gil else _FUTEX
        thread.waits = node, now
        return now


def _holds(plans: list[ReadPlan], holders: list[int]) -> bool:
    """Whether a thread held a GIL at the moment of a batch."""
    for plan in plans:
        guess = plan.guess
        if guess.gil < len(holders) and holders[guess.gil] == guess.state:
            return True
    return False
