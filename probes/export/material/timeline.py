"""What every stack format draws from, so that all of them come to the same sums.

A `StackTimeline` holds, thread by thread, what ran when: intervals of the range, clipped to it,
in the order of time, one after the other of the same stack joined. What a sampler found out only
later (CPU in bursts that no reading met, memory touched) is no time of its own: such amounts come
beside the intervals, with the moment from which on they were known. Stacks are those of the screen:
functions (or lines) without the import plumbing, of a torn stack its leaf alone.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.export.material.error import ExportError
from perftui.probes.profile.sums import MergedTree
from perftui.probes.spine.calltree import ROOT, Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.recording.read.intervals import StackInterval
    from perftui.probes.spine.reader import Reader, Weights
    from perftui.probes.spine.records import ThreadKey

NO_FRAME = Frame("(interpreter)", "", 0, "", "native")
"""Stands for a stack of nothing but import plumbing, or of our own agent."""


class StackSpan(NamedTuple):
    """One thread was in one stack from t0 to t1."""

    t0_ns: int
    t1_ns: int
    stack: int
    """Node of the timeline's tree; `StackTimeline.frames` gives its frames."""
    cpu_ns: int
    grown_bytes: int
    """An estimate."""
    torn: bool
    wall_ns: int
    """What counts: CPU and waiting. Where a sampler tells them apart it may differ from t1 - t0;
    the sums of a thread hardly do."""
    touched_bytes: int
    held: bool = True
    """False: amounts beside the intervals, known from t1 on."""
    waits_ns: tuple[int, ...] = ()
    """Kinds of waiting, as `intervals.WAITS`; empty where nobody knows or asked."""


class ThreadTimeline:
    """What one thread did, in columns: an hour of a busy thread is a few megabytes.

    Args:
        thread: (pid, tid)
        name: Python's name of the thread, else the kernel's, else its number.
        process: The process for people, as "python 4000".
    """

    def __init__(self, thread: ThreadKey, name: str, process: str) -> None:
        self.pid, self.tid = thread
        self.name = name
        self.process = process
        self.wall_ns = 0
        self.cpu_ns = 0
        self._t0 = array("q")
        self._t1 = array("q")
        self._stack = array("q")
        self._cpu = array("q")
        self._grown = array("q")
        self._torn = array("b")
        self._wall = array("q")
        self._touched = array("q")
        self._waits: list[tuple[int, ...]] = []
        """Mostly one of few, or none."""
        self.beside: list[StackSpan] = []
        """Amounts of no interval, by the moment from which on they were known."""

    @property
    def label(self) -> str:
        """Process and thread: "python 4000 / MainThread"."""
        return f"{self.process} / {self.name}"

    def __len__(self) -> int:
        """Number of spans."""
        return len(self._t0)

    def add(self, intervals: Iterable[StackInterval], stacks: MergedTree) -> None:
        """Take intervals that follow those taken before."""
        t0s, t1s, nodes, torns = self._t0, self._t1, self._stack, self._torn
        merge, merge_torn = stacks.merge, stacks.merge_torn
        late: list[StackSpan] = []
        for t0, t1, node, torn, cpu, grown, wall, touched, held, waits in intervals:
            stack = merge_torn(node) if torn else merge(node)
            self.wall_ns += wall
            self.cpu_ns += cpu
            if not held:
                span = StackSpan(t0, t1, stack, cpu, grown, torn, wall, touched, False, waits)
                late.append(span)
                continue
            if t1s and t1s[-1] == t0 and nodes[-1] == stack and torns[-1] == torn:
                if waits or self._waits[-1]:
                    self._waits[-1] = _added(self._waits[-1], waits)
                t1s[-1] = t1
                self._cpu[-1] += cpu
                self._grown[-1] += grown
                self._wall[-1] += wall
                self._touched[-1] += touched
                continue
            t0s.append(t0)
            t1s.append(t1)
            nodes.append(stack)
            torns.append(torn)
            self._cpu.append(cpu)
            self._grown.append(grown)
            self._wall.append(wall)
            self._touched.append(touched)
            self._waits.append(waits)
        if late:
            self.beside = sorted([*self.beside, *late], key=lambda span: span.t1_ns)

    def __iter__(self) -> Iterator[StackSpan]:
        """Yield the spans in the order of time."""
        columns = (self._t0, self._t1, self._stack, self._cpu, self._grown)
        more = (self._torn, self._wall, self._touched, self._waits)
        for t0, t1, stack, cpu, grown, torn, wall, touched, waits in zip(
            *columns, *more, strict=True
        ):
            yield StackSpan(t0, t1, stack, cpu, grown, bool(torn), wall, touched, True, waits)

    def with_beside(self) -> Iterator[StackSpan]:
        """Yield the spans in the order of time, and what lies beside them before the next one."""
        beside = iter(self.beside)
        late = next(beside, None)
        for span in self:
            while late is not None and late.t1_ns <= span.t0_ns:
                yield late
                late = next(beside, None)
            yield span
        if late is not None:
            yield late
            yield from beside


class StackTimeline:
    """The threads of a part of a recording, hottest first, and the stacks that they share."""

    def __init__(self, tree: MergedTree, threads: list[ThreadTimeline]) -> None:
        self.tree = tree
        self.threads = threads

    @property
    def wall_ns(self) -> int:
        """The sampled time of all threads: what every stack format sums up to."""
        return sum(thread.wall_ns for thread in self.threads)

    def path(self, stack: int) -> list[int]:
        """Return the tree's nodes from the outermost to `stack`; the root alone for no frame."""
        return self.tree.path(stack) or [ROOT]

    def frame(self, node: int) -> Frame:
        """Return the frame of a node of a path."""
        return NO_FRAME if node == ROOT else self.tree.frame(node)

    def frames(self, stack: int) -> list[Frame]:
        """Return the frames of a stack, outermost first, at least one."""
        return [self.frame(node) for node in self.path(stack)]


def _added(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """Add kinds of waiting up, known or not."""
    if not first or not second:
        return first or second
    return tuple(map(sum, zip(first, second, strict=True)))


def timeline(
    reader: RecordedReader, part: Slice, *, by_line: bool | None = None, waits: bool = False
) -> StackTimeline:
    """Return what the threads of a part of a recording did.

    Args:
        reader: The recording.
        part: Which part.
        by_line: Lines instead of functions; as `part` says if not given.
        waits: The kinds of waiting are wanted, too.
    """
    tree = MergedTree(reader.tree, by_line=part.by_line if by_line is None else by_line)
    names = process_names(reader)
    threads: dict[ThreadKey, ThreadTimeline] = {}
    for thread, intervals in reader.stack_intervals(part.t0_ns, part.t1_ns, waits=waits):
        if not part.has_thread(*thread):
            continue
        mine = threads.get(thread)
        if mine is None:
            process = names.get(thread[0]) or f"process {thread[0]}"
            mine = threads[thread] = ThreadTimeline(thread, reader.thread_name(thread), process)
        mine.add(intervals, tree)
    ranked = sorted(threads.values(), key=lambda t: (-t.cpu_ns, -t.wall_ns, t.pid, t.tid))
    return StackTimeline(tree, ranked)


def process_names(reader: Reader) -> dict[int, str]:
    """Return what to call each process: its program and its number, as "python 4000"."""
    found = {}
    for process in reader.processes():
        program = process.argv[0].rpartition("/")[2] if process.argv else ""
        found[process.pid] = f"{program or 'process'} {process.pid}"
    return found


def stack_sums(reader: Reader, part: Slice) -> dict[ThreadKey, dict[int, Weights]]:
    """Return the self weights per thread and call-tree node of a part: `call_tree`'s, filtered.

    For formats that need no order; over long ranges it is far cheaper than a timeline.
    """
    trees = reader.call_tree(part.t0_ns, part.t1_ns)
    return {
        (tree.pid, tree.tid): tree.self_by_node
        for tree in trees
        if part.has_thread(tree.pid, tree.tid)
    }


def check_any(times: StackTimeline, part: Slice) -> None:
    """Check that there are stacks at all: viewers say something puzzling of an empty file.

    Raises:
        ExportError: there are none.
    """
    if not times.threads:
        raise no_stacks(part)


def no_stacks(part: Slice) -> ExportError:
    """Return the error of a part without stacks."""
    chosen = "of what was chosen" if part.threads is not None or part.pid is not None else "in it"
    return ExportError(
        f"there are no stacks {chosen}: `perftui query NAME 'FROM windows'` tells when there were"
    )
