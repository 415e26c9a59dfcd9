"""What the own sampler tells. All times are nanoseconds of CLOCK_MONOTONIC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple
else:
    from perftui.probes.own.tuples import NamedTuple

WaitKind = Literal[
    "",
    "sleep",
    "lock",
    "poll",
    "pipe",
    "socket",
    "disk",
    "child",
    "fault",
    "other",
    "gil",
    "futex",
]
"""What a sleeping thread waits for, as far as the kernel tells; "" = not known. `lock` is not the
interpreter's, `futex` may be a lock or the GIL."""
Reason = Literal["not-python", "unknown-version", "no-right", "check-failed", ""]
Status = Literal["resolving", "sampled", "refused", "gone"]


class Place(NamedTuple):
    """A line of a code object."""

    function: str
    """The qualified name."""
    file: str
    line: int
    first_line: int
    """Where the code object begins."""


class StackNode:
    """A stack by its innermost frame; the callers are its `parent`s.

    The same stack of one stream is the same object until the sampler forgets its numbers
    (`Decoder.generation`), which is rare; equal places make equal keys in any case.
    """

    __slots__ = ("depth", "parent", "place", "root")

    def __init__(self, parent: StackNode | None, place: Place) -> None:
        self.parent = parent
        self.place = place
        self.depth: int = 1 if parent is None else parent.depth + 1
        self.root: Place = place if parent is None else parent.root

    def __iter__(self) -> Iterator[Place]:
        """Yield the places, innermost first."""
        node: StackNode | None = self
        while node is not None:
            yield node.place
            node = node.parent

    def __repr__(self) -> str:
        return f"StackNode({self.place.function}:{self.place.line}, depth {self.depth})"


Where = StackNode | int | None
"""A stack: a node of the stream, or one of the session's call tree; None: no Python frames."""


class SeenSample(Protocol):
    """What weighing needs of a record; the fields are those of `Sample`."""

    @property
    def t_ns(self) -> int:
        """When."""
        ...

    @property
    def stack(self) -> Where:
        """Where the thread was."""
        ...

    @property
    def cpu_ns(self) -> int:
        """On-CPU time since the last one."""
        ...

    @property
    def run_queue_ns(self) -> int:
        """Runnable without a CPU since then."""
        ...

    @property
    def faults(self) -> int:
        """Minor page faults since then."""
        ...

    @property
    def faults_in_window(self) -> int | None:
        """Those while the stack was read."""
        ...

    @property
    def state(self) -> str:
        """Of the kernel."""
        ...

    @property
    def on_cpu(self) -> bool | None:
        """Whether it had a CPU."""
        ...

    @property
    def gil_held(self) -> bool:
        """Whether it had the GIL."""
        ...

    @property
    def failed(self) -> bool:
        """No stack could be read."""
        ...

    @property
    def wait(self) -> WaitKind:
        """What it sleeps in."""
        ...

    @property
    def sweep_ns(self) -> int | None:
        """Since the sweep before, up to which the last record holds; None: not known."""
        ...

    @property
    def biased(self) -> bool:
        """Whether such a look meets some code more often than it runs."""
        ...

    @property
    def brief(self) -> bool:
        """Whether its CPU was used in pieces of less than 0.5 ms, in the mean."""
        ...


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process was found, or there is news of it."""

    t_ns: int
    index: int
    """Names the process in this stream: a pid may be used again, an index is not."""
    pid: int
    status: Status
    reason: Reason
    """Why it is refused, for the caller to use another sampler."""
    version: int
    """As in PY_VERSION_HEX; 0 if not known."""

    @property
    def label(self) -> str:
        """What a person is told: the source of its stacks, or why it is none."""
        python = f"CPython {self.version >> 24}.{self.version >> 16 & 255}"
        if self.status == "sampled":
            return f"own sampler, {python}"
        if self.status == "refused":
            return f"refused: {self.reason}" + (f", {python}" if self.version else "")
        return self.status


@dataclass(frozen=True, slots=True)
class ThreadRecord:
    """A kernel thread was found."""

    t_ns: int
    index: int
    """Names the thread in this stream."""
    process: ProcessRecord
    tid: int
    comm: str
    """The kernel's name of it; on 3.14+ that of the Python thread, before that of the program."""
    cpu_ns_before: int
    """What it had used before this session; nothing of it is in any record."""


class ThreadEnded(NamedTuple):
    """A thread is no more."""

    t_ns: int
    thread: ThreadRecord


class Sample(NamedTuple):
    """What one thread did at one moment, and what it used since its last record.

    No record means that the thread did not run: its last one holds on.
    """

    t_ns: int
    thread: ThreadRecord
    stack: StackNode | None
    """None: no Python frame (a native thread), or it could not be read (`failed`)."""
    cpu_ns: int
    run_queue_ns: int
    faults: int
    """Minor page faults since the last record."""
    faults_in_window: int | None
    """Those of them within the microseconds of this very reading; None if not counted."""
    state: str
    """Of the kernel: R running or runnable, S asleep, D asleep in the kernel, ..."""
    on_cpu: bool | None
    """Whether a thread that was runnable, or held the GIL, had a CPU when its stack was read, or
    until the sampler was given it; None: not asked, nobody had to wait lately."""
    gil_held: bool
    """Read in the same call as the stack."""
    unsteady: bool
    """The stack moved in every reading; only its outer part is here, and that is certain."""
    failed: bool
    wait: WaitKind
    """What for, if the state is asleep."""
    task: str | None
    """Name of the asyncio task that ran, 3.14+."""
    sweep_ns: int | None = None
    """Since the sweep before: up to that one its last record holds. None: not known."""
    biased: bool = False
    """On a full machine: it had waited for a CPU before the sampler was woken; or the sampler had
    to wait itself, and it had not the GIL. Such a look meets some code more often than it runs."""
    brief: bool = False
    """What it used since its last reading it used in pieces of less than 0.5 ms, in the mean."""


class Tally(NamedTuple):
    """One process over about one second."""

    process: ProcessRecord
    t0_ns: int
    t1_ns: int
    sweeps: int
    samples: int
    failed: int
    unsteady: int
    awake: int
    """Looks at threads of Python while they ran."""
    again: int
    """Of those: where it was could not be told at once, and it was read again; or a generator had
    gone on by the time that it was read."""
    process_cpu_ns: int
    """Of the whole process since it is watched, threads that have ended included."""
    sampled_cpu_ns: int
    """CPU that is in the records of this second."""


class Quality(NamedTuple):
    """The sampler itself over about one second."""

    t0_ns: int
    t1_ns: int
    sweeps: int
    late: int
    """Sweeps that began after their time: the machine had no CPU for us."""
    dropped: int
    """Records lost because nobody took the stream."""
    cpu_ns: int
    rss_bytes: int
    rate_hz: float
    processes: int
    unseen_processes: int
    """Processes that ended before they were looked at."""


class PaceChange(NamedTuple):
    """The sampler changed its rate."""

    t_ns: int
    rate_hz: float
    share: float
    """What sampling took of one core in the second before."""
    why: str

    @property
    def text(self) -> str:
        """What a person is told."""
        if self.why == "budget":
            why = f"sampling took {self.share:.0%} of a core"
            return f"stack rate lowered to {self.rate_hz:.0f} Hz, {why}"
        return f"stack rate raised to {self.rate_hz:.0f} Hz again"


OwnRecord = ProcessRecord | ThreadRecord | ThreadEnded | Sample | Tally | Quality | PaceChange
