"""Waiting of those that had something to do: for what, and in which of the program's functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.probes.verdict import proof
from perftui.probes.verdict.cpu import CPU_WEIGHT, SPILLS, moved_to_disk
from perftui.probes.verdict.finding import RankedFinding, percent
from perftui.probes.verdict.habits import habit_of
from perftui.probes.verdict.places import below, leaves, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.places import Key
    from perftui.probes.verdict.spent import Thread, WaitedFor

CHILDREN_CORES = 0.05
OWN_TIME = 0.8
"""With less of it, it is said which time is meant."""
LEAST_WAIT_S, LEAST_WAIT_SHARE = 0.5, 0.25
GIL_BOUND = 0.4
"""Of the time of several threads, waited for the GIL: they are no faster than one."""
WANT_IT = 0.25
"""Of all CPU: threads that use less of it cannot gain much from a GIL of their own."""
NATIVE_AT_WORK = 0.02
"""Of all CPU: native threads that use more are what somebody may wait for."""

FOR_WHAT = {
    "lock_ns": "for a lock",
    "io_ns": "for I/O",
    "child_ns": "for a child process",
    "gil_ns": "for the GIL",
    "queue_ns": "for a free core",
}
NEXT = {
    "lock_ns": "hold the lock for less, or give each thread its own part",
    "io_ns": "ask for more at once, or ask ahead",
    "child_ns": "look at the child: Processes has what it did",
    "gil_ns": "use processes, or do more per call into native code",
    "queue_ns": "the machine is busy: measure again on a quiet one",
}
UNSURE_WEIGHT = 0.5
WEIGHTS = {"queue_ns": 0.2, "child_ns": 0.3}
"""The machine's doing, and the child's: the child is measured too."""
ALERTS_OF = {"lock_ns": "lock_wait", "io_ns": "io_wait", "queue_ns": "cpu_contention"}


def waits(case: Case) -> Iterator[RankedFinding]:
    """Yield what threads waited for, by kind of waiting and by library."""
    wait = case.waited
    for (field, library), by_own in wait.by_kind.items():
        if field == "sleep_ns":
            continue  # meant; the plain words say so
        threads = wait.threads[field, library]
        # Threads of which it is no part of their story are left out.
        whole = _ready(wait) if field != "queue_ns" else wait.working_ns
        mine = [at for at, ns in threads.items() if ns >= 0.1 * whole[at]]
        waited_ns = sum(threads[at] for at in mine)
        whole_ns = sum(whole[at] for at in mine)
        if not mine or waited_ns < LEAST_WAIT_S * NS_PER_S:
            continue
        if not whole_ns or waited_ns < LEAST_WAIT_SHARE * whole_ns:
            continue
        yield _wait(case, (field, library), by_own, mine, waited_ns / whole_ns)


def _ready(wait: WaitedFor) -> dict[Thread, int]:
    """Return the time of threads in which they had a core, or did not want one: what a busy
    machine does to a program is no excuse for what the program does."""
    queue = wait.threads.get(("queue_ns", ""), {})
    return {at: ns - queue.get(at, 0) for at, ns in wait.working_ns.items()}


def _of_what(case: Case, mine: list[Thread], field: str) -> tuple[str, str, float, float]:
    """Say which time a share is of and what is not in it, and return its length on average, in
    seconds, and how many of the threads lived at once.

    Idle time counts for the length: what waits seldom matters less.
    """
    wait = case.waited
    lived = dict.fromkeys(mine, 0)
    for thread in case.threads:
        if (thread.pid, thread.tid) in lived:
            lived[thread.pid, thread.tid] += thread.wall_ns
    whole_ns = max(sum(lived.values()), 1)
    working_ns = sum(wait.working_ns[at] for at in mine)
    length_s = case.span_s
    said = "time" if working_ns >= OWN_TIME * whole_ns else "working time"
    left_out = ""
    if field != "queue_ns":
        queued_ns = working_ns - sum(_ready(wait)[at] for at in mine)
        length_s *= 1 - min(queued_ns / whole_ns, 0.95)
        if queued_ns > (1 - OWN_TIME) * working_ns:
            left_out = ", time without a free core left out"
    return said, left_out, length_s, max(whole_ns / NS_PER_S / case.span_s, 1.0)


def _wait(
    case: Case,
    kind: tuple[str, str],
    by_own: dict[Key, int],
    mine: list[Thread],
    share: float,
) -> RankedFinding:
    field, library = kind
    threads = len(mine)
    said, left_out, length_s, at_once = _of_what(case, mine, field)
    ranked = sorted(by_own, key=lambda key: -by_own[key])
    key = ranked[0]
    column = "waiting_ns" if library else field
    total, line = below(case.spots, case.threads, key, column)
    what = f"in {library}" if library else FOR_WHAT[field]
    more: list[str] = []
    advice = NEXT.get(field, f"ask {library} for less, or for it beforehand")
    unsure, weight = "", WEIGHTS.get(field, 0.85)
    if field == "io_ns" and not library and (children := _children_at_work(case, mine)):
        what = "for I/O or for its child processes"
        unsure = f"a pipe to a child is I/O, too, and {children} of them worked meanwhile"
        weight = WEIGHTS["child_ns"]
        advice = NEXT["child_ns"]
    if field == "lock_ns" and not case.alerts_of("lock_wait"):
        burn = case.burnt
        pids = {pid for pid, _ in mine}
        python = {(thread.pid, thread.tid) for thread in case.threads}
        beside = any(
            # Before it ran Python (a shell that became it) it was no thread beside others.
            thread.pid in pids and not thread.is_python and (thread.pid, thread.tid) not in python
            for thread in case.reader.threads(case.t0_ns, case.t1_ns)
        )
        if burn.native_ns > NATIVE_AT_WORK * burn.whole_ns or beside:
            what = "for a lock or for native threads"
            unsure = "to the kernel both are a futex, and there were native threads"
            weight = UNSURE_WEIGHT
        elif _gil_held(case, mine) >= GIL_BOUND:
            what = "for a lock or for the GIL"
            unsure = "others held the GIL most of the time, and to the kernel both are a futex"
    many = f" of {threads} threads" if threads > 1 else ""
    part = sum(by_own.values()) / NS_PER_S / at_once / length_s
    impact = min(part, 1.0) * weight
    if field == "gil_ns" and threads > 1 and share >= GIL_BOUND:
        if _used_ns(case, mine) >= WANT_IT * case.burnt.whole_ns:
            impact = max(impact, CPU_WEIGHT + 0.05)  # that it uses a core is the half of it
            more.append("no faster than one thread would be")
        else:
            impact = min(impact, CPU_WEIGHT - 0.1)  # who holds it comes first
            more.append("others use the CPU meanwhile")
    step = advice
    habit = habit_of(case.spots, case.threads, key, column, has_source=case.has_source(key[1]))
    if habit is not None:
        more.append(f"most of it in {habit.what}")
        step = habit.step
    if library and (moved := moved_to_disk(case)):
        more.append(moved)
        step = SPILLS
    told = case.alerts_of(ALERTS_OF.get(field, ""))
    t0, t1 = case.t0_ns, case.t1_ns
    if told:
        t0, t1 = told[0].t_onset_ns, case.alert_span(told[-1])[1]
    also = ", ".join(
        f"{name} {format_seconds(by_own[name, file] / NS_PER_S)}" for name, file in ranked[:3]
    )
    bonus = 0.3 if told and field != "queue_ns" else 0.0
    return RankedFinding(
        "waits_in_library" if library else ALERTS_OF.get(field, f"waits_{field[:-3]}"),
        f"waits {percent(share)} of the {said}{many} {what}{left_out}",
        told[0].severity if told else "info",
        impact + bonus,
        t0,
        t1,
        "Threads",
        proof.function_sql(*key, "waiting_s" if library else f"{field[:-3]}_s"),
        "; ".join([*(alert.message for alert in told[:1]), f"{also}, summed over threads", *more]),
        place_of(key, line),
        seconds=total / NS_PER_S,
        may_be_wrong=unsure,
        next_step=step,
    )


def _used_ns(case: Case, mine: list[Thread]) -> int:
    """Return the CPU of some threads."""
    waiting = set(mine)
    return sum(
        weights.cpu_ns
        for thread, _, weights in leaves(case.threads)
        if (thread.pid, thread.tid) in waiting
    )


def _gil_held(case: Case, mine: list[Thread]) -> float:
    """Return the share of the time in which others of the processes that wait held the GIL."""
    pids, waiting = {pid for pid, _ in mine}, set(mine)
    held_ns = sum(
        weights.with_gil_ns
        for thread, _, weights in leaves(case.threads)
        if thread.pid in pids and (thread.pid, thread.tid) not in waiting
    )
    return held_ns / NS_PER_S / case.span_s / max(len(pids), 1)


def _children_at_work(case: Case, mine: list[Thread]) -> int:
    """Return how many children of the processes that wait used a fair part of a core, together."""
    pids = {pid for pid, _ in mine}
    children = {process.pid for process in case.reader.processes() if process.ppid in pids}
    if not children:
        return 0
    uses = [use for use in case.reader.process_use(case.t0_ns, case.t1_ns) if use.pid in children]
    at_work = [use for use in uses if use.cpu_s > 0]
    return len(at_work) if sum(use.cpu_s for use in uses) >= CHILDREN_CORES * case.span_s else 0


def sleeps(case: Case) -> tuple[float, str]:
    """Return the share of its time that the program slept because it wanted to, and where."""
    wait = case.waited
    kind = "sleep_ns", ""
    threads = wait.threads.get(kind, {})
    whole_ns = sum(wait.working_ns[at] for at in threads)
    if not whole_ns:
        return 0.0, ""
    by_own = wait.by_kind[kind]
    key = max(by_own, key=lambda each: by_own[each])
    line = below(case.spots, case.threads, key, "sleep_ns")[1]
    return sum(threads.values()) / whole_ns, place_of(key, line)
