"""What groups of threads did over time: one track each, cell by cell of the time axis.

Pure functions over `Reader`: the same answers from memory and from disk. A cell is asked once;
only those that stacks can still come for are asked again, so a track is cheap while it is live.

CPU that a track shows was read by the kernel for that thread, or belongs to stacks of it. What the
processes used beyond all of that is told apart (`Tracks.unexplained_ns`), never given to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.thread_groups import ThreadGroup, group_threads, name_pattern
from perftui.probes.profile.waiting import STDLIB_WAITS
from perftui.probes.spine.calltree import ROOT, is_stdlib, package_of
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.calltree import CallTree, Frame
    from perftui.probes.spine.reader import Reader, Status, ThreadTree, Weights
    from perftui.probes.spine.records import ThreadKey

STEPS_S = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600, 7200, 21600, 86400)
"""Lengths of a cell. Under a second only where stacks are kept one by one (`_FINE_NS`)."""
_FINE_NS = 45 * NS_PER_S
"""A live session keeps the stacks of its last minute one by one, older ones by the second."""
_LATE_NS = 2 * NS_PER_S
"""Windows of one process come later than those of another: what is younger may change."""
_PLAIN_WAITS = frozenset(STDLIB_WAITS) - {"socket", "ssl"}
_JOINING = frozenset({"join", "_wait_for_tstate_lock", "_shutdown"})
_QUIET_SHARE = 0.05
"""Of a cell's time: less of a state is not shown."""
_UNEXPLAINED_SHARE = 0.1
"""Of a core, and of the CPU of a cell: less is what readings 50 ms apart cannot tell."""


class States(NamedTuple):
    """How threads spent their time, ns, added up over them."""

    cpu_ns: int = 0
    lock_ns: int = 0
    """Waiting for a lock, or for the GIL."""
    io_ns: int = 0
    queue_ns: int = 0
    """Runnable, and no core was free."""
    idle_ns: int = 0
    """Asleep, waiting for a child process, or for work to come."""
    other_ns: int = 0
    """Off the CPU, for what is not known."""

    def plus(self, other: States) -> States:
        """Return the sum."""
        return States(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def wall_ns(self) -> int:
        """All of it."""
        return sum(self)

    def main(self, step_ns: int) -> str:
        """Return the state that a cell is drawn in, "" if nothing is known.

        What was done or waited for most; idle only where all of it together was next to nothing
        of one thread's time: of many threads some are always idle.
        """
        told = zip(("cpu", "lock", "io", "queue", "other"), (*self[:4], self.other_ns), strict=True)
        name, most = max(told, key=lambda each: each[1])
        if most >= _QUIET_SHARE * step_ns:
            return name
        return "idle" if self.wall_ns else ""


NO_TIME = States()


class ThreadTrack(NamedTuple):
    """One group over time."""

    group: ThreadGroup
    cells: tuple[States | None, ...]
    """One for each column of the axis, None where nothing is known: before the group's first
    thread and after its last, or stacks have not come yet."""


class Tracks(NamedTuple):
    """All groups over one time axis."""

    axis: tuple[int, int]
    step_ns: int
    """Time of a cell; several columns may lie in one."""
    tracks: tuple[ThreadTrack, ...]
    """Most CPU first; those that ran Python before native ones of as much."""
    unexplained: tuple[int | None, ...]
    """CPU of each column's cell, ns, that no stack and no thread accounts for."""
    numbers: tuple[int | None, ...]
    """Which cell each column shows; those of neighbours may be one."""
    history: TrackHistory


_Names = dict["ThreadKey", tuple[str, bool]]
"""Name of a thread, and whether it runs Python code."""
_GroupKey = tuple[str, bool]
"""The same of a pattern."""


@dataclass
class _Cell:
    by_group: dict[_GroupKey, States]
    threads: dict[ThreadKey, tuple[str, bool]]
    """Who was seen in it, the hottest first."""
    explained_ns: int


@dataclass
class TrackHistory:
    """Cells that were asked for; goes from one picture to the next."""

    asked: tuple[object, ...]
    """What they depend on: others are no use."""
    step_ns: int
    t_start_ns: int
    cells: dict[int, _Cell] = field(default_factory=dict)
    sure_ns: int = 0
    """Cells that end before will not change."""
    names: _Names = field(default_factory=dict)
    state: object = None
    """Of the session when they were asked for."""


def tracks_of(
    reader: Reader,
    status: Status,
    axis: tuple[int, int],
    columns: int,
    *,
    process: int | None = None,
    before: Tracks | None = None,
) -> Tracks:
    """Return what every group of threads did in each column of a time axis.

    Args:
        reader: Whom to ask.
        status: Its, of the same picture.
        axis: The time axis.
        columns: Of the axis.
        process: Only threads of this process.
        before: What was returned before: what cannot have changed is taken over.

    Returns:
        `before` itself while there is nothing new.
    """
    step_ns = _step_ns(axis, columns, status)
    asked = (process, status.t_start_ns, step_ns)
    known_ns = _known_until(status)
    state = (status.state, status.stacks_until_ns, known_ns // (NS_PER_S // 2))
    history = None if before is None else before.history
    if (
        before is not None
        and (before.axis, len(before.unexplained)) == (axis, columns)
        and (before.history.asked, before.history.state) == (asked, state)
    ):
        return before
    if history is None or history.asked != asked:
        history = TrackHistory(asked, step_ns, status.t_start_ns)
    first = max(axis[0] - status.t_start_ns, 0) // step_ns
    last = (min(axis[1], known_ns) - status.t_start_ns - 1) // step_ns
    if not _fill(history, reader, (first, last), known_ns, process):
        # A thread has another name now: it is of another group from its start.
        history = TrackHistory(asked, step_ns, status.t_start_ns, names=history.names)
        _fill(history, reader, (first, last), known_ns, process)
    history.state = state
    history.sure_ns = known_ns + step_ns if status.state == "recording" else known_ns - _LATE_NS
    _trim(history, first, last)
    seen = {key: None for n in range(last, first - 1, -1) for key in history.cells[n].threads}
    names = {key: history.names[key] for key in seen}
    numbers = [_number(axis, columns, column, history, last) for column in range(columns)]
    groups = group_threads((key, name, python) for key, (name, python) in names.items())
    weight = {group: _cpu_ns(group, first, last, history) for group in groups}
    ranked = sorted(groups, key=lambda g: (-weight[g], not g.python, g.name))
    unexplained = _unexplained(reader, history, (first, last), known_ns, process)
    return Tracks(
        axis,
        step_ns,
        tuple(_track(group, numbers, history) for group in ranked),
        tuple(None if number is None else unexplained.get(number) for number in numbers),
        tuple(numbers),
        history,
    )


def _fill(
    history: TrackHistory,
    reader: Reader,
    span: tuple[int, int],
    known_ns: int,
    process: int | None,
) -> bool:
    """Ask for the cells that are missing or may have changed; False if a name has changed."""
    same = True
    for number in range(span[0], span[1] + 1):
        t0_ns = history.t_start_ns + number * history.step_ns
        t1_ns = t0_ns + history.step_ns
        if number in history.cells and t1_ns <= history.sure_ns:
            continue
        cell = _ask(reader, t0_ns, min(t1_ns, known_ns), process, history.names)
        for key, named in cell.threads.items():
            # The joined threads that have ended (tid 0) are called by their number.
            same &= not key[1] or history.names.get(key, named) == named
            history.names[key] = named
        history.cells[number] = cell
    return same


def _step_ns(axis: tuple[int, int], columns: int, status: Status) -> int:
    length_s = (axis[1] - axis[0]) / NS_PER_S
    fine = status.state == "recording" or axis[0] >= status.t_end_ns - _FINE_NS
    steps = STEPS_S if fine else STEPS_S[2:]
    step_s = next((step for step in steps if step * columns >= length_s), steps[-1])
    return round(step_s * NS_PER_S)


def _known_until(status: Status) -> int:
    """Return up to when there can be stacks: a cell beyond is not idle but unknown."""
    if status.state in ("live", "starting") and status.stacks_until_ns is not None:
        return min(status.stacks_until_ns, status.t_end_ns)
    return status.t_end_ns


def _ask(reader: Reader, t0_ns: int, t1_ns: int, process: int | None, names: _Names) -> _Cell:
    """Ask for one cell; who has run Python once is of those that do."""
    cell = _Cell({}, {}, 0)
    if t1_ns <= t0_ns:
        return cell
    for row in reader.call_tree(t0_ns, t1_ns):
        if process is None or row.pid == process:
            cell.threads[row.pid, row.tid] = (row.name, True)
            _count(cell, (row.name, True), states_of(reader.tree, row), row.cpu_ns)
    for thread in reader.threads(t0_ns, t1_ns):
        key = (thread.pid, thread.tid)
        if key not in cell.threads and (process is None or thread.pid == process):
            used_ns = round(thread.cpu_s * NS_PER_S)
            busy_ns = min(used_ns, t1_ns - t0_ns)
            # Only its CPU is read; off it a thread without stacks may wait for anything.
            states = States(cpu_ns=busy_ns, idle_ns=t1_ns - t0_ns - busy_ns)
            known = names.get(key)
            python = thread.is_python or (known is not None and known[1])
            cell.threads[key] = (thread.name, python)
            _count(cell, cell.threads[key], states, used_ns)
    return cell


def _count(cell: _Cell, named: tuple[str, bool], states: States, cpu_ns: int) -> None:
    key = (name_pattern(named[0]), named[1])
    cell.by_group[key] = cell.by_group.get(key, NO_TIME).plus(states)
    cell.explained_ns += cpu_ns


def states_of(tree: CallTree, stack: ThreadTree) -> States:
    """Return how one thread spent its time."""
    sums = [0] * len(States._fields)
    for node, cell in stack.self_by_node.items():
        locked_ns, idle_ns = cell.lock_ns, cell.sleep_ns + cell.child_ns
        if locked_ns and waits_for_work(tree, node):
            locked_ns, idle_ns = 0, idle_ns + locked_ns
        told = (locked_ns + cell.gil_ns, cell.io_ns, cell.queue_ns, idle_ns)
        sums[0] += cell.cpu_ns
        for index, amount in enumerate(told, 1):
            sums[index] += amount
        sums[5] += max(cell.waiting_ns - _kinds_ns(cell), 0)
    return States(*sums)


def _kinds_ns(cell: Weights) -> int:
    return cell.lock_ns + cell.gil_ns + cell.io_ns + cell.queue_ns + cell.sleep_ns + cell.child_ns


def waits_for_work(tree: CallTree, node: int) -> bool:
    """Tell whether whoever waits for a lock in this place waits for something to come.

    A worker of a pool stands in `queue.get`, one that was told to wait in `Event.wait`: nobody
    holds the lock that they wait for. `Semaphore.acquire` waits in the same place, for others.
    """
    frame = tree.frame(node)
    if node == ROOT or not is_stdlib(frame.file):
        return False
    package = package_of(frame.module)
    if package != "threading":
        return package in _PLAIN_WAITS
    name, caller = _bare(frame), _bare(tree.frame(tree.parent(node)))
    return name in _JOINING or (name == "wait" and caller != "acquire")


def _bare(frame: Frame) -> str:
    """Return the name of a function without its class: not every sampler tells that."""
    return frame.function.rpartition(".")[2]


def _track(group: ThreadGroup, numbers: Sequence[int | None], history: TrackHistory) -> ThreadTrack:
    key = (group.pattern, group.python)
    cells = history.cells
    return ThreadTrack(
        group,
        tuple(None if n is None else cells[n].by_group.get(key) for n in numbers),
    )


def _cpu_ns(group: ThreadGroup, first: int, last: int, history: TrackHistory) -> int:
    key = (group.pattern, group.python)
    return sum(
        history.cells[number].by_group.get(key, NO_TIME).cpu_ns for number in range(first, last + 1)
    )


def _number(
    axis: tuple[int, int], columns: int, column: int, history: TrackHistory, last: int
) -> int | None:
    """Return the cell that the middle of a column lies in, None if it is not known."""
    middle_ns = axis[0] + (2 * column + 1) * (axis[1] - axis[0]) // (2 * columns)
    number = (middle_ns - history.t_start_ns) // history.step_ns
    return number if number <= last and number in history.cells else None


def _unexplained(
    reader: Reader,
    history: TrackHistory,
    span: tuple[int, int],
    known_ns: int,
    process: int | None,
) -> dict[int, int]:
    """Return by cell the CPU that the processes used and nobody accounts for, ns."""
    first, last = span
    if last < first:
        return {}
    step_ns = history.step_ns
    t0_ns = history.t_start_ns + first * step_ns
    n = last + 1 - first
    pid = TREE if process is None else process
    used_ns = [0.0] * n
    for name in ("cpu_user_s", "cpu_system_s"):
        buckets = reader.metric(name, t0_ns, t0_ns + n * step_ns, n, pid)
        begin = reader.metric(name, t0_ns - NS_PER_S, t0_ns, 1, pid).last[0]
        seen = begin if begin is not None else 0.0 if not first else None
        for index, value in enumerate(buckets.last):
            if value is None:
                continue
            if seen is not None:
                used_ns[index] += max(value - seen, 0.0) * NS_PER_S
            seen = value
    found = {}
    for index in range(n):
        number = first + index
        end_ns = history.t_start_ns + (number + 1) * step_ns
        gap_ns = round(used_ns[index]) - history.cells[number].explained_ns
        least_ns = _UNEXPLAINED_SHARE * max(step_ns, used_ns[index])
        # The newest cell is not over: CPU was read further on than stacks.
        found[number] = gap_ns if gap_ns > least_ns and end_ns <= known_ns else 0
    return found


def _trim(history: TrackHistory, first: int, last: int) -> None:
    """Keep about as many cells as an axis has."""
    width = last - first + 1
    if len(history.cells) > 4 * max(width, 64):
        history.cells = {n: c for n, c in history.cells.items() if first <= n <= last}
