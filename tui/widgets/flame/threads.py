"""Which thread the flame shows, or which threads as one, and the line of all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from perftui.probes.profile.alike import groups_alike, merged, working
from perftui.probes.profile.sums import busy
from perftui.probes.profile.thread_groups import group_threads, name_pattern
from perftui.probes.profile.waiting import STDLIB_WAITS
from perftui.tui.text.fit import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from perftui.probes.spine.reader import Thread, ThreadTree
    from perftui.tui.picture.view import View

_FOR_OTHERS = frozenset(STDLIB_WAITS.values())
STICKY = 1.25
"""A thread takes the place of the one shown when it is this much hotter, so nothing flickers."""


class ThreadChosen(Message, namespace="flame_pane"):
    """A person wants the flame of another thread; the handler is `on_flame_pane_thread_chosen`."""

    def __init__(self, pid: int, tid: int) -> None:
        super().__init__()
        self.pid = pid
        self.tid = tid


class GroupChosen(Message, namespace="flame_pane"):
    """A person wants the flame of several threads as one: `on_flame_pane_group_chosen`."""

    def __init__(self, name: str, threads: frozenset[tuple[int, int]]) -> None:
        super().__init__()
        self.name = name
        self.threads = threads


class ThreadCell(NamedTuple):
    """One thread, or several of one name, in the cells [x0, x1)."""

    x0: int
    x1: int
    label: str
    name: str
    """Of the thread, or of the group."""
    threads: tuple[tuple[int, int], ...]
    """(pid, tid) of those that the flame can show."""


def chosen_of(cell: ThreadCell) -> ThreadChosen | GroupChosen:
    """Return what a click on a cell asks for."""
    if len(cell.threads) == 1:
        return ThreadChosen(*cell.threads[0])
    return GroupChosen(cell.name, frozenset(cell.threads))


OTHERS = "other threads"


class ThreadStrip(NamedTuple):
    """The line of other threads: title, a gap, and the cells."""

    title: str
    cells: tuple[ThreadCell, ...]


def pick_threads(
    view: View,
    last: tuple[int, int] | None,
    hit: Callable[[ThreadTree], bool] | None = None,
) -> tuple[ThreadTree, ...]:
    """Return the threads to show as one, the hottest first; empty if there is none.

    A chosen thread is shown alone. Else it is all that a person means by "the program" if they
    are to be merged, else the hottest thread by the weight, with those alike that work like it.

    Args:
        view: The picture.
        last: (pid, tid) shown before; it stays until another is clearly hotter.
        hit: Tells whether a thread has what the filter looks for; one that has goes first.
    """
    selection = view.selection
    if selection.thread is not None:
        return tuple(s for s in view.stacks if (s.pid, s.tid) == selection.thread)[:1]

    heats: dict[int, float] = {}

    def heat(stack: ThreadTree) -> float:
        found = heats.get(id(stack))
        if found is None:
            found = heats[id(stack)] = _heat(stack, selection.weight)
        return found

    if selection.group is not None:
        chosen = (s for s in view.stacks if (s.pid, s.tid) in selection.group[1])
        return tuple(sorted(chosen, key=heat, reverse=True))
    if selection.merged:
        return tuple(sorted(busy(view.stacks), key=heat, reverse=True))
    stacks = tuple(stack for stack in view.stacks if hit(stack)) if hit else ()
    groups = groups_alike(stacks or view.stacks)
    if not groups:
        return ()

    def sum_of(group: tuple[ThreadTree, ...]) -> float:
        return sum(map(heat, group))

    best = max(groups, key=sum_of)
    for group in groups:
        if any((stack.pid, stack.tid) == last for stack in group):
            best = best if sum_of(best) > sum_of(group) * STICKY else group
            break
    found = working(best, heat)
    if len(found) == 1:  # of some alike, the one that was shown before
        for stack in best:
            if (stack.pid, stack.tid) == last and heat(found[0]) <= heat(stack) * STICKY:
                return (stack,)
    return found


def pick_thread(view: View, last: tuple[int, int] | None) -> ThreadTree | None:
    """Return what to show as one thread: `pick_threads`, added up; None if there is nothing."""
    found = pick_threads(view, last)
    return as_one(view, found) if found else None


def as_one(view: View, threads: Sequence[ThreadTree]) -> ThreadTree:
    """Add threads up as one, and name it."""
    if len(threads) == 1:
        return threads[0]
    patterns = {name_pattern(thread.name) for thread in threads}
    if len(patterns) == 1:
        name = f"{patterns.pop()} ×{len(threads)}, merged"
    else:
        left_out = len(view.stacks) - len(threads)
        idle = f", {left_out} idle left out" if left_out else ""
        name = f"{len(threads)} threads, merged{idle}"
    return merged(threads, name)


def _heat(stack: ThreadTree, weight: str) -> float:
    main = stack.name == "MainThread" or stack.pid == stack.tid
    if weight == "grown":
        return float(stack.grown_bytes)
    if weight == "touched":
        return float(sum(cell.touched_bytes for cell in stack.self_by_node.values()))
    if weight == "waiting":
        return stack.wall_ns - stack.cpu_ns + (stack.wall_ns if main else 0.0)
    # A main thread that waits for its native pool is what a person wants to see first, unless
    # another Python thread works for more than half of the time; not one that only waits for
    # other threads or for someone to call, and none of the time that it sleeps. On a busy machine
    # a thread would work where no core is free for it.
    by_wall = weight == "wall"
    asleep_ns, queue_ns = _told_waits(stack) if by_wall else (0, 0)
    worked_ns = stack.cpu_ns + queue_ns
    if not main:
        return worked_ns
    if stack.waiting in _FOR_OTHERS:
        return worked_ns + stack.wall_ns / 100
    return worked_ns + (stack.wall_ns - asleep_ns - queue_ns) / (2 if by_wall else 100)


def _told_waits(stack: ThreadTree) -> tuple[int, int]:
    """Return how long a thread waited for time to pass or a child process, and for a core."""
    asleep_ns = queue_ns = 0
    for cell in stack.self_by_node.values():
        asleep_ns += cell.sleep_ns + cell.child_ns
        queue_ns += cell.queue_ns
    return asleep_ns, queue_ns


def thread_strip(view: View, shown: Collection[tuple[int, int]], width: int) -> ThreadStrip:
    """Put the threads that the flame does not show side by side, widths by their CPU."""
    others = [t for t in view.threads if (t.pid, t.tid) not in shown]
    stacks = {(stack.pid, stack.tid) for stack in view.stacks}
    rows = {(thread.pid, thread.tid): thread for thread in others}
    groups = [
        (group, [rows[key] for key in group.threads])
        for group in group_threads((key, row.name, key in stacks) for key, row in rows.items())
    ]
    groups.sort(key=lambda item: (-_cpu(item[1]), item[0].name, item[0].threads))
    labels: list[_Label] = []
    for group, members in groups:
        cpu = _cpu(members)
        figure = (
            f"cpu {cpu:.0f} %" if cpu >= 9.95 else f"cpu {cpu:.1f} %" if cpu >= 0.05 else "idle"
        )
        waits = {member.waiting for member in members} if group.python and cpu < 1 else set()
        where = f"  {clean(waits.pop())}" if len(waits) == 1 else ""
        said = f"{clean(group.title)}  {figure}{where}".rstrip()
        labels.append(_Label(said, cpu, group.title, group.threads if group.python else ()))
    return ThreadStrip(OTHERS, tuple(_place(labels, width - len(OTHERS) - 2, len(OTHERS) + 2)))


def _cpu(threads: Iterable[Thread]) -> float:
    return sum(thread.cpu_percent for thread in threads)


class _Label(NamedTuple):
    text: str
    cpu_percent: float
    name: str
    threads: tuple[tuple[int, int], ...]


def _place(labels: list[_Label], width: int, left: int) -> Iterable[ThreadCell]:
    """Give every label its room while there is room; what is left over goes by CPU."""
    need = [len(label.text) + 2 for label in labels]
    count = len(labels)
    while count > 1 and sum(need[:count]) > width - (12 if count < len(labels) else 0):
        count -= 1
    spare = max(width - sum(need[:count]), 0)
    if count < len(labels):
        spare = max(spare - 12, 0)
    whole = sum(label.cpu_percent for label in labels[:count]) or 1.0
    x = 0
    for index in range(count):
        text, cpu, name, threads = labels[index]
        cells = min(need[index] + int(spare * cpu / whole), width - x)
        yield ThreadCell(left + x, left + x + cells, text, name, threads)
        x += cells
    hidden = len(labels) - count
    if hidden and width - x >= 8:
        yield ThreadCell(left + x, left + min(x + 12, width), f"… {hidden} more", "", ())
