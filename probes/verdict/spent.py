"""What the program's own functions used of the CPU, and what they waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.memory.growth import NATIVE
from perftui.probes.spine.calltree import ROOT
from perftui.probes.verdict.places import WAIT_FIELDS, below, leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.reader import ThreadTree
    from perftui.probes.verdict.places import Key, Spots

LEAST_SHARE = 0.3
"""Of all CPU, in one function."""
OWN_PART = 0.6
"""Of a function's CPU, not used by others of the program that it calls."""
Thread = tuple[int, int]
"""(pid, tid)"""


class Burnt(NamedTuple):
    """CPU by the program's own functions."""

    whole_ns: int
    """All but what imports used."""
    imports_ns: int
    wanted_ns: int
    """The same, and the time in which it could have run and no core was free."""
    by_own: dict[Key, int]
    packages: dict[Key, dict[str, int]]
    """By own function: CPU in the libraries that it calls."""
    by_node: dict[int, int]
    """By place of an own function, a line of it."""
    native_ns: int
    """Of threads that run no Python."""


def burnt(spots: Spots, threads: Sequence[ThreadTree]) -> Burnt:
    """Give out the CPU to the program's own functions."""
    whole = wanted = native = imports = 0
    by_own: dict[Key, int] = {}
    packages: dict[Key, dict[str, int]] = {}
    by_node: dict[int, int] = {}
    for _, node, weights in leaves(threads):
        spot = spots.of(node)
        if spot.importing:
            imports += weights.cpu_ns
            continue
        wanted += weights.cpu_ns + weights.queue_ns
        if not weights.cpu_ns:
            continue
        whole += weights.cpu_ns
        if spot.own == ROOT and spots.tree.frame(node).function.startswith(NATIVE):
            native += weights.cpu_ns
            continue
        key = spots.key(spot.own if spot.own != ROOT else node)
        by_own[key] = by_own.get(key, 0) + weights.cpu_ns
        if spot.own != ROOT:
            by_node[spot.own] = by_node.get(spot.own, 0) + weights.cpu_ns
        if spot.package and spot.own != ROOT:
            mine = packages.setdefault(key, {})
            mine[spot.package] = mine.get(spot.package, 0) + weights.cpu_ns
    return Burnt(whole, imports, wanted, by_own, packages, by_node, native)


class WaitedFor(NamedTuple):
    """Waiting of threads that had something to do."""

    working_ns: dict[Thread, int]
    """By thread: its time, without that in which it waited for work or for others."""
    by_kind: dict[tuple[str, str], dict[Key, int]]
    """By (field of `Weights`, library): by own function."""
    threads: dict[tuple[str, str], dict[Thread, int]]
    """By the same: by thread."""


def guilty(burn: Burnt, spots: Spots, threads: Sequence[ThreadTree]) -> Key | None:
    """Return the own function that used most CPU, with the libraries that it called, if that is a
    fair part of all; one that mostly called others of the program's that used as much is not it.
    """
    ranked = sorted(burn.by_own, key=lambda each: -burn.by_own[each])
    most = [key for key in ranked if burn.by_own[key] >= LEAST_SHARE * burn.whole_ns]
    for key in most:
        if burn.by_own[key] >= OWN_PART * below(spots, threads, key, "cpu_ns")[0]:
            return key
    return most[0] if most else None


def waited(spots: Spots, threads: Sequence[ThreadTree]) -> WaitedFor:
    """Give out the waiting to the program's own functions."""
    found = WaitedFor({}, {}, {})
    for thread, node, weights in leaves(threads):
        spot = spots.of(node)
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
                key = spots.key(spot.own)
                mine[key] = mine.get(key, 0) + amount
                of_thread = found.threads.setdefault(kind, {})
                of_thread[at] = of_thread.get(at, 0) + amount
    return found
