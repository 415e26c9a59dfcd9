"""From the sampler's records to the session's: every stack holds on until the thread's next one.

The sampler writes about a thread only when it ran. Here each record becomes an interval of the
thread's stack, which begins with the record and ends with the next; what still holds on is told
from time to time, so that a thread that sleeps is on the screen too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perftui.probes.own.tuples import made
from perftui.probes.process.linux import AGENT_COMM
from perftui.probes.profile.memory.growth import NATIVE
from perftui.probes.spine.calltree import MAX_DEPTH, ROOT, is_agent_file
from perftui.probes.spine.reader import OWN_SAMPLER
from perftui.probes.spine.records import AMOUNTS_ALONE, Stack, StackWindow, ThreadName
from perftui.probes.stacks.chrometrace import elide
from perftui.probes.stacks.own.records import (
    ProcessRecord,
    Quality,
    Sample,
    StackNode,
    Tally,
    ThreadEnded,
    ThreadRecord,
)
from perftui.probes.target.orders import at_rest
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.records import Record
    from perftui.probes.stacks.own.records import OwnRecord
    from perftui.probes.stacks.thread_names import ThreadNames

TASK_ROWS = 200
"""A server may name each request's task: beyond so many they share a row."""
UNNAMED_TASKS = "tasks without a name"
MANY_TASKS = "other tasks"
_UNNAMED = re.compile(r"Task-\d+")
_TELL_IDLE_NS = NS_PER_S
_DELAY_NS = 250_000_000
"""Records of a moment have come by so much later."""
_WHERE_THREADS_BEGIN = frozenset({"threading.py", "_base.py", "thread.py"})

_NAMES_THREADS = 0x030E0000
"""From Python 3.14 on the kernel's name of a thread is Python's, cut off after `_COMM_BYTES`."""
_COMM_BYTES = 15
_CPU, _FAILED = map(Sample._fields.index, ("cpu_ns", "failed"))
"""From the former on, but for the latter, a record has what a stack tells of the one with which it
begins, in the same order."""
assert Stack._fields[6:] == Sample._fields[_CPU:_FAILED] + Sample._fields[_FAILED + 1 :]

_INTERPRETER = "<interpreter "
"""So begins the row above a stack that is in another interpreter (`sampler.cpython.names`)."""


class _Held:
    """A thread and the stack in which it is."""

    __slots__ = (
        "facts",
        "fresh",
        "gil_held",
        "named",
        "node",
        "ours",
        "pid",
        "since_ns",
        "stack",
        "state",
        "thread",
        "tid",
        "told_ns",
    )

    def __init__(self, thread: ThreadRecord) -> None:
        self.thread = thread
        self.pid, self.tid = thread.process.pid, thread.tid
        self.node: int | None = None
        """None: it has shown no Python stack."""
        self.since_ns = 0
        self.facts: Sample | None = None
        """Of the record with which the interval begins; None once they were told."""
        self.state, self.gil_held = "?", False
        """As of the last record that was told."""
        self.told_ns = 0
        self.fresh = False
        self.named = False
        self.stack: StackNode | None = None
        """Of its newest record."""
        self.ours = False
        """A thread of our agent: none of the program's."""


class Holding:
    """Turns records into those of the log; `take` what comes, `tell` what there is by now."""

    def __init__(self, tree: CallTree, target_pid: int, names: ThreadNames) -> None:
        """Begin.

        Args:
            tree: The session's.
            target_pid: Its windows come first.
            names: Is told of processes with new threads.
        """
        self._names = names
        self._tree = tree
        self._target_pid = target_pid
        self._held: dict[int, _Held] = {}
        self._programs: dict[int, str] = {}
        """By process: the kernel's name of its main thread."""
        self._nodes: dict[StackNode, int] = {}
        self._task_rows: dict[str, int] = {}
        self._nodes_of: dict[int, dict[StackNode, int]] = {}
        """By the row of a task."""
        self._generation = 0
        self._out: list[Record] = []
        self._tallies: list[Tally] = []
        self._cpu_ns: dict[int, int] = {}
        """CPU of each process as of its last tally, by the stream's number."""
        self._gone: list[int] = []
        """Processes whose last tally has come."""
        self._beginning: set[int] = set()
        """Processes that have shown nothing but the start of their interpreter, by the stream's
        number."""
        self._start_nodes: set[int] = set()
        """Nodes that show nothing but the start of an interpreter."""
        self._rest_nodes: set[int] = set()
        """Nodes at which nothing is the program's, see `orders.at_rest`."""
        self._newest_ns = 0

    def take(self, records: Iterable[OwnRecord], generation: int) -> None:
        """Take records of the stream.

        Args:
            records: In the order in which they came.
            generation: `Decoder.generation` after them.
        """
        if generation != self._generation:
            self._generation = generation
            self._nodes.clear()
            self._nodes_of.clear()
        for record in records:
            if type(record) is Sample:  # nearly all of them
                self._sample(record)
            elif isinstance(record, ThreadRecord):
                self._held[record.index] = _Held(record)
                if record.tid == record.process.pid:
                    self._programs[record.tid] = record.comm
            elif isinstance(record, ThreadEnded):
                self._ended(record)
            elif isinstance(record, Tally):
                self._tallies.append(record)
            elif isinstance(record, Quality):
                self._quality(record)
            elif isinstance(record, ProcessRecord) and record.status == "gone":
                self._gone.append(record.index)

    def tell(self, now_ns: int) -> list[Record]:
        """Return what there is to tell at a moment: windows last, stacks in order before them."""
        upto_ns = max(self._newest_ns, now_ns - _DELAY_NS)
        for held in self._held.values():
            if held.node is None:
                continue
            if held.fresh or upto_ns - held.told_ns >= _TELL_IDLE_NS:
                self._close(held, upto_ns)
                held.fresh = False
                held.told_ns = upto_ns
        out, self._out = self._out, []
        return out

    def finish(self, now_ns: int) -> list[Record]:
        """Return all that is left; the stream has ended."""
        for held in list(self._held.values()):
            self._end(held, max(self._newest_ns, now_ns - _DELAY_NS))
        self._held.clear()
        self._windows(None)
        return self.tell(now_ns)

    def _sample(self, sample: Sample) -> None:
        t_ns, thread, stack = sample[:3]
        held = self._held[thread.index]
        if held.ours or (held.node is None and self._is_ours(sample)):
            held.ours = True
            return
        if t_ns > self._newest_ns:
            self._newest_ns = t_ns
        node = None if stack is None else self._node(stack, sample.task)
        if node is None:
            if not sample.failed and sample.faults and held.tid != held.pid:
                self._native(held, sample)
                sample = sample._replace(faults=0, faults_in_window=None)
            if held.node is None:
                return  # a native thread
            node = held.node
        if held.node is None:
            held.since_ns = held.told_ns = t_ns
        else:
            if held.node in self._start_nodes and node not in self._start_nodes:
                # As between any two stacks at work: half of it is the start of the interpreter.
                sample = sample._replace(cpu_ns=sample.cpu_ns // 2)
            self._close(held, t_ns)
        if stack is not None and stack is not held.stack:
            if not held.named:
                held.named = True
                name = self._name(held, stack)
                if held.tid != held.pid:
                    self._names.want(held.pid)
                self._out.append(ThreadName(t_ns, held.pid, held.tid, name))
            held.stack = stack
            self._look_inside(held, sample)
        held.node = node
        held.facts = sample
        held.fresh = True

    def _name(self, held: _Held, stack: StackNode) -> str:
        """Return a thread's name until the whole is known: its function, as Python would say."""
        comm = held.thread.comm
        program = self._programs.get(held.pid)
        of_python = held.thread.process.version >= _NAMES_THREADS and program is not None
        if held.thread.tid == held.pid or not of_python or comm in (program, ""):
            return _guess(held, stack)
        cut = len(comm.encode()) >= _COMM_BYTES and not comm.endswith(")")
        return f"{comm}…" if cut else comm

    def _look_inside(self, held: _Held, sample: Sample) -> None:
        """Say in a thread's name that it is in another interpreter than the main one."""
        assert sample.stack is not None
        interpreter = _interpreter_of(sample.stack)
        pid, tid = held.pid, held.thread.tid
        if interpreter and self._names.met_inside(pid, tid, interpreter):
            name = self._names.told(pid, tid, self._name(held, sample.stack))
            self._out.append(ThreadName(sample.t_ns, pid, tid, name))
            self._names.want(pid)

    def _is_ours(self, sample: Sample) -> bool:
        """Tell whether a thread is the agent's: by its name, or, before it has that, its stack."""
        if sample.thread.comm == AGENT_COMM:
            return True
        if sample.stack is None:
            return False
        *_, outermost = sample.stack
        return is_agent_file(outermost.file)

    def _native(self, held: _Held, sample: Sample) -> None:
        """Tell of memory that a thread touched outside of Python: no code of the program's is
        there to have it, and the stack that it showed before has nothing to do with it."""
        comm = held.thread.comm
        frame = self._tree.frame_id(f"{NATIVE} ({comm})", "", 0, "native")
        node = self._tree.intern_below(ROOT, frame, outermost=True)
        t_ns, tid = sample.t_ns, held.thread.tid
        self._out.append(
            Stack(t_ns, t_ns + 1, held.pid, tid, node, faults=sample.faults, state=AMOUNTS_ALONE)
        )

    def _close(self, held: _Held, t_ns: int) -> None:
        """Write down the interval that is open, up to a moment; what holds on begins there."""
        begin_ns, node, facts = held.since_ns, held.node, held.facts
        assert node is not None
        if facts is None and t_ns <= begin_ns:
            return
        end_ns = t_ns if t_ns > begin_ns else begin_ns + 1
        held.since_ns, held.facts = end_ns, None
        if node in self._start_nodes:
            self._beginning.add(held.thread.process.index)
            return
        if self._beginning:
            self._beginning.discard(held.thread.process.index)
        if node in self._rest_nodes:
            return
        pid, tid = held.pid, held.tid
        if facts is None:
            state, gil_held = held.state, held.gil_held
            self._out.append(
                Stack(begin_ns, end_ns, pid, tid, node, state=state, gil_held=gil_held)
            )
            return
        if facts.stack is None or facts.failed:
            facts = facts._replace(faults_in_window=None, state="?", gil_held=False, unsteady=True)
        held.state, held.gil_held = facts.state, facts.gil_held
        told = facts[_CPU:_FAILED] + facts[_FAILED + 1 :]
        self._out.append(made(Stack, (begin_ns, end_ns, pid, tid, node, False, *told)))

    def _ended(self, record: ThreadEnded) -> None:
        held = self._held.pop(record.thread.index, None)
        if held is not None:
            self._end(held, record.t_ns)

    def _end(self, held: _Held, t_ns: int) -> None:
        if held.node is not None:
            self._close(held, t_ns)
            at_ns = held.since_ns
            tid = held.tid
            if held.node not in self._start_nodes:
                self._out.append(Stack(at_ns, at_ns + 1, held.pid, tid, held.node, state="X"))

    def _node(self, stack: StackNode, task: str | None) -> int:
        """Return the session's node of a stack, the nearest known caller being the start.

        Where an asyncio task runs, it is a row above the whole stack.
        """
        root, nodes = ROOT, self._nodes
        if task is not None:
            root, nodes = self._task(task)
        known = nodes.get(stack)
        if known is None:
            known = self._new_node(stack, root, nodes)
        return known

    def _new_node(self, stack: StackNode, root: int, nodes: dict[StackNode, int]) -> int:
        """Intern a stack below a node, and note what is special about it."""
        if stack.depth > MAX_DEPTH:
            frames = [
                self._tree.frame_id(place.function, place.file, place.line) for place in stack
            ]
            frames.reverse()
            node = nodes[stack] = self._tree.intern(elide(frames, self._tree), root)
            self._know(node)
            return node
        chain = []
        at: StackNode | None = stack
        while at is not None and at not in nodes:
            chain.append(at)
            at = at.parent
        node = root if at is None else nodes[at]
        for at in reversed(chain):
            place = at.place
            frame = self._tree.frame_id(place.function, place.file, place.line)
            outermost = at.parent is None
            node = self._tree.intern_below(node, frame, outermost=outermost, root=root)
            nodes[at] = node
            self._know(node)
        return node

    def _know(self, node: int) -> None:
        """Note of a new node what each record in it would ask."""
        if self._tree.begins_interpreter(node):
            self._start_nodes.add(node)
        elif node != ROOT and at_rest(self._tree.frame(node)):
            self._rest_nodes.add(node)

    def _task(self, name: str) -> tuple[int, dict[StackNode, int]]:
        """Return the row of a task, and the nodes of the stacks below it.

        Tasks without a name of their own are one row, as are those beyond the first few hundred:
        each has the same stacks as the others.
        """
        if _UNNAMED.fullmatch(name):
            name = UNNAMED_TASKS
        elif name not in self._task_rows and len(self._task_rows) >= TASK_ROWS:
            name = MANY_TASKS
        row = self._task_rows.get(name)
        if row is None:
            label = name if name in (UNNAMED_TASKS, MANY_TASKS) else f"task {name}"
            row = self._task_rows[name] = self._tree.node_id(
                ROOT, self._tree.frame_id(label, "", 0)
            )
        return row, self._nodes_of.setdefault(row, {})

    # Windows

    def _quality(self, quality: Quality) -> None:
        self._windows(quality)

    def _windows(self, quality: Quality | None) -> None:
        """Write how the last second went, for each process."""
        tallies, self._tallies = self._tallies, []
        tallies.sort(key=lambda tally: tally.process.pid != self._target_pid)
        sampler_s = self._names.take_spent_s()
        if quality is not None:
            sampler_s += quality.cpu_ns / NS_PER_S
        rate_hz = 0.0 if quality is None else quality.rate_hz
        for tally in tallies:
            index = tally.process.index
            used_ns = max(tally.process_cpu_ns - self._cpu_ns.get(index, 0), 0)
            self._cpu_ns[index] = max(tally.process_cpu_ns, self._cpu_ns.get(index, 0))
            sampled = tally.samples > 0
            beginning = index in self._beginning
            self._out.append(
                StackWindow(
                    tally.t0_ns,
                    tally.t1_ns,
                    tally.process.pid,
                    rate_hz,
                    tally.samples,
                    tally.failed,
                    tally.unsteady,
                    sampler_s,
                    OWN_SAMPLER if sampled else "",
                    tally.sweeps,
                    used_ns,
                    0 if beginning else min(tally.sampled_cpu_ns, used_ns),
                )
            )
            sampler_s = 0.0
        for index in self._gone:
            self._cpu_ns.pop(index, None)
            self._beginning.discard(index)
        self._gone.clear()


def _guess(held: _Held, stack: StackNode) -> str:
    if held.thread.tid == held.pid:
        return "MainThread"
    if _interpreter_of(stack):
        return "Thread"  # what called into that interpreter is not in this stack
    places = list(stack)
    for place in reversed(places):
        if place.file.rpartition("/")[2] not in _WHERE_THREADS_BEGIN:
            return f"Thread ({place.function.rpartition('.')[2]})"
    return f"Thread ({places[-1].function})"


def _interpreter_of(stack: StackNode) -> int:
    """Return the number of the interpreter that a stack is in, 0 for the main one."""
    root = stack.root
    if root.file or not root.function.startswith(_INTERPRETER):
        return 0
    return int(root.function.removeprefix(_INTERPRETER).rstrip(">"))
