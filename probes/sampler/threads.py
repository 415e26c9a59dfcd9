"""The kernel's side of a process: its threads, what they used, and what they wait for."""

from __future__ import annotations

import os

from .guess import Guess
from .waits import wait_of
from .wake import began_to_run_ns, wake

NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_MOST_KEPT_FILES = 3000
"""Descriptors over all processes, if the limit allows; further threads are opened to be read."""

_pread = os.pread

CROWDED = 0.03
_CROWDED_STEP = 0.1
_RUNNING = ord("R")
_NAP_SWEEPS = 5
_ALWAYS_AWAKE, _AGAIN_EVERY = 100, 64
_HAS_SCHED = os.access("/proc/self/sched", os.R_OK)
"""Whether the kernel tells at once how often a thread lost its CPU, and when last."""
_TAKEN_OVER_NS = 50_000
"""Between a thread's last moment on a CPU and our first one on it, if we have taken it over."""


class Files:
    """How many descriptors may be kept open, counted over all processes."""

    kept = 0
    most = 200


def allow_files() -> None:
    """Raise our own limit of open files as far as it goes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_KEPT_FILES + 100
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (OSError, ValueError):
            pass
    Files.most = max(_MOST_KEPT_FILES if soft < 0 else min(_MOST_KEPT_FILES, soft - 60), 16)


class ProcFile:
    """A file of /proc that is read again and again; kept open while there is room.

    Raises:
        OSError: there is none, or its thread is gone.
    """

    __slots__ = ("_folder", "_path", "fd")

    def __init__(self, path: str, folder: int) -> None:
        self._path = path
        self._folder = folder
        self.fd = -1
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
        if Files.kept < Files.most:
            Files.kept += 1
            self.fd = fd
        else:
            os.close(fd)

    def read(self, size: int = 512) -> bytes:
        """Return the content as it is now."""
        if self.fd >= 0:
            return os.pread(self.fd, size, 0)
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            return os.pread(fd, size, 0)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            Files.kept -= 1


class KernelThread:
    """One kernel thread."""

    __slots__ = (
        "_children",
        "_drift",
        "_folder",
        "_head",
        "_lost",
        "_naps",
        "_rest",
        "_sched",
        "_schedstat",
        "_stat",
        "_status",
        "_switches",
        "_syscall",
        "_told",
        "_turns",
        "_wchan",
        "asked",
        "awake",
        "biased",
        "born",
        "cold",
        "comm",
        "cpu_ns",
        "crowded",
        "drifted",
        "early",
        "faulting",
        "faults",
        "faults_before",
        "guess",
        "index",
        "known_guess",
        "moved",
        "native",
        "new_faults",
        "node",
        "on_cpu",
        "queue_ns",
        "seen",
        "stands",
        "state",
        "tid",
        "used",
        "waits",
    )

    def __init__(self, tid: int, native: int, index: int, folder: int, schedstat: str) -> None:
        self.tid = tid
        self.native = native
        """Its number in its own PID namespace, by which the interpreter knows it."""
        self.index = index
        self._folder = folder
        self._stat = ProcFile(f"{tid}/stat", folder)
        self._schedstat: ProcFile | None = None
        if schedstat:
            try:
                self._schedstat = ProcFile(f"{tid}/{schedstat}", folder)
            except OSError:
                self._stat.close()
                raise
        self._children: ProcFile | None = None
        self._status: ProcFile | None = None
        self._wchan: ProcFile | None = None
        self._syscall: ProcFile | None = None
        self._sched: ProcFile | None = None
        self._head = self._rest = b""
        """What surrounded its state when that was read last, the faults included."""
        self._switches = -1
        self._lost = b""
        """`sched` as last read."""
        self._naps = b""
        """How often it had given up its CPU by itself, as last read."""
        self.early: tuple[int, int] | None = None
        """In this look: CPU and run-queue ns as asked before its state, since it had the GIL."""
        self.faults_before = self.new_faults = -1
        """In this look: minor faults before its stack was read, -1 if not asked; and those since
        the last look, -1 if it could not be read."""
        self.asked = False
        """In this look it was asked how often it lost its CPU."""
        self._turns = self._told = b"0"
        """How often it was given a CPU: so far, and up to its last record."""
        self._drift = 0
        """How often less than it lost one when it has none: of threads that have run for long the
        kernel's counts differ, by 1 in 40 to 1 in 600."""
        self.drifted = False
        """That is to be learned anew."""
        self.on_cpu: bool | None = None
        """Whether it had a CPU when it was runnable; None: not asked."""
        self.biased = False
        """The last look meets some code more often than it runs."""
        self.awake = 0
        """Records since it was last seen asleep."""
        self.crowded = 0.0
        """Share of its runnable time that it lately waited for a CPU."""
        self.used = b""
        """schedstat as last read."""
        self.cpu_ns = self.queue_ns = self.faults = 0
        self.state = 0
        self.cold = 0
        """Sweeps since it last ran."""
        self.faulting = 0
        """Sweeps for which its faults are counted around each read of its stack."""
        self.guess: Guess | None = None
        """Its innermost thread state; None for a thread that is not Python's."""
        self.known_guess: list[Guess] = []
        """All its thread states, that of the main interpreter first."""
        self.born = False
        """Whether all that it has used since it began belongs to this session."""
        self.seen = False
        """Whether a record of it was written."""
        self.stands: tuple[int, int, int] | None = None
        """It stood in the queue for a CPU when it was read, and nobody can have changed anything of
        it since, unless it was given one: node, flags, and task of its last record."""
        self.node = -1
        """Stack of its last record."""
        self.moved = False
        """It may have left that stack since: what it had used then it may have used after its stack
        was read, or the stack could not be read whole."""
        self.waits: tuple[int, int] = (-2, 0)
        """Stack in which it was last seen asleep, and what for."""
        self.comm = self.read_stat()
        self.read_usage()

    def read_stat(self) -> str:
        """Read state and faults; return its name."""
        raw = self._stat.read()
        self._take_state(raw)
        return raw[raw.index(b"(") + 1 : raw.rindex(b")")].decode("utf-8", "replace")

    def _take_state(self, raw: bytes) -> None:
        end = raw.rindex(b")") + 2
        fields = raw[end : end + 120].split(b" ", 8)
        self.state, self.faults = raw[end], int(fields[7])
        self._head, self._rest = raw[:end], b" %b " % b" ".join(fields[1:8])

    def read_faults(self) -> int:
        """Return the minor faults so far."""
        fd = self._stat.fd
        raw = _pread(fd, 512, 0) if fd >= 0 else self._stat.read()
        return int(raw[raw.rindex(b")") + 2 :].split(b" ", 8)[7])

    def read_state(self) -> int:
        """Read the state; return the minor faults since it was read before."""
        fd = self._stat.fd
        raw = _pread(fd, 512, 0) if fd >= 0 else self._stat.read()
        at = len(self._head)
        # Mostly nothing but the state has changed of what is looked at.
        if raw.startswith(self._head) and raw.startswith(self._rest, at + 1):
            self.state = raw[at]
            return 0
        before = self.faults
        self._take_state(raw)
        return self.faults - before

    def read_usage(self) -> tuple[int, int]:
        """Return the nanoseconds on a CPU and waiting for one since they were read before.

        Without schedstat: user and system time in ticks, and no waiting.
        """
        if self._schedstat is None:
            raw = self._stat.read()
            fields = raw[raw.rindex(b")") + 2 :].split(b" ", 14)
            cpu, queue = (int(fields[11]) + int(fields[12])) * NS_PER_TICK, 0
        else:
            fd = self._schedstat.fd
            raw = _pread(fd, 64, 0) if fd >= 0 else self._schedstat.read(64)
            if raw == self.used:
                return 0, 0
            self.used = raw
            first, second, third = raw.split(b" ", 2)
            cpu, queue = int(first), int(second)
            self._turns = third
        new_cpu, new_queue = cpu - self.cpu_ns, queue - self.queue_ns
        self.cpu_ns, self.queue_ns = cpu, queue
        if new_cpu < 0 or new_queue < 0:
            new_cpu, new_queue = max(new_cpu, 0), max(new_queue, 0)
        waited = new_queue / (new_cpu + new_queue) if new_queue else 0.0
        self.crowded += _CROWDED_STEP * (waited - self.crowded)
        return new_cpu, new_queue

    def turns(self) -> int:
        """Return how often it was given a CPU since this was asked before, 0 if not known."""
        now, before = self._turns, self._told
        self._told = now
        return int(now) - int(before) if now is not before else 0

    def may_have_moved(self) -> bool:
        """Whether it is to be looked for in another stack than that of its last record.

        Who naps for less is not: each look costs as much as one at a thread that has run.
        """
        return self.moved and self.cold >= _NAP_SWEEPS

    def sleeps_on(self) -> bool:
        """Whether it was asleep for two sweeps and has not run since, by one cheap question.

        Not asked where CPUs are waited for: whoever is woken there stands in the queue for long,
        and has not run, either. Nor of who was just seen awake: a burst of work that begins before
        the question and ends before its stack is read would be lost.
        """
        file = self._schedstat
        if file is None or file.fd < 0 or self.crowded >= CROWDED:
            return False
        return _pread(file.fd, 64, 0) == self.used

    def stands_on(self) -> bool:
        """Whether it still stands in the queue for a CPU, by one cheap question: to be given one is
        counted at once."""
        file = self._schedstat
        return file is not None and file.fd >= 0 and _pread(file.fd, 64, 0) == self.used

    def read_switches(self) -> None:
        """Read how often it lost its CPU; to be asked only of who is `worth_asking`.

        It costs more than all else that is read of a thread. Where nobody waits, who is runnable
        runs; and whoever never sleeps is at work wherever it is met.
        """
        self.biased = False
        self._switches, self.asked = -1, True
        try:
            if _HAS_SCHED:
                if self._sched is None:
                    self._sched = ProcFile(f"{self.tid}/sched", self._folder)
                raw = self._lost = self._sched.read(4096)
                at = raw.index(b":", raw.index(b"\nnr_switches")) + 1
                end = raw.index(b"\n", at)
                self._switches = int(raw[at:end])
                at = raw.index(b":", raw.index(b"\nnr_voluntary_switches", end)) + 1
                self._gave_up(raw[at : raw.index(b"\n", at)])
                return
            if self._status is None:
                self._status = ProcFile(f"{self.tid}/status", self._folder)
            raw = self._status.read(4096)
            own = raw.index(b"\nvoluntary_ctxt_switches:") + 25
            other = raw.index(b"\nnonvoluntary_ctxt_switches:", own) + 28
            self._switches = int(raw[own : other - 28]) + int(raw[other:].split(None, 1)[0])
            self._gave_up(raw[own : other - 28])
        except (OSError, ValueError, IndexError):
            pass

    def _gave_up(self, times: bytes) -> None:
        """It has given up its CPU so often by itself: more often than lately, and it has slept.

        Naps that are much shorter than what lies between two looks are hardly ever met.
        """
        if times != self._naps:
            self._naps, self.awake = times, 0

    def worth_asking(self) -> bool:
        """Whether it may be runnable without running, and that would matter."""
        if self.crowded < CROWDED or self._schedstat is None:
            return False
        return self.awake <= _ALWAYS_AWAKE or self.awake % _AGAIN_EVERY == 0

    def judge_on_cpu(self) -> None:
        """Set `on_cpu` by `read_switches` and the usage read right after it.

        Each time that a thread is given a CPU is counted (schedstat), and each time that it loses
        one (sched, status): one more of the former says that it has one now.
        """
        if self._switches < 0:
            self.on_cpu = None
            return
        more = int(self._turns) - self._switches - self._drift
        self.on_cpu = more == 1 if 0 <= more <= 1 else None
        # Fewer: the counts have drifted apart. (More: it was given one between the two looks.)
        self.drifted = more < 0

    def learn_drift(self) -> None:
        """Learn by how much the two counts have drifted apart, of a thread that sleeps."""
        file = self._schedstat
        if file is None:
            return
        before = file.read(64)
        self.read_switches()
        self.asked = False
        if self._switches >= 0 and file.read(64) == before:
            self._drift = int(before.split(b" ", 2)[2]) - self._switches
            self.drifted = False

    def judge_why_off(self) -> None:
        """Tell a thread that we have taken from its CPU from one that waits for longer.

        The former ran when we were woken: `on_cpu`. On a full machine this alone happens to code
        in proportion to what it runs: who is taken off at the end of its time slice has run for
        long, and who runs for 0.5 ms is seldom taken off at all: that is `biased`.
        """
        if self.on_cpu is not False or self.state != _RUNNING or not self._lost:
            return
        ours_ns = wake.began_ns()
        if not ours_ns:
            return
        try:
            ran_ns = began_to_run_ns(self._lost)
        except ValueError:
            return
        self.on_cpu = abs(ours_ns - ran_ns) < _TAKEN_OVER_NS
        self.biased = not self.on_cpu

    def children(self) -> list[int]:
        """Return the processes that this thread has started and that live."""
        if self._children is None:
            self._children = ProcFile(f"{self.tid}/children", self._folder)
        raw = self._children.read(1 << 16)
        return [int(pid) for pid in raw.split()]

    def wait_kind(self) -> int:
        """Return what a sleeping thread waits for, as index into `stream.WAITS`."""
        try:
            if self._wchan is None:
                self._wchan = ProcFile(f"{self.tid}/wchan", self._folder)
            return wait_of(self._wchan.read(128))
        except OSError:
            return 0

    def futex(self) -> int:
        """Return the address of the futex that it sleeps on, 0 if that is not told."""
        try:
            if self._syscall is None:
                self._syscall = ProcFile(f"{self.tid}/syscall", self._folder)
            return int(self._syscall.read(64).split(b" ", 2)[1], 16)
        except (OSError, ValueError, IndexError):
            return 0

    def close(self) -> None:
        """Give the descriptors back."""
        files = (self._stat, self._schedstat, self._children, self._status)
        for file in (*files, self._wchan, self._syscall, self._sched):
            if file is not None:
                file.close()


def namespace_number(task: str) -> int:
    """Return a thread's number in its innermost PID namespace (`NSpid`), 0 if not told.

    Args:
        task: its folder in /proc.
    """
    try:
        with open(task + "/status", "rb") as lines:
            for line in lines:
                if line.startswith(b"NSpid:"):
                    return int(line.split()[-1])
    except (OSError, ValueError, IndexError):
        pass
    return 0
