"""The table of detectors. A new one is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.kinds.cold_start import ColdStart
from perftui.probes.detect.kinds.cpu_contention import CpuContention
from perftui.probes.detect.kinds.gc_pressure import GcPressure
from perftui.probes.detect.kinds.io_wait import IoWait
from perftui.probes.detect.kinds.lock_wait import LockWait
from perftui.probes.detect.kinds.loop_blocked import LoopIsBlocked
from perftui.probes.detect.kinds.mem_growth import MemGrowth
from perftui.probes.detect.kinds.no_steady_state import NoSteadyState
from perftui.probes.detect.kinds.odd_one_out import LoneGrowth, MemorySkew, Straggler
from perftui.probes.detect.kinds.oom_risk import OomRisk
from perftui.probes.detect.kinds.slow_import import SlowImport
from perftui.probes.detect.kinds.streaming_violation import StreamingViolation
from perftui.probes.detect.kinds.throughput_decay import ThroughputDecay

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.detector import Detector

DETECTORS: dict[str, type[Detector]] = {
    detector.kind: detector
    for detector in (
        OomRisk,
        StreamingViolation,
        MemGrowth,
        SlowImport,
        ColdStart,
        NoSteadyState,
        CpuContention,
        LockWait,
        IoWait,
        LoopIsBlocked,
        GcPressure,
        ThroughputDecay,
        Straggler,
        LoneGrowth,
        MemorySkew,
    )
}
"""By kind. The order is the order of judgement: the more exact name comes first
(streaming_violation before mem_growth, lock_wait before io_wait, a stall before a decay)."""
