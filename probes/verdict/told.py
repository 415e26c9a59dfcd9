"""What detectors told while it ran and that no figure has said: first calls, decay, stalls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.code import LEAST_OF, SAYS_ITS_CODE, WEIGHT_OF, dominant_code
from perftui.probes.profile.caused import first_call_words, first_imports_json
from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding
from perftui.probes.verdict.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.records import Alert
    from perftui.probes.verdict.case import Case

DECAYS = {
    "no_steady_state": "gets slower",
    "throughput_decay": "gets slower",
    "loop_blocked": "blocks the event loop",
    "gc_pressure": "collects cycles much of the time",
    "lock_wait": "stands still",
    "io_wait": "stands still",
    "straggler": "one of many differs",
    "lone_growth": "one of many grows",
}
NEXT = {
    "straggler": "look at that process alone: Enter on its row in Procs",
    "lone_growth": "look at that process alone: Enter on its row in Procs",
    "loop_blocked": "run it in a thread (asyncio.to_thread), or in pieces that await",
    "gc_pressure": "make fewer containers at once, gc.freeze() what stays, or a higher threshold",
}


def first_calls(case: Case) -> Iterator[RankedFinding]:
    """Yield first calls that took much longer than later ones."""
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
        imported = ""
        if call is not None:
            imported = first_call_words(call.first_ns / NS_PER_S, first_imports_json(call))
        yield RankedFinding(
            "cold_start",
            alert.message,
            alert.severity,
            0.1 + min(lost_s / case.span_s, 1.0),
            t0,
            t1,
            "Flame",
            "SELECT name, n, duration_s FROM calls ORDER BY t_ns LIMIT 20",
            alert.evidence + (f"; first call: {imported}" if imported else ""),
            where,
            seconds=lost_s,
            next_step="call it once before it counts, or keep the process",
        )


def alerts(case: Case, said: set[str]) -> Iterator[RankedFinding]:
    """What was told while it ran and that no figure above has said; one of each kind."""
    for kind, word in DECAYS.items():
        mine = case.alerts_of(kind)
        if not mine or kind in said:
            continue
        alert = max(mine, key=lambda a: (a.severity == "critical", _length(case, a)))
        t0, t1 = case.alert_span(alert)
        threads = case.reader.call_tree(t0, t1)
        spot = dominant_code(case.reader.tree, threads, WEIGHT_OF.get(kind, "cpu"))
        if spot is not None and spot.share < LEAST_OF.get(kind, 0.0):
            spot = None
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
            seconds=None if kind == "loop_blocked" else _length(case, alert),
            next_step=NEXT.get(kind, "lay that time against the time before it: D on the screen"),
        )


def _length(case: Case, alert: Alert) -> float:
    t0, t1 = case.alert_span(alert)
    return (t1 - t0) / NS_PER_S
