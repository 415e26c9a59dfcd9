"""Why it was slow, and what it waited for: imports, CPU, waiting, first calls, decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.code import SAYS_ITS_CODE, WEIGHT_OF, dominant_code
from perftui.probes.profile.growth import NATIVE
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding, percent
from perftui.probes.verdict.places import WAIT_FIELDS, below, leaves, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.reader import Import
    from perftui.probes.spine.records import Alert
    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.places import Key

LEAST_IMPORT_S, LEAST_IMPORT_SHARE = 2.0, 0.05
SHORT_IMPORT_S, SHORT_IMPORT_SHARE = 0.3, 0.2
"""Of a short run: where much of it is importing, that is its story."""
LEAST_BUSY = 0.5
"""Cores used, on average: a program that uses less is not slow for want of CPU."""
LEAST_CPU_S = 0.3
CPU_WEIGHT = 0.6
"""To use CPU is what a program is for: what it waits for or keeps is more of a finding."""
LEAST_SHARE = 0.3
"""Of all CPU, in one function."""
LEAST_WAIT_S, LEAST_WAIT_SHARE = 0.5, 0.25
NATIVE_AT_WORK = 0.02
"""Of all CPU: native threads that use more are what somebody may wait for."""
OWN_NAME = "perftui"

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
DECAYS = {
    "no_steady_state": "gets slower",
    "throughput_decay": "gets slower",
    "loop_blocked": "blocks the event loop",
    "lock_wait": "stands still",
    "io_wait": "stands still",
}


def in_time(case: Case) -> Iterator[RankedFinding]:
    """Yield findings about time."""
    yield from _imports(case)
    waits = list(_waits(case))
    yield from waits
    yield from _cpu(case)
    yield from _first_calls(case)
    yield from _alerts(case, {each.kind for each in waits})


# -- imports -------------------------------------------------------------------------------------


def outermost(imports: tuple[Import, ...]) -> list[Import]:
    """Return imports that no other caused, without those of perftui itself."""
    known = {(row.pid, row.id) for row in imports}
    return [
        row
        for row in imports
        if (row.pid, row.parent_id) not in known and row.module.partition(".")[0] != OWN_NAME
    ]


def _imports(case: Case) -> Iterator[RankedFinding]:
    by_pid: dict[int, list[Import]] = {}
    for row in outermost(case.imports):
        by_pid.setdefault(row.pid, []).append(row)
    if not by_pid:
        return
    took = {pid: _covered_ns(rows) for pid, rows in by_pid.items()}
    pid = max(took, key=lambda each: took[each])
    took_s = took[pid] / NS_PER_S
    share = min(took_s / case.span_s, 1.0)
    is_long = took_s >= LEAST_IMPORT_S and share >= LEAST_IMPORT_SHARE
    if not is_long and not (took_s >= SHORT_IMPORT_S and share >= SHORT_IMPORT_SHARE):
        return
    rows = sorted(by_pid[pid], key=lambda row: -row.total_ns)
    first = rows[0]
    count = sum(row.pid == pid for row in case.imports)
    telling = [row for row in rows if row.total_ns >= 0.1 * took[pid]] or rows  # many small ones
    named = ", ".join(
        f"{row.module} {format_seconds(row.total_ns / NS_PER_S)}" for row in telling[:3]
    )
    where = f" of process {pid}" if len(by_pid) > 1 else ""
    yield RankedFinding(
        "imports",
        f"imports {_of(took_s, case.span_s)}: {named}",
        "info",
        share,
        min(row.t0_ns for row in telling),
        max(row.t0_ns + row.total_ns for row in telling),
        "Imports",
        proof.IMPORTS,
        f"{count} modules{where}",
        _importer(case, first),
        seconds=took_s,
        next_step=f"import {first.module} where it is used, if that is not always",
    )


def _covered_ns(rows: list[Import]) -> int:
    """Return the time in which at least one of them ran."""
    covered, until = 0, 0
    for row in sorted(rows, key=lambda each: each.t0_ns):
        end = row.t0_ns + row.total_ns
        covered += max(end - max(row.t0_ns, until), 0)
        until = max(until, end)
    return covered


def _importer(case: Case, row: Import) -> str:
    """Return the program's own line that was on the stack while a module was imported."""
    threads = case.reader.call_tree(row.t0_ns, row.t0_ns + max(row.total_ns, 1))
    places: dict[int, int] = {}
    for thread, node, weights in leaves(threads):
        spot = case.spots.of(node)
        if thread.pid == row.pid and spot.importing and spot.own != ROOT:
            places[spot.own] = places.get(spot.own, 0) + weights.wall_ns
    return case.spots.place(max(places, key=lambda node: places[node])) if places else ""


# -- CPU -----------------------------------------------------------------------------------------


class Burnt(NamedTuple):
    """CPU by the program's own functions."""

    whole_ns: int
    """All but what imports used."""
    wanted_ns: int
    """The same, and the time in which it could have run and no core was free."""
    by_own: dict[Key, int]
    packages: dict[Key, dict[str, int]]
    """By own function: CPU in the libraries that it calls."""
    native_ns: int
    """Of threads that run no Python."""


def burnt(case: Case) -> Burnt:
    """Give out the CPU to the program's own functions."""
    whole = wanted = native = 0
    by_own: dict[Key, int] = {}
    packages: dict[Key, dict[str, int]] = {}
    for _, node, weights in leaves(case.threads):
        spot = case.spots.of(node)
        if spot.importing:
            continue
        wanted += weights.cpu_ns + weights.queue_ns
        if not weights.cpu_ns:
            continue
        whole += weights.cpu_ns
        if spot.own == ROOT and case.reader.tree.frame(node).function.startswith(NATIVE):
            native += weights.cpu_ns
            continue
        key = case.spots.key(spot.own if spot.own != ROOT else node)
        by_own[key] = by_own.get(key, 0) + weights.cpu_ns
        if spot.package and spot.own != ROOT:
            mine = packages.setdefault(key, {})
            mine[spot.package] = mine.get(spot.package, 0) + weights.cpu_ns
    return Burnt(whole, wanted, by_own, packages, native)


def _cpu(case: Case) -> Iterator[RankedFinding]:
    burn = burnt(case)
    whole_s = burn.whole_ns / NS_PER_S
    wanted_s = burn.wanted_ns / NS_PER_S
    if whole_s < LEAST_CPU_S or wanted_s < LEAST_BUSY * case.span_s:
        return
    if burn.native_ns >= LEAST_SHARE * burn.whole_ns:
        yield _native(case, burn)
    if not burn.by_own:
        return
    key = max(burn.by_own, key=lambda each: burn.by_own[each])
    if burn.by_own[key] < LEAST_SHARE * burn.whole_ns:
        return
    total, line = below(case.spots, case.threads, key, "cpu_ns")
    libraries = burn.packages.get(key, {})
    package = max(libraries, key=lambda each: libraries[each], default="")
    inside = ""
    if package and libraries[package] >= 0.5 * burn.by_own[key]:
        inside = f", most of it in {package}"
    share = min(total / burn.whole_ns, 1.0)
    yield RankedFinding(
        "cpu",
        f"uses CPU: {format_seconds(total / NS_PER_S)}, {percent(share)} of all{inside}",
        "info",
        CPU_WEIGHT * min(share * wanted_s / case.span_s, 1.0),
        case.t0_ns,
        case.t1_ns,
        "Flame",
        proof.function_sql(*key, "cpu_s"),
        f"{whole_s / case.span_s:.2f} cores on average, imports left out",
        place_of(key, line),
        seconds=total / NS_PER_S,
        next_step="make this faster, or ask for less of it",
    )


def _native(case: Case, burn: Burnt) -> RankedFinding:
    """CPU of native threads is called for by whoever waits in a library meanwhile."""
    waits: dict[Key, int] = {}
    packages: dict[Key, str] = {}
    for _, node, weights in leaves(case.threads):
        spot = case.spots.of(node)
        if spot.own != ROOT and spot.package and not spot.importing:
            key = case.spots.key(spot.own)
            waits[key] = waits.get(key, 0) + weights.waiting_ns
            packages[key] = spot.package
    key = max(waits, key=lambda each: waits[each], default=("", ""))
    line = below(case.spots, case.threads, key, "wall_ns")[1] if key[0] else 0
    seconds = burn.native_ns / NS_PER_S
    who = f", {packages[key]} is waited for" if key[0] else ""
    return RankedFinding(
        "cpu_native",
        f"native threads use CPU: {format_seconds(seconds)}, "
        f"{percent(burn.native_ns / burn.whole_ns)} of all{who}",
        "info",
        CPU_WEIGHT * min(seconds / burn.whole_ns * burn.wanted_ns / case.span_s, 1.0),
        case.t0_ns,
        case.t1_ns,
        "Threads",
        "SELECT function, file, cpu_s FROM top_self "
        f"WHERE starts_with(function, {proof.text(NATIVE)})",
        "threads without Python; called by whom is told by who waits meanwhile",
        place_of(key, line) if key[0] else "",
        seconds=seconds,
        may_be_wrong="by who waits meanwhile" if key[0] else "",
        next_step="it works in native code: less of it has to be asked for",
    )


# -- waiting -------------------------------------------------------------------------------------


class WaitedFor(NamedTuple):
    """Waiting of threads that had something to do."""

    working_ns: dict[tuple[int, int], int]
    """By thread: its time, without that in which it waited for work or for others."""
    by_kind: dict[tuple[str, str], dict[Key, int]]
    """By (field of `Weights`, library): by own function."""
    threads: dict[tuple[str, str], dict[tuple[int, int], int]]
    """By the same: by thread."""


def waited(case: Case) -> WaitedFor:
    """Give out the waiting to the program's own functions."""
    found = WaitedFor({}, {}, {})
    for thread, node, weights in leaves(case.threads):
        spot = case.spots.of(node)
        if spot.idle or spot.own == ROOT:
            continue
        at = thread.pid, thread.tid
        found.working_ns[at] = found.working_ns.get(at, 0) + weights.wall_ns
        if spot.importing:
            continue
        for field in WAIT_FIELDS:
            amount: int = getattr(weights, field)
            if amount > 0:
                library = spot.package if field in ("lock_ns", "io_ns", "sleep_ns") else ""
                kind = ("" if library else field), library
                mine = found.by_kind.setdefault(kind, {})
                key = case.spots.key(spot.own)
                mine[key] = mine.get(key, 0) + amount
                of_thread = found.threads.setdefault(kind, {})
                of_thread[at] = of_thread.get(at, 0) + amount
    return found


def _waits(case: Case) -> Iterator[RankedFinding]:
    wait = waited(case)
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
        burn = burnt(case)
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
    wait = waited(case)
    kind = "sleep_ns", ""
    threads = wait.threads.get(kind, {})
    whole_ns = sum(wait.working_ns[at] for at in threads)
    if not whole_ns:
        return 0.0, ""
    by_own = wait.by_kind[kind]
    key = max(by_own, key=lambda each: by_own[each])
    line = below(case.spots, case.threads, key, "sleep_ns")[1]
    return sum(threads.values()) / whole_ns, place_of(key, line)


# -- what detectors said -------------------------------------------------------------------------


def _first_calls(case: Case) -> Iterator[RankedFinding]:
    told = case.alerts_of("cold_start")
    if not told:
        return
    calls = {call.name: call for call in case.reader.calls(case.t0_ns, case.t1_ns)}
    for alert in told:
        call = next((c for name, c in calls.items() if f"first {name} " in alert.message), None)
        t0, t1 = case.alert_span(alert)
        lost_s = (t1 - t0) / NS_PER_S
        if call is not None:
            lost_s = (call.first_ns - (call.warm_median_ns or 0)) / NS_PER_S
        spot = dominant_code(case.reader.tree, case.reader.call_tree(t0, t1), "wall")
        where = "" if spot is None else place_of((spot.function, spot.file), spot.line)
        yield RankedFinding(
            "cold_start",
            alert.message,
            alert.severity,
            0.1 + min(lost_s / case.span_s, 1.0),
            t0,
            t1,
            "Flame",
            "SELECT name, n, duration_s FROM calls ORDER BY t_ns LIMIT 20",
            alert.evidence,
            where,
            seconds=lost_s,
            next_step="call it once before it counts, or keep the process",
        )


def _alerts(case: Case, said: set[str]) -> Iterator[RankedFinding]:
    """What was told while it ran and that no figure above has said; one of each kind."""
    for kind, word in DECAYS.items():
        mine = case.alerts_of(kind)
        if not mine or kind in said:
            continue
        alert = max(mine, key=lambda a: (a.severity == "critical", _length(case, a)))
        t0, t1 = case.alert_span(alert)
        threads = case.reader.call_tree(t0, t1)
        spot = dominant_code(case.reader.tree, threads, WEIGHT_OF.get(kind, "cpu"))
        says_it = kind in SAYS_ITS_CODE or spot is None
        where = ""
        if spot is not None and not says_it:
            where = place_of((spot.function, spot.file), spot.line)
        times = f" ({len(mine)} times)" if len(mine) > 1 else ""
        yield RankedFinding(
            kind,
            f"{word}{times}: {alert.message}",
            alert.severity,
            0.5 + 0.5 * min(_length(case, alert) / case.span_s, 1.0),
            t0,
            t1,
            "Flame",
            proof.alerts_sql(kind),
            alert.evidence,
            where,
            seconds=_length(case, alert),
            next_step="lay that time against the time before it: D on the screen",
        )


def _length(case: Case, alert: Alert) -> float:
    t0, t1 = case.alert_span(alert)
    return (t1 - t0) / NS_PER_S


def _of(part_s: float, whole_s: float) -> str:
    """Say a part of a time with one unit: "8.1 of 82 s"."""
    part, whole = format_seconds(part_s), format_seconds(whole_s)
    number, _, unit = part.rpartition(" ")
    return f"{number} of {whole}" if whole.endswith(f" {unit}") else f"{part} of {whole}"
