"""The records of a session: everything that any probe can say, one class per kind.

Times are int64 nanoseconds of CLOCK_MONOTONIC (`time.monotonic_ns`), the same in every process
of a session. Units are in the names. Unknown is None, never 0. Records are immutable; a thing
that lasts (a phase, an import) is two records, its begin and its end, because writers append
and nobody edits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from perftui.probes.own.tuples import NamedTuple

Severity = Literal["info", "warn", "critical"]

AMOUNTS_ALONE = "N"
"""State of a `Stack` that says what a thread used in a place, not that it stood there."""

ThreadKey = tuple[int, int]
"""(pid, tid)"""


class ProcessStart(NamedTuple):
    """A process of the target's tree was seen for the first time.

    A second record of the same time and pid says that it has another command line since: seen
    between fork and exec, or titled by itself as servers do.
    """

    t_ns: int
    pid: int
    ppid: int
    argv: tuple[str, ...]
    """Command line; secrets are redacted before anything is shown or written."""
    python: str | None = None
    """Version such as "3.12.1", None if the process is not Python or it is not known yet."""


class Metric(NamedTuple):
    """One reading of one process. The slow fields are filled about once a second, else None."""

    t_ns: int
    pid: int
    cpu_s: float
    """Cumulative CPU seconds of the process (all threads, without children)."""
    rss_bytes: int
    high_water_rss_bytes: int | None = None
    """VmHWM: the kernel's own peak since the process began (or its last exec)."""
    cpu_user_s: float | None = None
    """The user part of `cpu_s`, in the kernel's ticks of 10 ms."""
    cpu_system_s: float | None = None
    anon_rss_bytes: int | None = None
    """RssAnon: RSS without file mappings."""
    pss_bytes: int | None = None
    uss_bytes: int | None = None
    swap_bytes: int | None = None
    threads: int | None = None
    fds: int | None = None
    io_read_bytes: int | None = None
    io_write_bytes: int | None = None
    faults_major: int | None = None
    context_switches_voluntary: int | None = None
    context_switches_involuntary: int | None = None
    run_queue_wait_s: float | None = None
    """Cumulative seconds that runnable threads waited for a core (/proc/PID/schedstat)."""
    group_peak_bytes: int | None = None
    """The kernel's own peak of the control group that the target is in: page cache and whoever
    else is in it included, since the group was made. Told with the target alone."""


class ThreadCpu(NamedTuple):
    """Cumulative CPU of one OS thread, native threads included."""

    t_ns: int
    pid: int
    tid: int
    name: str
    """The kernel's name of the thread (15 bytes)."""
    cpu_s: float
    state: str
    """R, S, D, ... as in /proc/PID/stat."""
    run_wait_s: float | None = None
    """Cumulative seconds that it could run and no core was free (schedstat)."""


class ThreadName(NamedTuple):
    """The name that Python gives to an OS thread."""

    t_ns: int
    pid: int
    tid: int
    name: str


class Stack(NamedTuple):
    """One thread was in one call-tree node from t0 to t1 (sample and hold).

    A sampler that reads the kernel's counters in the same instant as the stack fills the fields
    at the end; they are of the moment t0. Others leave them None.
    """

    t0_ns: int
    t1_ns: int
    pid: int
    tid: int
    node: int
    """Leaf in the session's call tree (`calltree.CallTree`)."""
    torn: bool = False
    """The stack was read while it changed: its leaf counts for self time, its path does not."""
    cpu_ns: int | None = None
    """On-CPU time of the thread since its last reading, up to t0. None beside a `state`: no new
    reading, the stack of the last one holds on."""
    run_queue_ns: int | None = None
    """Runnable without a CPU since its last reading."""
    faults: int | None = None
    """Minor page faults since its last reading."""
    faults_in_window: int | None = None
    """Those of them in the microseconds in which this stack was read."""
    state: str | None = None
    """Of the kernel, read right after the stack: R running or runnable, S asleep, ..."""
    on_cpu: bool | None = None
    """Whether a runnable thread had a CPU, None if that was not asked."""
    gil_held: bool | None = None
    unsteady: bool | None = None
    """It moved in every reading: only its outer part is here, which is certain."""
    wait: str | None = None
    """What a sleeping thread waits for, as far as the kernel tells: sleep, lock, poll, pipe,
    socket, disk, child, fault, other; "" = not known."""
    task: str | None = None
    """Name of the asyncio task that ran."""
    sweep_ns: int | None = None
    """Since the sampler's sweep before: up to that one the thread's last reading held."""
    biased: bool = False
    """Such a reading meets some code more often than it runs, as is known."""
    brief: bool = False
    """The CPU since its last reading was used in pieces of less than 0.5 ms, in the mean."""


class StackWindow(NamedTuple):
    """How well one window of stack sampling went."""

    t0_ns: int
    t1_ns: int
    pid: int
    rate_hz: float
    samples: int
    """Stacks taken (sweeps x threads)."""
    errors: int
    """Stacks that could not be read."""
    torn: int
    """Stacks that were read but make no sense."""
    sampler_cpu_s: float
    backend: str
    """"" in a window of a process that nobody could sample."""
    sweeps: int | None = None
    """Looks at the process, None if only samples are counted."""
    cpu_ns: int | None = None
    """CPU of the process since its window before, or since the session began."""
    covered_cpu_ns: int | None = None
    """Part of it for which there are stacks."""


class PhaseBegin(NamedTuple):
    """`with perftui.phase(name)` was entered."""

    t_ns: int
    pid: int
    tid: int
    id: int
    """Unique within the process."""
    name: str
    parent_id: int | None
    cpu_s: float | None
    rss_bytes: int | None


class PhaseEnd(NamedTuple):
    """The phase `id` of `pid` ended."""

    t_ns: int
    pid: int
    id: int
    cpu_s: float | None
    rss_bytes: int | None


class ImportBegin(NamedTuple):
    """A module began to be imported."""

    t_ns: int
    pid: int
    tid: int
    id: int
    module: str
    parent_id: int | None
    """The import that caused this one."""
    rss_bytes: int | None
    function: str | None = None
    """Code that caused it, and its place; None where another import did, or it is not known."""
    file: str | None = None
    line: int | None = None
    lazy: bool | None = None
    """It was put off before, by a lazy import or a lazy loader, and happens now."""


class ImportEnd(NamedTuple):
    """The import `id` of `pid` ended (also when it failed)."""

    t_ns: int
    pid: int
    id: int
    self_ns: int
    total_ns: int
    rss_bytes: int | None
    ok: bool


class Call(NamedTuple):
    """One timed call ended: the n-th of its name, so that first and warm are told apart."""

    t_ns: int
    pid: int
    tid: int
    name: str
    n: int
    """1 for the first."""
    duration_ns: int
    ok: bool


class Count(NamedTuple):
    """A counter's cumulative value (rows, bytes, batches, ...)."""

    t_ns: int
    pid: int
    name: str
    total: float


class Mark(NamedTuple):
    """A point in time that somebody wanted to find again."""

    t_ns: int
    pid: int
    name: str


class Plan(NamedTuple):
    """What an engine says that it will do for a query: its EXPLAIN, and what that comes to."""

    t_ns: int
    pid: int
    name: str
    """The query's, as its calls are named."""
    text: str
    filter: str | None = None
    """Where the filter takes place, e.g. "in the scan"; "none" if there is none in the plan."""
    columns_read: int | None = None
    columns_needed: int | None = None
    rows_read: int | None = None
    """By the scan."""
    rows_needed: int | None = None


class TaskSeen(NamedTuple):
    """One task of asyncio, as one of a list: all of the same `t_ns` and `pid`.

    The newest list of a process says what its tasks wait for now, or waited for last.
    """

    t_ns: int
    pid: int
    n: int
    """Place in the list, from 1 on; 0 says that the process has no task any more."""
    total: int
    """Tasks there were; a list holds no more than the first 1,000."""
    name: str
    awaits: str | None
    """None: nothing, it runs or may run."""
    frames: str
    """JSON [[function, file, line], ...]: its coroutine, then what that awaits, and so on."""


class LoopBlock(NamedTuple):
    """An event loop of asyncio did not come back from one callback, up to `t_ns` at least."""

    t_ns: int
    pid: int
    tid: int
    """Of the loop's thread, 0 if unknown."""
    n: int
    """Blocks of this process so far, this one included: not each of them is told."""
    took_ns: int
    """Seen so far; it began a little earlier."""
    over: bool
    callback: str
    """The program's outermost function below the loop, with its place."""
    where: str
    """Its innermost one, with its place."""
    stack: str
    """All of them, from the callback to `where`."""


class Collected(NamedTuple):
    """What the collector of cycles did in one process and generation, in [t0, t).

    A long collection has a record of its own, in which `n` is 1.
    """

    t_ns: int
    pid: int
    t0_ns: int
    generation: int
    n: int
    """Collections, by the interpreter's own count."""
    timed: int
    """Where there are very many, not all are."""
    pause_ns: int
    """What all took; those that were not timed count like others of their generation."""
    longest_ns: int
    """Of those that were timed."""
    collected: int
    """Objects, by the interpreter's own count; a long collection's are in the record after it."""


class GrowthLook(NamedTuple):
    """For some seconds the agent looked who makes memory grow: how that went."""

    t_ns: int
    pid: int
    t0_ns: int
    """It began; the answers are of [t0, t)."""
    by: str
    """"census" or "entry and exit"."""
    rose_bytes: int | None
    """RSS of the process meanwhile."""
    looked: int
    """Objects that the later census looked at, or calls that were measured."""
    cpu_ns: int
    longest_ns: int
    """For which it held the program's GIL at once."""
    note: str
    """What keeps the answers from being whole, "" if nothing does."""
    told: int
    """Answers that follow."""


class Keeper(NamedTuple):
    """Something that has a name in the program holds more than before."""

    t_ns: int
    pid: int
    t0_ns: int
    what: str
    """The path that holds it, such as "etl.CACHE" or "parts in main"."""
    type: str
    of: str
    """Type of what is new in it."""
    entries: int
    """That came meanwhile; 0 where something grew by itself."""
    total: int
    bytes: int
    """An estimate: of the newest entries, times those that came."""
    sampled: bool
    """Some of many alike were looked at."""
    fills: str
    """Code that can fill it: lines of function, file, line with tabs between."""


class Rise(NamedTuple):
    """In this function's own code, memory rose by so much, between its entries and exits."""

    t_ns: int
    pid: int
    t0_ns: int
    function: str
    """"" for all code that was not measured."""
    file: str
    line: int
    calls: int
    rss_bytes: int
    """RSS of the process, net: negative where it fell."""
    touched_bytes: int
    """Page faults of the thread alone."""


BY_MEMRAY, BY_TRACEMALLOC = "memray", "tracemalloc"


class Allocated(NamedTuple):
    """What one place in code allocated in one step of time, says memray or tracemalloc."""

    t_ns: int
    """The step is [t, t1)."""
    pid: int
    t1_ns: int
    thread: str
    function: str
    file: str
    line: int
    own_function: str | None
    """The innermost frame that is the program's own, None if there is none."""
    own_file: str | None
    own_line: int | None
    bytes: int
    allocations: int
    freed_ns: int | None
    """Until then all of it was freed; None: never while it was recorded."""
    by: str
    """Who says so."""
    stack: str
    """Lines "FUNCTION FILE:LINE", outermost first."""


class Run(NamedTuple):
    """One run of a target that keeps its process, as seen from both sides.

    What was waited for and not worked is named: `waited_ns` is the sum of spawn, held, load,
    worked, and the way of order and answer.
    """

    t_ns: int
    """The answer came."""
    pid: int
    n: int
    """1 for the first of the session."""
    cold: bool
    """The first of its program; else the process had run before."""
    ok: bool
    waited_ns: int
    """By us, from the order to the answer."""
    spawn_ns: int | None
    """The interpreter started; None for warm runs, as the next two."""
    held_ns: int | None
    """We held it back until its stacks could be sampled."""
    load_ns: int | None
    """The scenario was imported and its parameters read."""
    t_work_ns: int
    worked_ns: int
    """By the target's own clock."""


class Installed(NamedTuple):
    """A distribution of which the program imported something; told at its end, once a session."""

    t_ns: int
    pid: int
    name: str
    """As its metadata folder is called, with hyphens."""
    version: str


class Pool(NamedTuple):
    """Bytes that one allocator says it has given out ("arrow", "python heap", ...)."""

    t_ns: int
    pid: int
    name: str
    bytes: int
    backend: str | None = None
    """Whose memory it gives out, if it says so: "mimalloc", "jemalloc", "system"."""


class MemoryPart(NamedTuple):
    """One part of a process's resident memory; those of the same `t_ns` and `pid` sum to its RSS.

    A part that is not among them is not known, or there is none of it.
    """

    t_ns: int
    pid: int
    name: str
    """As in `resident.parts`."""
    bytes: int
    share_bytes: int
    """Of it, if pages that others have too are shared out among them."""


class LogLine(NamedTuple):
    """A line that the target wrote."""

    t_ns: int
    stream: Literal["stdout", "stderr"]
    text: str


class Notice(NamedTuple):
    """perftui has something to say: what could not be measured, why, and what to do about it."""

    t_ns: int
    severity: Severity
    text: str


class Gap(NamedTuple):
    """Nothing was measured from t0 to t1 (suspended, probe stalled)."""

    t0_ns: int
    t1_ns: int
    reason: str


class Exit(NamedTuple):
    """A process ended. The usage fields are the kernel's own sums (wait4) of a launched target."""

    t_ns: int
    pid: int
    exit_code: int | None
    """None if unknown (attached) or ended by a signal."""
    signal: int | None
    cpu_user_s: float | None = None
    cpu_system_s: float | None = None
    max_rss_bytes: int | None = None


class Alert(NamedTuple):
    """A detector's finding; `t_clear_ns` comes with a second record of the same onset."""

    kind: str
    severity: Severity
    t_onset_ns: int
    t_detect_ns: int
    t_clear_ns: int | None
    message: str
    evidence: str


class Overhead(NamedTuple):
    """What perftui itself costs: its own process plus its samplers, cumulative."""

    t_ns: int
    cpu_s: float
    rss_bytes: int
    late_samples: int
    """Metric ticks that came more than 10 ms late."""
    worst_late_ns: int
    dropped_records: int


if TYPE_CHECKING:
    Record = (
        ProcessStart
        | Metric
        | ThreadCpu
        | ThreadName
        | Stack
        | StackWindow
        | PhaseBegin
        | PhaseEnd
        | ImportBegin
        | ImportEnd
        | Call
        | Count
        | Mark
        | LoopBlock
        | Collected
        | Plan
        | TaskSeen
        | GrowthLook
        | Keeper
        | Rise
        | Allocated
        | Run
        | Installed
        | Pool
        | MemoryPart
        | LogLine
        | Notice
        | Gap
        | Exit
        | Alert
        | Overhead
    )
else:
    Record = tuple
    """To who asks for the class; Python 3.9, which reads this too, knows no `|` of classes."""
