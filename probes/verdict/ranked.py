"""`verdict`: what matters about a session, by impact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.bursts import brief_bursts
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.probes.verdict.case import Case
from perftui.probes.verdict.finding import LEAST_IMPACT, MOST, SessionVerdict, percent
from perftui.probes.verdict.in_memory import in_memory
from perftui.probes.verdict.in_the_end import in_the_end
from perftui.probes.verdict.in_time import in_time
from perftui.probes.verdict.places import below, place_of
from perftui.probes.verdict.spent import LEAST_SHARE
from perftui.probes.verdict.stuck import stuck
from perftui.probes.verdict.waits import sleeps

if TYPE_CHECKING:
    from perftui.probes.spine.reader import Reader
    from perftui.probes.verdict.finding import RankedFinding

LEAST_SAID = 0.2
"""Share of the time that the plain words name."""
LEAST_CORES = 0.01
"""Of less CPU it does not matter where it went."""
STILL_IMPACT = 0.5
"""Of a program that stood still for most of its time: that its threads waited for locks is that."""


def verdict(reader: Reader) -> SessionVerdict:
    """Return what matters about all that a reader has, at most five findings."""
    case = Case(reader)
    found = _once([*in_the_end(case), *stuck(case), *in_memory(case), *in_time(case)])
    found = [each for each in found if each.impact >= LEAST_IMPACT]
    found.sort(key=lambda each: -each.impact)
    return SessionVerdict(
        tuple(found[:MOST]), max(len(found) - MOST, 0), _plain(case), (case.t0_ns, case.t1_ns)
    )


def _once(found: list[RankedFinding]) -> list[RankedFinding]:
    """Tell of one cause once."""
    if any(each.kind == "stands_still" and each.impact >= STILL_IMPACT for each in found):
        found = [each for each in found if each.kind != "lock_wait"]
    return _one_straggler(found)


def _one_straggler(found: list[RankedFinding]) -> list[RankedFinding]:
    """Tell of one straggler once: its CPU names its code, the alert of the same says only whose."""
    mine = [each for each in found if each.kind == "straggler"]
    named = [each for each in mine if each.code]
    if not named or len(named) == len(mine):
        return found
    first = named[0]._replace(impact=max(each.impact for each in mine))
    return [first, *named[1:], *(each for each in found if each.kind != "straggler")]


def _part(case: Case, share: float) -> str:
    bursts = brief_bursts(case.threads, case.status.stack_rate_hz)
    off = f" (±{100 * bursts.error(share):.0f} points: bursts under 0.5 ms)"
    return percent(share) + (off if bursts.worth_telling else "")


def _plain(case: Case) -> str:
    """Say what the program did: time, CPU and where, sleep and where, memory."""
    burn = case.burnt
    stacks_ns = sum(thread.cpu_ns for thread in case.threads)
    cores = max(stacks_ns, burn.whole_ns) / NS_PER_S / case.span_s
    parts = [format_seconds(case.span_s)]
    if case.threads:
        words = f"CPU {cores * 100:.0f} %"
        if case.outlived:
            words = f"CPU {format_seconds(cores * case.span_s)} with who lives on"
        key = case.guilty
        if key is not None and cores >= LEAST_CORES:
            total, line = below(case.spots, case.threads, key, "cpu_ns")
            share = total / (burn.whole_ns + burn.imports_ns)
            if share >= LEAST_SHARE:  # of all, what imports used with it
                words += f", {_part(case, share)} of it in {place_of(key, line)}"
        parts.append(words)
        asleep, where = sleeps(case)
        if asleep >= LEAST_SAID:
            parts.append(f"sleeps {percent(asleep)} of the time in {where}")
    if case.peak_bytes:
        parts.append(f"peak {format_bytes(case.peak_bytes)}")
    return " · ".join(parts)
