"""A session of less than a second, and what it saw last."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from perftui.probes.dump.moment import FrameNow, Moment, ProcessNow, TaskNow, ThreadNow
from perftui.probes.dump.tasks import NoTasks, tasks_of
from perftui.probes.profile.waiting import WAIT_WORDS
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.probes.spine.calltree import ROOT
from perftui.probes.spine.reader import OWN_SAMPLER
from perftui.probes.text.shell_words import shell_word
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.reader import Process, Reader, Status, Thread, ThreadTree

WATCHED_S = 0.55
"""Stacks of so long are waited for: long enough to tell a thread that works from one that waits,
and for the names that Python gives its threads, which come half a second later."""
LIMIT_S = 3.0
"""After which what has come is all that is told: py-spy needs 1 to 2 s on a busy machine."""
_STEP_S = 0.02
_CPU_SHARE = 0.5
"""A thread that had a CPU for so much of the time works; else it waits."""


def take(pid: int, limit_s: float = LIMIT_S) -> Moment:
    """Look at a process and what it has started, without stopping it.

    Raises:
        ProcessGone: there is no such process.
    """
    at = datetime.now().astimezone().isoformat(timespec="milliseconds")
    session = Session.attach(pid, ProbeOptions(inquire=False))
    try:
        _wait(session, time.monotonic() + limit_s)
        return _moment(session.store, at)
    finally:
        session.close()


def _wait(session: Session, until_s: float) -> None:
    """Wait until every Python thread has been met, and been watched for a while."""
    store = session.store
    while time.monotonic() < until_s and not session.wait(0):
        status = store.status()
        if _watched_s(status) >= WATCHED_S and store.last("rss_bytes") is not None:
            span = (status.t_start_ns, status.t_end_ns + 1)
            met = {(tree.pid, tree.tid) for tree in store.call_tree(*span) if tree.self_by_node}
            python = {(each.pid, each.tid) for each in store.threads(*span) if each.is_python}
            if met and python <= met:
                return
        time.sleep(_STEP_S)


def _moment(reader: Reader, at: str) -> Moment:
    status, target = reader.status(), reader.target()
    span = (status.t_start_ns, status.t_end_ns + 1)
    trees = {(tree.pid, tree.tid): tree for tree in reader.call_tree(*span)}
    threads = tuple(
        _thread(reader, thread, trees.get((thread.pid, thread.tid)))
        for thread in reader.threads(*span)
    )
    shown = any(each.stack for each in threads)
    tasks, notes = _tasks(reader, threads)
    return Moment(
        at=at,
        title=target.title,
        python=target.python,
        # It is told once a second; the stacks of py-spy do not come before that.
        stacks_by=status.stack_backend or (OWN_SAMPLER if shown else None),
        watched_s=_watched_s(status),
        processes=tuple(_process(reader, each) for each in reader.processes()),
        threads=tuple(sorted(threads, key=_order)),
        tasks=tasks,
        notes=(*(notice.text for notice in status.notices), *notes),
    )


def _watched_s(status: Status) -> float:
    return (status.t_end_ns - status.t_start_ns) / NS_PER_S


def _order(thread: ThreadNow) -> tuple[int, bool, bool, float]:
    """Python threads of a process before native ones, the main thread first, then the busiest."""
    return thread.pid, not thread.is_python, thread.tid != thread.pid, -thread.cpu_percent


def _process(reader: Reader, process: Process) -> ProcessNow:
    def last(name: str) -> float | None:
        return reader.last(name, process.pid)

    return ProcessNow(
        process.pid,
        process.ppid,
        " ".join(map(shell_word, process.argv)),
        last("rss_bytes"),
        last("pss_bytes"),
        last("uss_bytes"),
        last("swap_bytes"),
        last("high_water_rss_bytes"),
        last("cpu_percent"),
    )


def _thread(reader: Reader, thread: Thread, tree: ThreadTree | None) -> ThreadNow:
    node, doing = ROOT, None
    if tree is not None and tree.self_by_node:
        node, spent = max(tree.self_by_node.items(), key=lambda item: item[1].wall_ns)
        waits = {word: getattr(spent, name) for name, word in WAIT_WORDS.items()}
        most = max(waits, key=waits.__getitem__)
        if spent.cpu_ns > _CPU_SHARE * max(spent.wall_ns, 1):
            doing = "CPU"
        elif waits[most] > 0:
            doing = most
    elif thread.cpu_percent > 100 * _CPU_SHARE:
        doing = "CPU"
    return ThreadNow(
        thread.pid,
        thread.tid,
        thread.name,
        thread.is_python,
        doing,
        thread.cpu_percent,
        thread.gil_held_percent,
        tuple(_places(reader, node)),
    )


def _places(reader: Reader, node: int) -> Iterator[FrameNow]:
    """Yield the frames of a stack, innermost first."""
    tree = reader.tree
    while node != ROOT:
        frame = tree.frame(node)
        yield FrameNow(frame.function, frame.file, frame.line)
        node = tree.parent(node)


def _tasks(
    reader: Reader, threads: tuple[ThreadNow, ...]
) -> tuple[tuple[TaskNow, ...] | None, list[str]]:
    """Return the tasks of every process that has a loop, and why some are not known."""
    loops = {thread.pid for thread in threads if any(map(_is_loop, thread.stack))}
    found: list[TaskNow] = []
    notes, target = [], reader.target()
    for process in reader.processes():
        if process.pid not in loops:
            continue
        try:
            python = target.python if process.pid == target.pid else process.python
            found += tasks_of(process.pid, python)
        except NoTasks as error:
            notes.append(str(error))
    return None if notes and not found else tuple(found), notes


def _is_loop(place: FrameNow) -> bool:
    """Tell whether a frame is of a program that runs an event loop of asyncio."""
    return place.file.endswith(("asyncio/runners.py", "asyncio/base_events.py"))
