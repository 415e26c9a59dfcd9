"""CPU: which of the program's own functions used it, or had native threads use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.bursts import brief_bursts
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding, percent
from perftui.probes.verdict.habits import habit_of
from perftui.probes.verdict.places import below, leaves, place_of
from perftui.probes.verdict.spent import LEAST_SHARE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.places import Key
    from perftui.probes.verdict.spent import Burnt

LEAST_BUSY = 0.5
"""Cores used, on average: a program that uses less is not slow for want of CPU."""
LEAST_CPU_S = 0.3
CPU_WEIGHT = 0.6
"""To use CPU is what a program is for: what it waits for or keeps is more of a finding."""
TOLD_COVERAGE = 0.9
TOLD_ERROR = 0.15
"""A share that may be off by so much is said to be unsure."""
LEAST_MOVED_BYTES = 100_000_000
SPILLS = "if it spills to disk: give it more memory, or less at once"
OVER = 2
"""More threads than so many times the cores get in each other's way."""


def cpu(case: Case) -> Iterator[RankedFinding]:
    """Yield who used most CPU, if the program is busy: own functions, or native threads."""
    burn = case.burnt
    whole_s = burn.whole_ns / NS_PER_S
    wanted_s = wanted_ns(case) / NS_PER_S
    if whole_s < LEAST_CPU_S or wanted_s < LEAST_BUSY * case.span_s:
        return
    if burn.native_ns >= LEAST_SHARE * burn.whole_ns:
        yield _native(case, burn)
    key = case.guilty
    if key is None:
        return
    total, line = below(case.spots, case.threads, key, "cpu_ns")
    libraries = burn.packages.get(key, {})
    package = max(libraries, key=lambda each: libraries[each], default="")
    habit = habit_of(case.spots, case.threads, key, "cpu_ns", has_source=case.has_source(key[1]))
    inside = ""
    if package and libraries[package] >= 0.5 * burn.by_own[key]:
        inside = package
    if habit is not None and habit.what not in inside:
        inside = f"{inside}, {habit.what}" if inside else habit.what
    inside = inside and f", most of it in {inside}"
    share = min(total / burn.whole_ns, 1.0)
    # What it imports is in its total, as in Top.
    of_all = total / (burn.whole_ns + burn.imports_ns)
    bursts = brief_bursts(case.threads, case.status.stack_rate_hz)
    doubtful = bursts.worth_telling and bursts.error(share) >= TOLD_ERROR
    yield RankedFinding(
        "cpu",
        f"uses CPU: {format_seconds(total / NS_PER_S)}, {percent(of_all)} of {_all(case)}{inside}",
        "info",
        CPU_WEIGHT * min(share * wanted_s / case.span_s, 1.0),
        case.t0_ns,
        case.t1_ns,
        "Flame",
        proof.function_sql(*key, "cpu_s"),
        "with what is used after the end by who lives on"
        if case.outlived
        else f"{whole_s / case.span_s:.2f} cores on average, imports left out",
        place_of(key, line),
        seconds=total / NS_PER_S,
        may_be_wrong=bursts.words if doubtful else "",
        next_step="make this faster, or ask for less of it" if habit is None else habit.step,
    )


def _native(case: Case, burn: Burnt) -> RankedFinding:
    """CPU of native threads is called for by whoever waits in a library meanwhile."""
    waits: dict[Key, float] = {}
    packages: dict[Key, str] = {}
    for _, node, weights in leaves(case.threads):
        spot = case.spots.of(node)
        if spot.own != ROOT and not spot.importing and not spot.idle:
            key = case.spots.key(spot.own)
            # Of a call into C there may be no frame of the library (DuckDB's), and who calls may
            # work, too (Arrow's readers); who only works is not who waits.
            others = weights.sleep_ns + weights.io_ns + weights.child_ns
            amount = weights.waiting_ns - others + weights.cpu_ns // 2
            waits[key] = waits.get(key, 0) + amount
            packages[key] = spot.package or packages.get(key, "")
    key = max(waits, key=lambda each: waits[each], default=("", ""))
    line = below(case.spots, case.threads, key, "wall_ns")[1] if key[0] else 0
    seconds = burn.native_ns / NS_PER_S
    who = f", {packages[key]} is waited for" if packages.get(key) else ""
    more, step = [], "it works in native code: less of it has to be asked for"
    if moved := moved_to_disk(case):
        more, step = [moved], SPILLS
    habit = habit_of(case.spots, case.threads, key, "wall_ns", has_source=case.has_source(key[1]))
    if habit is not None:
        more, step = [*more, f"called by {habit.what}"], habit.step
    threads, cores = most_threads(case), case.cores
    if cores and threads > OVER * cores and threads > OVER + cores:
        more.append(f"{threads} threads on {cores} cores")
        step = "ask for no more threads than there are cores (DuckDB: SET threads)"
    return RankedFinding(
        "cpu_native",
        f"native threads use CPU: {format_seconds(seconds)}, "
        f"{percent(burn.native_ns / (burn.whole_ns + burn.imports_ns))} of {_all(case)}{who}",
        "info",
        CPU_WEIGHT
        * min(burn.native_ns / burn.whole_ns * wanted_ns(case) / NS_PER_S / case.span_s, 1.0),
        case.t0_ns,
        case.t1_ns,
        "Threads",
        proof.NATIVE_CPU,
        "; ".join(
            [
                f"{burn.whole_ns / NS_PER_S / case.span_s:.2f} cores on average",
                *more,
            ]
        ),
        place_of(key, line) if key[0] else "",
        seconds=seconds,
        may_be_wrong="whose they are is told by who waits or works meanwhile" if key[0] else "",
        next_step=step,
    )


def _all(case: Case) -> str:
    """Say what a share of the CPU that stacks explain is of."""
    coverage = case.status.stack_coverage
    return "all" if coverage is None or coverage >= TOLD_COVERAGE else "what stacks explain"


def wanted_ns(case: Case) -> float:
    """Return the CPU that was used or waited for; of threads without Python only the kernel tells
    how long they waited."""
    queued_s = case.reader.last("run_queue_wait_s") or 0.0
    return max(float(case.burnt.wanted_ns), case.burnt.whole_ns + queued_s * NS_PER_S)


def moved_to_disk(case: Case) -> str:
    """Say how much the program wrote and read, if it wrote much; "" else."""
    last = case.reader.last
    written, read = last("io_write_bytes") or 0.0, last("io_read_bytes") or 0.0
    if written < LEAST_MOVED_BYTES:
        return ""
    return f"the program wrote {format_bytes(written)} and read {format_bytes(read)}"


def most_threads(case: Case) -> int:
    """Return the most threads that one process had without Python at once."""
    native: dict[int, int] = {}
    for thread in case.reader.threads(case.t0_ns, case.t1_ns):
        if not thread.is_python:
            native[thread.pid] = native.get(thread.pid, 0) + 1
    return max(native.values(), default=0)
