"""What rises while modules are loaded is theirs, for as long as they are: by the program's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.live import Judge
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.records import ImportBegin, ImportEnd, Metric

if TYPE_CHECKING:
    from perftui.probes.spine.records import Record

S = 1_000_000_000
PID = 500


def alarms(seconds: int, *, waits: float = 0.0, module_every_s: float | None = None) -> list[float]:
    """Import something for `seconds` in which memory rises by 1 MB/s; 20 s more follow.

    Args:
        seconds: How long it takes.
        waits: The part of the time in which the program waits for a core; else it is on one.
        module_every_s: So often a module is loaded within it.
    """
    enricher, judge = Enricher(), Judge(CallTree(), PID, 0)
    found: list[float] = []
    cpu_s = waited_s = 0.0
    for n in range((seconds + 20) * 10):
        t = n / 10
        cpu_s, waited_s = cpu_s + 0.1 * (1 - waits), waited_s + 0.1 * waits
        rss = 40e6 + 1e6 * min(max(t - 3, 0), seconds - 3)
        told: list[Record] = [
            Metric(
                round(t * S), PID, cpu_s, int(rss),
                run_queue_wait_s=waited_s if n % 10 == 0 else None,
            )
        ]  # fmt: skip
        if n == 2:
            told.append(ImportBegin(round(t * S), PID, PID, 1, "heavy", None, 0))
        if n == seconds * 10:
            total = (seconds * S) - S // 5
            told.append(ImportEnd(round(t * S), PID, 1, total, total, 0, ok=True))
        if module_every_s and 2 < n < seconds * 10 and n % round(module_every_s * 10) == 0:
            told.append(ImportBegin(round(t * S), PID, PID, n, f"heavy.part{n}", 1, 0))
            told.append(ImportEnd(round(t * S), PID, n, S // 20, S // 20, 0, ok=True))
        for edges in judge.take(enricher.enrich(told)):
            found += [
                edge.t_detect_s
                for edge in edges
                if edge.kind == "mem_growth" and edge.severity == "warn"
            ]
    return found


def test_an_import_that_waits_for_cores_is_as_long_as_its_own_time() -> None:
    assert alarms(150, waits=0.7) == []


def test_an_import_that_goes_on_to_load_modules_is_one() -> None:
    assert alarms(150, module_every_s=3) == []


def test_an_import_that_loads_nothing_more_is_the_program_itself() -> None:
    [t_s] = alarms(150)
    assert 75 < t_s < 90, "60 s, and growth that no level came before takes 23 s"
    assert len(alarms(150, module_every_s=70)) == 1
