"""CPU: which of the program's own functions used it, or had native threads use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.growth import NATIVE
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding, percent
from perftui.probes.verdict.places import below, leaves, place_of

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
LEAST_SHARE = 0.3
"""Of all CPU, in one function."""


def cpu(case: Case) -> Iterator[RankedFinding]:
    """Yield who used most CPU, if the program is busy: own functions, or native threads."""
    burn = case.burnt
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
