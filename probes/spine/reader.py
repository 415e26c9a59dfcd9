"""`Reader`: the one face that screens, summaries, exports and comparisons see.

The live session and a recording both implement it; what works on one works on the other.
Every answer is a fresh immutable value: a caller may keep it while the session goes on.
All times are nanoseconds on the session's clock; ranges are half open [t0, t1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import NamedTuple

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.records import (
        Alert,
        Allocated,
        Collected,
        Exit,
        GrowthLook,
        Installed,
        Keeper,
        LogLine,
        Notice,
        Overhead,
        Plan,
        Rise,
        Run,
        ThreadKey,
    )
else:
    from perftui.probes.own.tuples import NamedTuple

OWN_SAMPLER = "own sampler"
"""Who takes the stacks where that can be ours: of others the CPU of a function is an estimate."""
TREE = 0
"""As a pid: the sum over the target's whole process tree."""

State = Literal["starting", "live", "waiting", "exited", "recording"]
"""waiting: the target keeps its process, its work is done, and it waits for a person's order."""


class Target(NamedTuple):
    """What is watched."""

    title: str
    """What a person calls it: scenario and parameters, or the command."""
    argv: tuple[str, ...]
    pid: int
    python: str | None
    launched: bool
    agent: bool
    """True once the agent inside has said hello."""
    memray: bool = False
    """memray records its allocations, and slows it down."""


class Status(NamedTuple):
    """The state of the session, and what the tool says about itself."""

    state: State
    t_start_ns: int
    t_end_ns: int
    """Latest moment known: now, or the end."""
    exit_code: int | None
    signal: int | None
    stack_backend: str | None
    """Who takes the stacks, as `OWN_SAMPLER`; several are joined by +."""
    stack_rate_hz: float | None
    """Sweeps per second achieved lately."""
    stack_coverage: float | None
    """Share of the tree's CPU for which there are stacks, 0..1, over the whole session; of the
    target's time where a sampler does not tell the CPU."""
    torn_share: float | None
    own_cpu_percent: float | None
    """perftui and its samplers, of one core, lately."""
    own_rss_bytes: int | None
    late_samples: int
    dropped_records: int
    notices: tuple[Notice, ...]
    stacks_until_ns: int | None = None
    """Stacks of the target have come up to this moment; None before the first."""
    stack_asked_hz: float | None = None
    """Sweeps per second that were aimed at; None before the first."""


class Buckets(NamedTuple):
    """One metric of a range in n equal buckets; None where nothing was measured."""

    t0_ns: int
    t1_ns: int
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    last: tuple[float | None, ...]


class Process(NamedTuple):
    """One process of the tree."""

    pid: int
    ppid: int
    argv: tuple[str, ...]
    python: str | None
    t_start_ns: int
    t_end_ns: int | None


class ProcessUse(NamedTuple):
    """What one process of the tree used, in a range."""

    pid: int
    rss_bytes: float | None
    """At the end of the range; None if it had ended by then."""
    peak_rss_bytes: float | None
    cpu_percent: float | None
    """Of one core, at the end of the range."""
    cpu_s: float
    threads: int
    """Seen in the range."""


class Thread(NamedTuple):
    """One OS thread of the tree, Python or native, in a range."""

    pid: int
    tid: int
    name: str
    """Python's name if it has one, else the kernel's."""
    is_python: bool
    state: str
    cpu_percent: float
    """Of one core, in the range."""
    cpu_s: float
    """In the range."""
    where: str
    """The innermost frame that says most, as "function file:line"; "" for native threads."""
    waiting: str
    """What it waits for, e.g. "waiting in lancedb"; "" while it runs or if unknown."""
    gil_held_percent: float | None = None
    """Share of the range in which it held the GIL, None where that is not known."""
    gil_wait_percent: float | None = None
    """Share in which it waited for the GIL with work to do."""


class Phase(NamedTuple):
    """One entry of a phase; t1_ns is None while it runs."""

    pid: int
    id: int
    parent_id: int | None
    name: str
    depth: int
    t0_ns: int
    t1_ns: int | None
    cpu_s: float | None
    rss_start_bytes: int | None
    rss_end_bytes: int | None
    peak_rss_bytes: int | None
    tid: int = 0
    """Of the thread that entered it, 0 where that is not known."""


class Import(NamedTuple):
    """One module import; while it runs `running` is True and the times are so far."""

    pid: int
    id: int
    parent_id: int | None
    module: str
    t0_ns: int
    self_ns: int
    total_ns: int
    rss_bytes: int | None
    """RSS gained while it was imported, children included."""
    running: bool
    ok: bool
    tid: int = 0
    function: str | None = None
    """Code that caused it, and its place; None where another import did, or it is not known."""
    file: str | None = None
    line: int | None = None
    lazy: bool | None = None
    """It was put off before, by a lazy import or a lazy loader, and happens now."""


class CallStats(NamedTuple):
    """Timed calls of one name."""

    name: str
    n: int
    first_ns: int
    warm_median_ns: int | None
    """Median of all but the first, None before the second."""
    last_ns: int
    ratio: float | None
    """first / warm median."""
    failed: int
    first_imports: tuple[Import, ...] = ()
    """What the first call imported in its thread, none that another of them caused."""


class RunCost(NamedTuple):
    """One run of a target that keeps its process, and what it imported."""

    run: Run
    imported_ns: int
    """Part of the work that was importing."""
    modules: int

    @property
    def transport_ns(self) -> int:
        """What was waited for and is nothing else: the way of order and answer."""
        run = self.run
        known = (run.spawn_ns, run.held_ns, run.load_ns, run.worked_ns)
        return max(run.waited_ns - sum(part or 0 for part in known), 0)


class Task(NamedTuple):
    """One task of asyncio, as it was last seen."""

    pid: int
    name: str
    frames: tuple[tuple[str, str, int], ...]
    """(function, file, line) of its coroutine, then of what that awaits, and so on."""
    awaits: str | None
    """None: nothing, it runs or may run."""
    t_ns: int
    """When it was first seen so."""


class Counter(NamedTuple):
    """A counter at the end of a range."""

    name: str
    total: float
    per_s: float | None
    """Over the range, from its first to its last change."""
    first_t_ns: int


class Event(NamedTuple):
    """Something at a moment that a person may want to jump to."""

    t_ns: int
    kind: str
    """phase, mark, plan, import, call, process, exit, gap, notice, alert"""
    text: str
    call: str = ""
    """Of the kind "call": the name of the call, this being its first."""


class Weights(NamedTuple):
    """What was spent with a node as the leaf, in a range."""

    wall_ns: int
    cpu_ns: int
    grown_bytes: int
    """RSS that the process gained meanwhile, by what was touched or, where that is not known, by
    share of CPU: an estimate."""
    torn_ns: int
    """Part of wall_ns from stacks that were torn."""
    touched_bytes: int = 0
    """Memory touched for the first time (page faults), freed since or not; 0 where no sampler
    counts it. With huge pages a lower bound."""
    queue_ns: int = 0
    """Runnable, and no CPU was free. This and the following are parts of `waiting_ns`."""
    gil_ns: int = 0
    lock_ns: int = 0
    io_ns: int = 0
    sleep_ns: int = 0
    child_ns: int = 0
    with_gil_ns: int = 0
    """In which the thread held the GIL, by the readings that met it so; no part of waiting."""
    unsure_bytes: int = 0
    """Part of `touched_bytes` that no readings met: given by what was met beside it, or to the
    caller of all that was."""
    brief_ns: int = 0
    """Part of `cpu_ns`, used in bursts under 0.5 ms that no reading met."""
    catches: int = 0
    """Readings that caught the running thread while it touched memory here."""

    @property
    def waiting_ns(self) -> int:
        """Wall time off the CPU; what is in none of its kinds is of unknown kind."""
        return max(self.wall_ns - self.cpu_ns, 0)


class ThreadTree(NamedTuple):
    """Self weights of one thread by leaf node; totals follow by walking up the call tree."""

    pid: int
    tid: int
    name: str
    wall_ns: int
    cpu_ns: int
    grown_bytes: int
    self_by_node: dict[int, Weights]
    waiting: str
    """What the time off CPU at this thread's leaves was spent on, "" if it is not known."""


class Blame(NamedTuple):
    """What was found out from inside about who makes memory grow, in the order of the looks."""

    looks: tuple[GrowthLook, ...]
    keepers: tuple[Keeper, ...]
    rises: tuple[Rise, ...]
    allocated: tuple[Allocated, ...] = ()
    """What memray recorded of steps of time whose middle is in the range."""


NO_BLAME = Blame((), (), ())


class Reader(Protocol):
    """See the module. Cheap calls: a screen makes them several times a second."""

    @property
    def tree(self) -> CallTree:
        """The session's interned frames and nodes."""
        ...

    def target(self) -> Target:
        """What is watched."""
        ...

    def status(self) -> Status:
        """State, span and honesty figures."""
        ...

    def exit(self) -> Exit | None:
        """How the target ended, None while it runs."""
        ...

    def overhead(self) -> Overhead | None:
        """What perftui itself has cost so far, None before its first reading of itself."""
        ...

    def own_peak_rss_bytes(self) -> int | None:
        """The most memory that perftui itself had, None before the first reading."""
        ...

    def sampler_cpu_s(self) -> float:
        """CPU seconds of the stack samplers so far; never waits."""
        ...

    def sample_counts(self) -> tuple[int, int]:
        """Stack samples taken, and torn ones among them."""
        ...

    def metric_names(self, pid: int = TREE) -> tuple[str, ...]:
        """Metrics known so far: fields of `records.Metric`, "cpu_percent", "count:NAME" (total),
        "rate:NAME" (per second) and "pool:NAME"."""
        ...

    def metric(self, name: str, t0_ns: int, t1_ns: int, n: int, pid: int = TREE) -> Buckets:
        """One metric of a range in `n` buckets; a spike never vanishes by thinning."""
        ...

    def last(self, name: str, pid: int = TREE) -> float | None:
        """Newest value of a metric, None before the first."""
        ...

    def last_read_ns(self, name: str, pid: int = TREE) -> int | None:
        """When that value was read, None before the first."""
        ...

    def highest(self, name: str, t0_ns: int, t1_ns: int, pid: int = TREE) -> float | None:
        """Highest value of a metric in a range, None if it has none."""
        ...

    def processes(self) -> tuple[Process, ...]:
        """The target and all its descendants seen so far, oldest first."""
        ...

    def process_use(self, t0_ns: int, t1_ns: int) -> tuple[ProcessUse, ...]:
        """What each process that lived in the range used, in the order of `processes`."""
        ...

    def threads(self, t0_ns: int, t1_ns: int) -> tuple[Thread, ...]:
        """Threads that lived in the range, hottest first."""
        ...

    def thread_name(self, thread: ThreadKey) -> str:
        """Python's name of a thread, else the kernel's, else its number."""
        ...

    def call_tree(
        self, t0_ns: int, t1_ns: int, threads: Collection[tuple[int, int]] | None = None
    ) -> tuple[ThreadTree, ...]:
        """Stacks of the range per thread, hottest first; `threads` = (pid, tid) to keep."""
        ...

    def phases(self, t0_ns: int, t1_ns: int) -> tuple[Phase, ...]:
        """Phases that overlap the range, by start."""
        ...

    def imports(self, t0_ns: int, t1_ns: int) -> tuple[Import, ...]:
        """Imports that overlap the range, by start: parents before their children."""
        ...

    def calls(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        """Timed calls that ended in the range, by name in order of first use."""
        ...

    def counters(self, t0_ns: int, t1_ns: int) -> tuple[Counter, ...]:
        """Counters as they stood at the end of the range, in order of first use."""
        ...

    def events(self, t0_ns: int, t1_ns: int) -> tuple[Event, ...]:
        """Events of the range in time order."""
        ...

    def runs(self, t0_ns: int, t1_ns: int) -> tuple[RunCost, ...]:
        """Runs that ended in the range, of a target that keeps its process."""
        ...

    def collected(self, t0_ns: int, t1_ns: int) -> tuple[Collected, ...]:
        """What collections of cycles took, steps of time that overlap the range."""
        ...

    def installed(self) -> tuple[Installed, ...]:
        """Distributions of which something was imported, by name; told when a program ends."""
        ...

    def plans(self, t1_ns: int) -> tuple[Plan, ...]:
        """Plans of queries told before a moment, the oldest first; a name may have several."""
        ...

    def tasks(self, t1_ns: int) -> tuple[Task, ...]:
        """Tasks of asyncio as they stood at a moment, or when their process ended before."""
        ...

    def blame(self, t0_ns: int, t1_ns: int) -> Blame:
        """Who made memory grow, by the looks from inside that ended in the range."""
        ...

    def log_lines(self, t0_ns: int, t1_ns: int, limit: int = 1000) -> Sequence[LogLine]:
        """The newest `limit` lines that the target wrote in the range."""
        ...

    def alerts(self, t0_ns: int, t1_ns: int) -> tuple[Alert, ...]:
        """Alerts and marks whose span overlaps the range, each as it stands now, by onset."""
        ...
