"""One process: is there anything new, who ran, where, and what did it use?

The order within a sweep decides what the figures are worth. Of threads that ran lately the stack
is read first, with the GIL in the same call; their state right after; what they used last. So a
burst of work that is shorter than the sweep is seen with its stack, and its CPU is in the record.
"""

from __future__ import annotations

import os
import struct
import time

from . import stream
from .code import Codes
from .elf import find_runtime
from .guess import Guess
from .identity import Identity
from .interpreters import Interpreters
from .layout import Refused, layout_of
from .memory import MOST_BYTES, MOST_PIECES, Buffer, Memory
from .names import Names
from .stream import Writer
from .tasks import TaskNames
from .threads import Thread, namespace_number
from .walk import Plan, Read, Walker

RUNNING = ord("R")
DEAD = b"ZXx"
HOT_SWEEPS = 50
"""A thread that ran within so many sweeps is read whether or not it is known to have run."""
_FAULTING_SWEEPS = 200
_UNEXPLAINED_NS = 20_000
_WORTH_A_QUESTION_NS = 5_000
"""CPU whose user is not known before each thread that sleeps is asked (which takes 2 µs): where
threads live for milliseconds there is always some, used by those that have ended."""
_LIST_EVERY = 4
_IDENTITY_EVERY = 25
_REMAP_EVERY = 64
_WAIT_EVERY = 16
_CHILDREN_EVERY = 64
"""A thread that ends leaves its children to another one, which need not run for that."""
_LONGEST_WINDOW_NS = 600_000
"""Of faults around a read: in a longer one the sampler itself was off the CPU."""
_BAD_SWEEPS = 3
_FIRST_PATIENCE_NS, _MOST_PATIENCE_NS = 5_000_000, 2_000_000_000
_NOT_PYTHON_AFTER_NS = 300_000_000
_CHECK_FAILED_AFTER = 40
_MOST_THREADS = 20_000

_group = Buffer()
_clock = time.clock_gettime_ns
_now = time.monotonic_ns


class Gone(Exception):
    """The process has ended."""


class Tally:
    """What one process gave in one second."""

    __slots__ = ("cpu_ns", "failed", "samples", "since_ns", "sweeps", "unsteady")

    def __init__(self) -> None:
        self.since_ns = _now()
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.sweeps = self.samples = self.failed = self.unsteady = self.cpu_ns = 0


class Target:
    """A process that is sampled, or of which we know why not.

    Raises:
        OSError: there is no such process.
    """

    next_thread = 0

    def __init__(
        self,
        pid: int,
        index: int,
        names: Names,
        writer: Writer,
        *,
        born: bool,
        schedstat: str = "schedstat",
    ) -> None:
        self.pid = pid
        self.index = index
        self._names = names
        self._generation = names.generation
        self._writer = writer
        self._born = born
        """Whether all that its threads have used so far belongs to this session."""
        self._schedstat = schedstat
        self._folder = os.open(f"/proc/{pid}/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._memory = Memory(pid)
        self._clock_id = (~pid << 3) | 2
        self.status = -1
        self.reason = ""
        self.version = 0
        self._begin_ns = self._resolve_at_ns = _now()
        self._patience_ns = _FIRST_PATIENCE_NS
        self._identity = Identity(pid)
        self.threads: dict[int, Thread] = {}
        self._hot: list[Thread] = []
        self._links = -1
        self._clock_ns = -1
        self._known_ns = 0
        self._sweeps = 0
        self._bad = 0
        self._tries = 0
        self.tally = Tally()
        self.first_clock_ns = 0 if born else self.clock()
        self._python = False
        self._stale = False
        """Threads came or went: to be listed and mapped at the next look."""
        self._named = False
        """A whole stack was read: code, strings and line tables are what they should be."""
        self._lost = False
        """A thread state is not where it was: all of them are to be found again."""
        self._say(stream.RESOLVING)

    # ---- the process as a whole

    def clock(self) -> int:
        """Return the CPU time of the whole process so far, 0 if the kernel does not tell.

        Raises:
            Gone: it has ended.
        """
        try:
            return _clock(self._clock_id)
        except OSError as error:
            if error.errno == 22 and os.path.exists(f"/proc/{self.pid}/stat"):
                return 0
            raise Gone from None

    def close(self) -> None:
        """Give everything back and say that it has gone."""
        for thread in list(self.threads.values()):
            self._drop(thread)
        os.close(self._folder)
        self.end_second(_now())
        self._say(stream.GONE)

    def _say(self, status: int, reason: str = "") -> None:
        if (status, reason) == (self.status, self.reason):
            return
        self.status, self.reason = status, reason
        fields = (self.index, self.pid, _now(), status, self.version)
        self._writer.block(
            stream.PROCESS, stream.PROCESS_FIELDS.pack(*fields) + stream.text(reason)
        )

    def end_second(self, now: int) -> None:
        """Write the tally."""
        tally = self.tally
        try:
            used = self.clock() - self.first_clock_ns
        except Gone:
            used = max(self._clock_ns - self.first_clock_ns, 0)
        if tally.sweeps:
            counts = (tally.sweeps, tally.samples, tally.failed, tally.unsteady)
            self._writer.block(
                stream.TALLY,
                stream.TALLY_FIELDS.pack(
                    self.index, tally.since_ns, now, *counts, max(used, 0), tally.cpu_ns
                ),
            )
        tally.clear()
        tally.since_ns = now

    # ---- what kind of process is it

    def _resolve(self, now: int) -> None:
        """Find out how to read it; says so, or why not."""
        self._resolve_at_ns = now + self._patience_ns
        self._patience_ns = min(2 * self._patience_ns, _MOST_PATIENCE_NS)
        try:
            self._identity = Identity(self.pid)
            if self._identity.state in (b"Z", b"X"):
                raise Gone
            found = find_runtime(self._memory)
            if found is None:
                if now - self._begin_ns > _NOT_PYTHON_AFTER_NS:
                    self._say(stream.REFUSED, "not-python")
                return
            self.version = found.version
            layout = layout_of(self._memory, found.address, found.version)
            self._layout = layout
            self._codes = Codes(self._memory, layout, self._names)
            self._interpreters = Interpreters(self._memory, layout, found.address)
            self._walker = Walker(self._memory, layout, self._codes, self._names)
            self._tasks = TaskNames(self._memory, layout, self._names, found.path)
            self._python = True
            self._bad = self._tries = 0
            self._named = False
            self._map()
        except Refused as refused:
            self._say(stream.REFUSED, str(refused))
            self._resolve_at_ns = now + _MOST_PATIENCE_NS
        except (OSError, struct.error) as error:
            self._python = False
            if isinstance(error, OSError) and error.errno in (1, 13):
                self._say(stream.REFUSED, "no-right")

    def _become(self, now: int) -> None:
        """It has become another program."""
        self._python = False
        self._begin_ns = now
        self._patience_ns = _FIRST_PATIENCE_NS
        for thread in self.threads.values():
            thread.guess, thread.known_guess = None, []
        self._say(stream.RESOLVING)
        self._resolve(now)

    def _same_program(self) -> bool:
        try:
            identity = Identity(self.pid)
        except OSError:
            raise Gone from None
        if identity.begin_ticks != self._identity.begin_ticks or identity.state in (b"Z", b"X"):
            if identity.state in (b"Z", b"X") and len(self.threads) > 1:
                return True  # only its first thread has ended
            raise Gone
        return identity.image == self._identity.image

    # ---- its threads

    def _list(self) -> None:
        """See which threads there are."""
        try:
            found = os.listdir(self._folder)[:_MOST_THREADS]
            self._links = os.fstat(self._folder).st_nlink
        except OSError:
            raise Gone from None
        tids = {int(name) for name in found}
        if not tids:
            raise Gone
        other_namespace = namespace_number(f"/proc/{self.pid}") not in (0, self.pid)
        for tid in tids - self.threads.keys():
            native = tid
            if other_namespace:
                native = namespace_number(f"/proc/{self.pid}/task/{tid}") or tid
            try:
                thread = Thread(tid, native, Target.next_thread, self._folder, self._schedstat)
            except FileNotFoundError:
                if self._schedstat and os.path.exists(f"/proc/{self.pid}/task/{tid}/stat"):
                    self._schedstat = ""  # a kernel without it
                    self._links = -1
                continue
            except (OSError, ValueError):
                continue
            Target.next_thread += 1
            thread.born = self._born
            self.threads[tid] = thread
            self._hot.append(thread)
            used = 0 if self._born else thread.cpu_ns
            fields = (thread.index, self.index, tid, _now(), used)
            self._writer.block(
                stream.THREAD, stream.THREAD_FIELDS.pack(*fields) + stream.text(thread.comm)
            )
        for tid in self.threads.keys() - tids:
            self._drop(self.threads[tid])
        self._born = True  # who comes later has used nothing before

    def _drop(self, thread: Thread) -> None:
        self.threads.pop(thread.tid, None)
        if thread in self._hot:
            self._hot.remove(thread)
        thread.close()
        if self._python:
            self._interpreters.forget(thread.native)
        self._writer.block(stream.ENDED, stream.ENDED_FIELDS.pack(thread.index, _now()))

    def _map(self, whole: bool = True) -> None:
        """Find the thread states (the new ones, or all); what was learned of the rest is kept."""
        states = self._interpreters.read(whole)
        self._walker.lead = self._interpreters.pieces
        self._walker.lead_size = self._interpreters.size
        for thread in self.threads.values():
            found = states.get(thread.native)
            if found is None:
                if whole:
                    thread.guess, thread.known_guess = None, []
                continue
            known = {(guess.state, guess.interpreter): guess for guess in thread.known_guess}
            guesses = []
            for guess in found:
                old = known.get((guess.state, guess.interpreter), guess)
                old.gil = guess.gil
                guesses.append(old)
            found[:] = guesses
            thread.known_guess = guesses
            thread.guess = guesses[-1]

    def children(self, all_of_them: bool) -> set[int]:
        """Return the processes that it has started: by `all_of_them`, or by those who ran."""
        found: set[int] = set()
        all_of_them = all_of_them or self._sweeps % _CHILDREN_EVERY == 0 or not self._python
        for thread in list(self.threads.values()) if all_of_them else self._hot:
            if all_of_them or thread.cold < 2 * _LIST_EVERY:
                try:
                    found.update(thread.children())
                except (OSError, ValueError):
                    continue
        return found

    # ---- a sweep

    def sweep(self, now: int) -> bool:
        """Sample it if there is anything new; return whether there was.

        Raises:
            Gone: it has ended.
        """
        clock = self.clock()
        ran = clock != self._clock_ns or clock == 0
        self._clock_ns = clock
        self._sweeps += 1
        self.tally.sweeps += 1
        if not ran and not self._hot:
            return False
        if self._sweeps % _LIST_EVERY == 0 or not self.threads:
            self._notice(now, ran)
        if not self._python:
            if ran and now >= self._resolve_at_ns:
                self._resolve(now)
            if not self._python:
                self._hot = [thread for thread in self._hot if thread.cold < HOT_SWEEPS]
                for thread in self._hot:
                    thread.cold += 1
                return ran
        if self._generation != self._names.generation:
            self._generation = self._names.generation
            self._forget_numbers()
        self._codes.begin()
        used = self._sample(now, self._hot, None)
        if ran:
            self._known_ns += used
            others = len(self.threads) - len(self._hot)
            worth_ns = max(_UNEXPLAINED_NS, others * _WORTH_A_QUESTION_NS)
            if clock - self._known_ns > worth_ns or clock == 0:
                self._known_ns = clock
                self._ask_others(now)
        self._hot = [thread for thread in self._hot if thread.cold < HOT_SWEEPS]
        return True

    def _notice(self, now: int, ran: bool) -> None:
        """Look for threads that came or went, another program, and asyncio."""
        try:
            links = os.fstat(self._folder).st_nlink
        except OSError:
            raise Gone from None
        if links != self._links:
            self._list()
            self._stale = True
        if self._python and self._stale:
            self._stale = False
            self._remap(whole=False)
        if ran and self._sweeps % _IDENTITY_EVERY < _LIST_EVERY and not self._same_program():
            self._become(now)
        if self._python:
            if self._interpreters.unbound:
                self._remap(whole=False)
            elif self._lost or (
                self._sweeps % _REMAP_EVERY < _LIST_EVERY
                and any(thread.guess is None for thread in self._hot)
            ):
                self._lost = False
                self._remap(whole=True)
            if self._tasks.find(now):
                self._walker.watch_task(self._tasks.running_offset)

    def _remap(self, whole: bool) -> None:
        try:
            self._map(whole)
        except OSError:
            self._bad += 1

    def _forget_numbers(self) -> None:
        for thread in self.threads.values():
            thread.waits = (-2, 0)
            for guess in thread.known_guess:
                guess.frames, guess.node, guess.leaves = (), -1, []
                guess.older_seen.clear()

    def _ask_others(self, now: int) -> None:
        """CPU was used that none of the hot threads used: find who it was."""
        woken: list[Thread] = []
        usage: dict[Thread, tuple[int, int]] = {}
        hot = set(self._hot)
        for thread in list(self.threads.values()):
            if thread in hot:
                continue
            try:
                used = thread.read_usage()
            except (OSError, ValueError):
                self._links = -1
                continue
            if used[0]:
                woken.append(thread)
                usage[thread] = used
        if woken:
            self._sample(now, woken, usage)
            self._hot += woken

    def _sample(
        self, now: int, threads: list[Thread], usage: dict[Thread, tuple[int, int]] | None
    ) -> int:
        """Read `threads`; return the CPU ns that they used since they were read before."""
        used = 0
        at = 0
        attempted = good = 0
        while at < len(threads):
            pieces = list(self._walker.lead)
            total = self._walker.lead_size
            plans: list[tuple[Thread, list[Plan]]] = []
            # As many as fit into one call; the first one always.
            while at < len(threads):
                thread = threads[at]
                size, count = total, len(pieces)
                own: list[Plan] = []
                for guess in thread.known_guess:
                    plan, total = self._walker.plan(guess, pieces, total)
                    own.append(plan)
                if plans and (total > MOST_BYTES or len(pieces) > 2 * MOST_PIECES):
                    del pieces[count:]
                    total = size
                    break
                plans.append((thread, own))
                at += 1
            fits = total <= MOST_BYTES and len(pieces) <= 2 * MOST_PIECES
            got, tried, ok = self._read_group(now, plans, pieces, total if fits else 0, usage)
            used += got
            attempted += tried
            good += ok
        self._judge(now, attempted, good)
        return used

    def _read_group(
        self,
        now: int,
        plans: list[tuple[Thread, list[Plan]]],
        pieces: list[int],
        total: int,
        usage: dict[Thread, tuple[int, int]] | None,
    ) -> tuple[int, int, int]:
        """One batch and what belongs to it; returns CPU ns, stacks attempted, stacks read."""
        before: dict[Thread, int] = {}
        for thread, _ in plans:
            if thread.faulting > 0:
                try:
                    before[thread] = thread.read_faults()
                except (OSError, ValueError, IndexError):
                    self._links = -1
        start = _now()
        whole = total > 0 and self._memory.gather(_group, pieces, total)
        holders = self._interpreters.holders(_group.bytes) if whole else []
        early: dict[Thread, tuple[int, int]] = {}
        for thread, own in plans:
            if _holds(own, holders) and thread.worth_asking():
                # Has it a CPU? Asked at once: a burst may end between two looks at it.
                try:
                    thread.read_switches()
                    early[thread] = thread.read_usage()
                    thread.judge_on_cpu()
                except (OSError, ValueError):
                    self._links = -1
        faults: dict[Thread, int] = {}
        for thread, _ in plans:
            try:
                faults[thread] = thread.read_state()
                if thread.state == RUNNING and thread not in early:
                    thread.read_switches()
            except (OSError, ValueError, IndexError):
                self._links = -1
        window = _now() - start if before else _LONGEST_WINDOW_NS
        if whole and self._interpreters.changed(_group.bytes):
            self._stale = True
        used_ns = attempted = good = 0
        for thread, own in plans:
            if thread not in faults:
                thread.cold += 1
                continue
            try:
                cpu_ns, queue_ns = thread.read_usage()
            except (OSError, ValueError):
                self._links = -1
                continue
            for more in (early.get(thread), None if usage is None else usage[thread]):
                if more is not None:
                    cpu_ns += more[0]
                    queue_ns += more[1]
            if thread not in early:
                thread.judge_on_cpu()
            used_ns += cpu_ns
            held = _holds(own, holders)
            new_faults = faults[thread]
            cold, thread.cold = thread.cold, 0
            if not thread.seen:
                if not cpu_ns and thread.state != RUNNING:
                    thread.cold = HOT_SWEEPS  # it sleeps, and has since before we came
                cpu_ns = thread.cpu_ns if thread.born else cpu_ns
            elif not cpu_ns and thread.state != RUNNING and not held:
                thread.cold = cold + 1
                if thread.faulting > 0:
                    thread.faulting -= 1
                continue
            if new_faults:
                thread.faulting = _FAULTING_SWEEPS
            elif thread.faulting > 0:
                thread.faulting -= 1
            read, guess, held = self._stack(own, whole, holders)
            if own:
                attempted += 1
                good += not read.failed
                self._named = self._named or read.node >= 0
                self._lost = self._lost or read.failed
            flags = stream.GIL_HELD if held else 0
            if thread.state == RUNNING and thread.on_cpu is not None:
                flags |= stream.ON_CPU if thread.on_cpu else stream.QUEUED
            in_window = 0
            if thread in before and window < _LONGEST_WINDOW_NS:
                flags |= stream.WINDOW_VALID
                in_window = thread.faults - before[thread]
            self._record(now, thread, read, guess, flags, (cpu_ns, queue_ns, new_faults, in_window))
        return used_ns, attempted, good

    def _stack(
        self, plans: list[Plan], whole: bool, holders: list[int]
    ) -> tuple[Read, Guess | None, bool]:
        """Return a thread's stack, its thread state, and whether that holds its GIL.

        A thread inside of several interpreters is where the newest of them has frames.
        """
        read, guess, held = Read(-1), None, False
        for plan in reversed(plans):
            guess = plan.guess
            read = self._walker.resolve(plan, _group) if whole else self._walker.alone(guess)
            if read.lead:
                holders = self._interpreters.holders(read.lead)
            held = guess.gil < len(holders) and holders[guess.gil] == guess.state
            if read.node >= 0 or read.failed:
                break
        return read, guess, held

    def _record(
        self,
        now: int,
        thread: Thread,
        read: Read,
        guess: Guess | None,
        flags: int,
        amounts: tuple[int, int, int, int],
    ) -> None:
        tally = self.tally
        tally.samples += 1
        if read.failed:
            flags |= stream.FAILED
            tally.failed += 1
        if read.unsteady:
            flags |= stream.UNSTEADY
            tally.unsteady += 1
        wait = 0
        thread.awake += 1
        if thread.state != RUNNING:
            thread.awake = 0
            node, kind = thread.waits
            if node != read.node or tally.samples % _WAIT_EVERY == 0:
                kind = thread.wait_kind()
                thread.waits = read.node, kind
            wait = kind
        task = -1
        if guess is not None and guess.task and self._tasks.running_offset:
            task = self._tasks.task(guess.task)
        tally.cpu_ns += amounts[0]
        thread.seen = True
        self._writer.sample(now, thread.index, read.node, *amounts, thread.state, flags, wait, task)

    def _judge(self, now: int, attempted: int, good: int) -> None:
        """Believe in the layout, or not."""
        if good:
            self._bad = 0
            if self.status != stream.SAMPLED and self._named:
                self._say(stream.SAMPLED)
        elif attempted:
            self._bad += 1
            self._tries += 1
            if self._bad >= _BAD_SWEEPS and now >= self._resolve_at_ns:
                if not self._same_program():
                    self._become(now)
                elif self._tries > _CHECK_FAILED_AFTER and self.status != stream.SAMPLED:
                    self._python = False
                    self._say(stream.REFUSED, "check-failed")
                    self._resolve_at_ns = now + _MOST_PATIENCE_NS
                else:
                    self._links = -1
                    self._resolve_at_ns = now + self._patience_ns


def _holds(plans: list[Plan], holders: list[int]) -> bool:
    """Whether a thread held a GIL at the moment of a batch."""
    for plan in plans:
        guess = plan.guess
        if guess.gil < len(holders) and holders[guess.gil] == guess.state:
            return True
    return False
