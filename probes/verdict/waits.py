"""Waiting of those that had something to do: for what, and in which of the program's functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding, percent
from perftui.probes.verdict.places import below, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.places import Key

LEAST_WAIT_S, LEAST_WAIT_SHARE = 0.5, 0.25
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
        mine = [at for at, ns in threads.items() if ns >= 0.1 * wait.working_ns[at]]
        waited_ns = sum(threads[at] for at in mine)
        whole_ns = sum(wait.working_ns[at] for at in mine)
        if not mine or waited_ns < LEAST_WAIT_S * NS_PER_S:
            continue
        if not whole_ns or waited_ns < LEAST_WAIT_SHARE * whole_ns:
            continue
        yield _wait(case, (field, library), by_own, waited_ns / whole_ns, len(mine))


def _wait(
    case: Case, kind: tuple[str, str], by_own: dict[Key, int], share: float, threads: int
) -> RankedFinding:
    field, library = kind
    ranked = sorted(by_own, key=lambda key: -by_own[key])
    key = ranked[0]
    column = "waiting_ns" if library else field
    total, line = below(case.spots, case.threads, key, column)
    what = f"in {library}" if library else FOR_WHAT[field]
    unsure = ""
    if field == "lock_ns" and not case.alerts_of("lock_wait"):
        burn = case.burnt
        threads_known = case.reader.threads(case.t0_ns, case.t1_ns)
        if burn.native_ns > NATIVE_AT_WORK * burn.whole_ns or any(
            not thread.is_python for thread in threads_known
        ):
            what = "for a lock or for native threads"
            unsure = "to the kernel both are a futex, and there were native threads"
    many = f" of {threads} threads" if threads > 1 else ""
    told = case.alerts_of(ALERTS_OF.get(field, ""))
    t0, t1 = case.t0_ns, case.t1_ns
    if told:
        t0, t1 = told[0].t_onset_ns, case.alert_span(told[-1])[1]
    also = ", ".join(f"{name} {by_own[name, file] / NS_PER_S:.2f} s" for name, file in ranked[:3])
    part = sum(by_own.values()) / NS_PER_S / max(threads, 1) / case.span_s
    weight = WEIGHTS.get(field, 0.85)
    bonus = 0.3 if told and field != "queue_ns" else 0.0
    return RankedFinding(
        "waits_in_library" if library else ALERTS_OF.get(field, f"waits_{field[:-3]}"),
        f"waits {percent(share)} of the time{many} {what}",
        told[0].severity if told else "info",
        min(part, 1.0) * weight + bonus,
        t0,
        t1,
        "Threads",
        proof.function_sql(*key, "waiting_s" if library else f"{field[:-3]}_s"),
        "; ".join([*(alert.message for alert in told[:1]), f"{also}, summed over threads"]),
        place_of(key, line),
        seconds=total / NS_PER_S,
        may_be_wrong=unsure,
        next_step=NEXT.get(field, f"ask {library} for less, or for it beforehand"),
    )


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
