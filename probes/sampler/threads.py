"""The kernel's side of a process: its threads, what they used, and what they wait for."""

from __future__ import annotations

import os

from . import stream
from .guess import Guess
from .wake import Wake

NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_MOST_KEPT_FILES = 3000
"""Descriptors over all processes, if the limit allows; further threads are opened to be read."""

_pread = os.pread

CROWDED = 0.03
_CROWDED_STEP = 0.1
_RUNNING = ord("R")
_ALWAYS_AWAKE = 100
_SCHED_BYTES = 256
_TAKEN_OVER_NS = 50_000
"""Between a thread's last moment on a CPU and our first one on it, if we have taken it over."""

_WAIT_KINDS = (
    ("nanosleep", "sleep"),
    ("futex", "lock"),
    ("lock_inode_wait", "lock"),
    ("semtimedop", "lock"),
    ("poll", "poll"),
    ("select", "poll"),
    ("do_wait_intr", "poll"),  # eventfd, timerfd
    ("signalfd", "poll"),
    ("pipe", "pipe"),
    ("wait_for_partner", "pipe"),
    ("msgrcv", "pipe"),
    ("msgsnd", "pipe"),
    ("unix_stream", "socket"),
    ("sk_wait", "socket"),
    ("sock_", "socket"),
    ("wait_for_more", "socket"),
    ("wait_woken", "socket"),
    ("inet_", "socket"),
    ("tcp_", "socket"),
    ("skb_", "socket"),
    ("do_wait", "child"),
    ("kernel_clone", "child"),  # vfork: until the child has become another program
    ("vfork", "child"),
    ("folio", "disk"),
    ("io_schedule", "disk"),
    ("blk", "disk"),
    ("bio", "disk"),
    ("wait_on_page", "disk"),
    ("fsync", "disk"),
    ("read_events", "disk"),
    ("io_cqring", "disk"),
    ("userfault", "fault"),
)
"""Part of the kernel function that a thread sleeps in, and what that is; the first that fits."""


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
        "_folder",
        "_sched",
        "_schedstat",
        "_stat",
        "_status",
        "_switches",
        "_syscall",
        "_wchan",
        "awake",
        "biased",
        "born",
        "cold",
        "comm",
        "cpu_ns",
        "crowded",
        "faulting",
        "faults",
        "guess",
        "index",
        "known_guess",
        "native",
        "on_cpu",
        "queue_ns",
        "seen",
        "state",
        "tid",
        "turns",
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
        self._switches = -1
        self.turns = 0
        """How often it was given a CPU."""
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
        self.waits: tuple[int, int] = (-2, 0)
        """Stack in which it was last seen asleep, and what for."""
        self.comm, _ = self.read_stat()
        self.read_usage()

    def read_stat(self) -> tuple[str, bytes]:
        """Read state and faults; return name and the fields from the state on, unsplit."""
        raw = self._stat.read()
        end = raw.rindex(b")")
        self.state = raw[end + 2]
        self.faults = int(raw[end + 2 :].split(b" ", 8)[7])
        return raw[raw.index(b"(") + 1 : end].decode("utf-8", "replace"), raw[end + 2 :]

    def read_faults(self) -> int:
        """Return the minor faults so far."""
        fd = self._stat.fd
        raw = _pread(fd, 512, 0) if fd >= 0 else self._stat.read()
        return int(raw[raw.rindex(b")") + 2 :].split(b" ", 8)[7])

    def read_state(self) -> int:
        """Read the state; return the minor faults since it was read before."""
        fd = self._stat.fd
        raw = _pread(fd, 512, 0) if fd >= 0 else self._stat.read()
        end = raw.rindex(b")") + 2
        self.state = raw[end]
        faults = int(raw[end : end + 120].split(b" ", 8)[7])
        new = faults - self.faults
        self.faults = faults
        return new

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
            cpu, queue, self.turns = int(first), int(second), int(third)
        new = max(cpu - self.cpu_ns, 0), max(queue - self.queue_ns, 0)
        self.cpu_ns, self.queue_ns = cpu, queue
        if new[1]:
            self.crowded += _CROWDED_STEP * (new[1] / (new[0] + new[1]) - self.crowded)
        else:
            self.crowded -= _CROWDED_STEP * self.crowded
        return new

    def sleeps_on(self) -> bool:
        """Whether it was asleep for two sweeps and has not run since, by one cheap question.

        Not asked where CPUs are waited for: whoever is woken there stands in the queue for long,
        and has not run, either.
        """
        file = self._schedstat
        if self.cold < 2 or file is None or file.fd < 0 or self.crowded >= CROWDED:
            return False
        return self.state != _RUNNING and _pread(file.fd, 64, 0) == self.used

    def read_switches(self) -> None:
        """Read how often it was taken off its CPU, if it lately had to wait for one.

        It costs as much as all else that is read of a thread. Where nobody waits, who is
        runnable runs; and whoever never sleeps is at work wherever it is met.
        """
        self._switches = -1
        self.biased = False
        if not self.worth_asking():
            return
        Wake.asked = True
        try:
            if self._status is None:
                self._status = ProcFile(f"{self.tid}/status", self._folder)
            raw = self._status.read(4096)
            own = raw.index(b"\nvoluntary_ctxt_switches:") + 25
            other = raw.index(b"\nnonvoluntary_ctxt_switches:", own) + 28
            self._switches = int(raw[own : other - 28]) + int(raw[other:].split(None, 1)[0])
        except (OSError, ValueError, IndexError):
            pass

    def worth_asking(self) -> bool:
        """Whether it may be runnable without running, and that would matter."""
        crowded = self.crowded >= CROWDED and self.awake <= _ALWAYS_AWAKE
        return crowded and self._schedstat is not None

    def judge_on_cpu(self) -> None:
        """Set `on_cpu` by `read_switches` and the usage read right after it.

        Each time that a thread is given a CPU is counted (schedstat), and each time that it is
        taken from one (status): one more of the former says that it has one now.
        """
        if self._switches < 0:
            self.on_cpu = None
        else:
            self.on_cpu = {0: False, 1: True}.get(self.turns - self._switches)

    def judge_why_off(self) -> None:
        """Tell a thread that we have taken from its CPU from one that waits for longer.

        The former ran when we were woken: `on_cpu`. On a full machine this alone happens to code
        in proportion to what it runs: who is taken off at the end of its time slice has run for
        long, and who runs for 0.5 ms is seldom taken off at all: that is `biased`.
        """
        if self.on_cpu is not False or self.state != _RUNNING:
            return
        ours_ns = _our_begin_ns()
        if not ours_ns:
            return
        try:
            if self._sched is None:
                self._sched = ProcFile(f"{self.tid}/sched", self._folder)
            ran_ns = began_to_run_ns(self._sched.read(_SCHED_BYTES))
        except (OSError, ValueError, IndexError):
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
            return kind_of_wait(self._wchan.read(128).decode("ascii", "replace"))
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


_own: list[ProcFile | None] = []


def _our_begin_ns() -> int:
    """Return when we were given our CPU, 0 if the kernel does not tell."""
    try:
        if not _own:
            _own.append(ProcFile("/proc/self/sched", -1))
        file = _own[0]
        return 0 if file is None else began_to_run_ns(file.read(_SCHED_BYTES))
    except (OSError, ValueError, IndexError):
        _own[:] = [None]
        return 0


def began_to_run_ns(sched: bytes) -> int:
    """Return when a thread's use of its CPU was booked last, by the clock of that CPU.

    For one that has a CPU that is when it was given it, or the last tick; for one that has none,
    when it lost it. Clocks of two CPUs differ by what the machine's host took from each.

    Args:
        sched: The beginning of its file in /proc.

    Raises:
        ValueError, IndexError: it does not say so.
    """
    at = sched.index(b"se.exec_start")
    whole, _, part = sched[sched.index(b":", at) + 1 :].split(None, 1)[0].partition(b".")
    return int(whole) * 1_000_000 + int(part)


def kind_of_wait(place: str) -> int:
    """Return the index into `stream.WAITS` for a kernel function that a thread sleeps in."""
    if place in ("", "0"):
        return 0
    for part, kind in _WAIT_KINDS:
        if part in place:
            return stream.WAITS.index(kind)
    return stream.WAITS.index("other")


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
