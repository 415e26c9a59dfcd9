"""Real programs with known answers, run and watched as `perftui run` does it.

A program says when its truth begins ("truth: KIND") and ends ("end: KIND") with marks.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.observations import Edge
from perftui.probes.detect.observe import Observer
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.probes.spine.records import Alert, Mark
from perftui.probes.text.units import NS_PER_S
from support.detect.corpus import Trace, Truth

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.observations import Observation
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = {
    "leak": 30,
    "leak_dict": 25,
    "leak_slow": 25,
    "lru_unbounded": 25,
    "gc_disabled": 25,
    "leak_warm": 25,
    "leak_mappings": 25,
    "gc_rising": 60,
    "gc_flat": 40,
    "cache_levels": 35,
    "ttl_cache": 35,
    "warm_tables": 20,
    "batch_waves": 45,
    "generator_pipeline": 25,
    "collect": 22,
    "duckdb_collect": 22,
    "stream": 25,
    "batch_spikes": 25,
    "cold_duckdb": 6,
    "slow_import": 3,
    "io_wait": 9,
    "lock_wait": 10,
    "decay": 40,
    "idle": 20,
    "steady_calls": 20,
}
"""How long each runs, besides its own beginning and end."""
TOO_LATE_S = 8.0
ENVIRONMENT = {"cpu_contention", "slow_import"}
"""True of a busy machine, whatever the program does: no false alarm where it is not the truth."""


@dataclass
class Watched:
    """What was seen of one program."""

    name: str
    trace: Trace
    """Its observations, to be judged again without stacks."""
    edges: list[Edge]
    """What was said live."""
    alerts: list[Alert]
    records: list[Record] = field(default_factory=list)


class _Keeper:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.batches: list[Batch] = []

    def ingest(self, batch: Batch) -> None:
        self.records += batch.raw
        self.batches.append(batch)


def watch(name: str, seconds: float | None = None, *, stacks: bool = True) -> Watched:
    """Run a program to its end under the probes and the detectors."""
    argv = [sys.executable, str(PROGRAMS / f"{name}.py"), str(seconds or SECONDS[name])]
    session = Session.launch(argv, name, ProbeOptions(stacks=stacks), behind_screen=True)
    base_ns = session.store.status().t_start_ns
    keeper = _Keeper()
    session._log.connect(keeper)
    session.wait()
    session.close()
    observer = Observer(session.pid, base_ns)
    observations: list[Observation] = [
        seen for batch in keeper.batches for seen in observer.take(batch)
    ]
    duration_s = (time.monotonic_ns() - base_ns) / NS_PER_S
    trace = Trace(
        name,
        name,
        observations,
        _truths(keeper.records, base_ns, duration_s),
        None,
        duration_s,
        len(observations),
    )
    alerts = [record for record in keeper.records if isinstance(record, Alert)]
    return Watched(name, trace, _edges(alerts, base_ns), alerts, keeper.records)


def _truths(records: list[Record], base_ns: int, duration_s: float) -> list[Truth]:
    begun: dict[str, float] = {}
    ended: dict[str, float] = {}
    for record in records:
        if isinstance(record, Mark):
            word, _, kind = record.name.partition(": ")
            (begun if word == "truth" else ended)[kind] = (record.t_ns - base_ns) / NS_PER_S
    return [
        Truth(kind, onset_s, ended.get(kind), ended.get(kind, duration_s) + TOO_LATE_S)
        for kind, onset_s in begun.items()
    ]


def _edges(alerts: list[Alert], base_ns: int) -> list[Edge]:
    return [
        Edge(
            alert.kind,
            alert.severity if alert.t_clear_ns is None else "clear",
            (alert.t_onset_ns - base_ns) / NS_PER_S,
            ((alert.t_clear_ns or alert.t_detect_ns) - base_ns) / NS_PER_S,
            alert.message,
            alert.evidence,
        )
        for alert in alerts
    ]
