"""What stands still: threads and tasks of which none is left to wake the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.place import in_words
from perftui.probes.profile.whose import whose
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.source_lines import SOURCE
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.reader import Task, ThreadTree
    from perftui.probes.verdict.case import Case

LEAST_STILL_S, LEAST_STILL_SHARE = 3.0, 0.25
"""Of the run, at its end."""
STILL_CORES = 0.02
STANDS = 0.9
"""Of what was seen of a thread in that time, in one place and waiting, ..."""
SEEN, GONE = 0.5, 0.1
"""... which must be this share of it: idle ones are looked at seldom. Of less it had just ended."""
HALVINGS = 6
"""By which the beginning is found: a 64th of the run is near enough."""
IDLE_CORES = 0.1
"""Tasks that wait for each other matter where the program does nothing else."""
NAMED = 3
_ASYNC_LOCKS = ("Lock.acquire", "Semaphore.acquire", "Condition.wait", "Event.wait", "Queue.get")
_ENDS = {"Thread.join", "_shutdown", "BaseProcess.join", "ThreadPoolExecutor.shutdown"}
_TIMED = ("threading", "Condition.wait")
"""Where a wait with a time limit stands in another line than one without."""


class _Standing(NamedTuple):
    """A thread that waits for another one to wake it."""

    thread: ThreadTree
    node: int


def stuck(case: Case) -> Iterator[RankedFinding]:
    """Yield what stands still at the end."""
    yield from _stuck_threads(case)
    yield from _stuck_tasks(case)


def _stuck_threads(case: Case) -> Iterator[RankedFinding]:
    """Every thread waits for a lock or for another thread: who is to wake them?"""
    least_s = max(LEAST_STILL_S, LEAST_STILL_SHARE * case.span_s)
    first_ns = case.t1_ns - round(least_s * NS_PER_S)
    if first_ns < case.t0_ns:
        return
    standing = _standing(case, first_ns)
    if not standing:
        return
    late_ns, early_ns = first_ns, case.t0_ns
    for _ in range(HALVINGS):
        middle_ns = (late_ns + early_ns) // 2
        if found := _standing(case, middle_ns):
            standing, late_ns = found, middle_ns
        else:
            early_ns = middle_ns
    stood_s = (case.t1_ns - late_ns) / NS_PER_S
    told = [f"{each.thread.name} in {_where(case, each.node)}" for each in standing]
    own = [each for each in standing if case.spots.of(each.node).own != ROOT]
    own.sort(key=lambda each: _rank(case, each.node))
    many = f"all {len(standing)} threads wait for each other"
    if len(standing) == 1:
        many = "its only thread waits for a lock"
    yield RankedFinding(
        "stands_still",
        f"stands still for {format_seconds(stood_s)}: {many}",
        "warn",
        0.9 * stood_s / case.span_s,
        late_ns,
        case.t1_ns,
        "Threads",
        proof.WAITS_BY_PLACE,
        "; ".join([*told[: 2 * NAMED], *(["and more"] if len(told) > 2 * NAMED else [])]),
        case.spots.place(case.spots.of(own[0].node).own) if own else "",
        seconds=stood_s,
        may_be_wrong="a wait with a time limit ends by itself, and a signal may end it, too",
        next_step="find who holds what the first of them waits for",
    )


def _standing(case: Case, from_ns: int) -> list[_Standing]:
    """Return all threads from a moment on with where they wait, if each does, and for another
    thread; [] if one does not, or if there is one that nobody knows what it does."""
    length_ns = case.t1_ns - from_ns
    # A thread without Python may wake one that waits.
    python = {(each.pid, each.tid) for each in case.threads}
    pids = {pid for pid, _ in python}
    lived = case.reader.threads(max(from_ns, case.t1_ns - NS_PER_S), case.t1_ns)
    if any(each.pid in pids and not each.is_python for each in lived):
        return []
    found = []
    cpu_ns = 0
    for thread in case.reader.call_tree(from_ns, case.t1_ns):
        cpu_ns += thread.cpu_ns
        if thread.wall_ns < GONE * length_ns or not thread.self_by_node:
            continue
        node, weights = max(thread.self_by_node.items(), key=lambda item: item[1].wall_ns)
        waits_ns = weights.lock_ns + weights.child_ns
        least_ns = max(STANDS * thread.wall_ns, SEEN * length_ns)
        if min(weights.wall_ns, waits_ns) < least_ns or _is_limited(case, node):
            return []
        if case.spots.of(node).package:
            return []  # what a library waits for is not known
        found.append(_Standing(thread, node))
    if cpu_ns > STILL_CORES * length_ns:
        return []
    waits_for_lock = any(
        each.thread.self_by_node[each.node].lock_ns for each in found if each.node != ROOT
    )
    return found if waits_for_lock else []


def _is_limited(case: Case, node: int) -> bool:
    """Tell whether a wait has a time limit, as far as the line says it that the thread is in."""
    frame = case.reader.tree.frame(node)
    if (frame.module, frame.function) != _TIMED or not case.has_source(frame.file):
        return False
    return "timeout" in SOURCE.line(frame.file, frame.line)


def _rank(case: Case, node: int) -> int:
    """A lock before a queue, and last who waits for others to end: nobody waits for that one."""
    names = {case.reader.tree.frame(at).function for at in case.reader.tree.path(node)}
    return 2 if names & _ENDS else int(case.spots.of(node).idle)


def _where(case: Case, node: int) -> str:
    """Say what a thread waits in, and where the program asked for it."""
    spot, tree = case.spots.of(node), case.reader.tree
    own = case.spots.place(spot.own) if spot.own != ROOT else ""
    # What the program called, not what that is made of.
    path = list(tree.path(node))
    called = [tree.frame(at) for at in path[path.index(spot.own) + 1 :]] if own else []
    called = [frame for frame in called if whose(frame) != "yours"]
    return f"{called[0].function}, {own}" if called else own or case.spots.place(node)


def _stuck_tasks(case: Case) -> Iterator[RankedFinding]:
    """Tasks that stand at locks while nothing runs: who was to wake them?"""
    cpu_ns = sum(thread.cpu_ns for thread in case.threads)
    if cpu_ns / NS_PER_S > IDLE_CORES * case.span_s:
        return
    by_wait: dict[tuple[str, str], list[Task]] = {}
    for task in case.reader.tasks(case.t1_ns):
        if task.awaits is not None and task.awaits.endswith(_ASYNC_LOCKS):
            own = [frame for frame in task.frames if "/asyncio/" not in frame[1]]
            by_wait.setdefault((task.awaits, in_words(*own[-1]) if own else ""), []).append(task)
    stood = {
        wait: (case.t1_ns - min(task.t_ns for task in tasks)) / NS_PER_S
        for wait, tasks in by_wait.items()
    }
    groups = [(wait, tasks) for wait, tasks in by_wait.items() if stood[wait] >= 1.0]
    if not groups:
        return
    # What many wait for first; of a queue that is empty it is said last, it may be meant.
    groups.sort(key=lambda item: (item[0][0].endswith("Queue.get"), -len(item[1])))
    (awaits, place), first = groups[0]
    count = sum(len(tasks) for _, tasks in groups)
    kinds = list(dict.fromkeys(awaits for (awaits, _), _ in groups))
    what = " or ".join((", ".join(kinds[:-1]), kinds[-1])) if kinds[1:] else awaits
    yield RankedFinding(
        "tasks_stuck",
        f"{count} task{'s wait' if count > 1 else ' waits'} in {what} while nothing runs",
        "warn",
        0.8 * min(stood[awaits, place] / case.span_s, 1.0),
        min(task.t_ns for task in first),
        case.t1_ns,
        "Tasks",
        proof.TASKS,
        "; ".join(_names(wait, tasks) for wait, tasks in groups[:NAMED]) + ", as last seen",
        place,
        seconds=stood[awaits, place],
        next_step="find which task has it and does not give it back",
    )


def _names(wait: tuple[str, str], tasks: list[Task]) -> str:
    """Say which tasks wait in one place."""
    names = ", ".join(task.name for task in tasks[:NAMED])
    more = f" and {len(tasks) - NAMED} more" if len(tasks) > NAMED else ""
    return f"{names}{more} in {' at '.join(part for part in wait if part)}"
