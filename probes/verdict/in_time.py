"""Why it was slow, and what it waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.verdict.cpu import cpu
from perftui.probes.verdict.imports import imports
from perftui.probes.verdict.told import alerts, first_calls
from perftui.probes.verdict.waits import waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.finding import RankedFinding


def in_time(case: Case) -> Iterator[RankedFinding]:
    """Yield findings about time."""
    yield from imports(case)
    waiting = list(waits(case))
    yield from waiting
    yield from cpu(case)
    yield from first_calls(case)
    yield from alerts(case, {each.kind for each in waiting})
