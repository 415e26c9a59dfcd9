"""Why it was slow, and what it waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.verdict.cpu import cpu
from perftui.probes.verdict.imports import imports
from perftui.probes.verdict.told import alerts, first_calls
from perftui.probes.verdict.uneven import uneven
from perftui.probes.verdict.waits import waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.finding import RankedFinding


def _without_twins(
    waiting: list[RankedFinding], burning: list[RankedFinding]
) -> Iterator[RankedFinding]:
    """Yield waiting; not that for native threads whose CPU is told, of the same function."""
    told = {each.code.partition(" ")[0] for each in burning if each.kind == "cpu_native"}
    for each in waiting:
        is_twin = each.kind == "lock_wait" and each.may_be_wrong and each.severity == "info"
        if not is_twin or each.code.partition(" ")[0] not in told:
            yield each


def in_time(case: Case) -> Iterator[RankedFinding]:
    """Yield findings about time."""
    yield from imports(case)
    burning, waiting = list(cpu(case)), list(waits(case))
    yield from burning
    yield from _without_twins(waiting, burning)
    yield from uneven(case)
    yield from first_calls(case)
    yield from alerts(case, {each.kind for each in waiting})
