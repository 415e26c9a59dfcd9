"""`with perftui.measure("load", max_growth="50MB") as m:` measures a block of this process.

The probes of a session run on threads here and feed the same detectors. A block that breaks a
limit raises `LimitExceeded`, an AssertionError, unless it raised something itself.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perftui.probes.detect.code import dominant_code
from perftui.probes.detect.judged import Seen, gates_of, undecided, unjudged
from perftui.probes.detect.live import DetectorProbe, Judge
from perftui.probes.inside.frames import Frames
from perftui.probes.inside.high_water import HighWater, reset_own_mark
from perftui.probes.inside.limits import Limits
from perftui.probes.inside.result import BlockAlert, LimitExceeded, Measured
from perftui.probes.inside.voice import voice
from perftui.probes.inside.watch import Watch
from perftui.probes.machine.cores import usable_cores
from perftui.probes.machine.memory import memory_limit
from perftui.probes.process.metrics import MetricProbe
from perftui.probes.process.opening import open_process
from perftui.probes.spine.log import SessionLog
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from perftui.probes.spine.records import Metric

FIRST_READING_S = 2.0
LATE_WORTH_TELLING_S = 0.25


def _own_reading() -> Metric:
    reader = open_process(os.getpid())
    try:
        return reader.fast(time.monotonic_ns())
    finally:
        reader.close()


def _is_watched() -> bool:
    from perftui.probes.agent import api

    return api.is_launched()


_high_water = HighWater(
    lambda: _own_reading().high_water_rss_bytes,
    # Whoever watches from outside reads the same mark: it is left alone then.
    lambda: not _is_watched() and reset_own_mark(),
)


class measure:
    """Measure a block of this process; what is entered is a `Measured`.

    Args:
        name: What to call the block.
        options: See `Limits`: max_growth, max_kept, max_peak, max_seconds, max_cpu_seconds,
            fail_on, limit, rate_hz.

    Raises:
        LimitsError: an argument makes no sense (when it is made); LimitExceeded when it is left.
    """

    def __init__(self, name: str = "block", **options: object) -> None:
        self.measured = Measured(str(name), Limits.of(options))
        self._pid = 0

    def __enter__(self) -> Measured:
        if self._pid:
            raise RuntimeError("a block is measured once: make another perftui.measure")
        gc.collect()  # what is garbage already is not the block's to give back
        self._pid = os.getpid()
        limits = self.measured.limits
        self._log = log = SessionLog()
        self._watch = Watch(self._pid)
        self._frames = Frames(log.tree, self._pid, threading.get_ident())
        group = memory_limit()
        self._limit_bytes = limits.limit or (group.limit_bytes if group else None)
        self._base_ns = time.monotonic_ns()
        judge = Judge(
            log.tree,
            self._pid,
            self._base_ns,
            limit_bytes=self._limit_bytes,
            cores=usable_cores(self._pid),
            call_tree=self._frames.call_tree,
            tells_waits=False,
            patient=False,
        )
        self._detectors = DetectorProbe(log, judge)
        for sink in (self._watch, self._frames, self._detectors):
            log.connect(sink)
        self._metrics = MetricProbe(log, self._pid, rate_hz=limits.rate_hz)
        self._counted = voice.totals()
        self._heard = voice.join(log)
        self._detectors.start()
        self._metrics.start()
        self._watch.first_reading.wait(FIRST_READING_S)
        _high_water.begin(self)
        self._cpu_s = time.process_time()
        self._wall_ns = time.monotonic_ns()
        return self.measured

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        wall_ns, cpu_s = time.monotonic_ns(), time.process_time()
        if os.getpid() != self._pid:
            return  # a forked child leaves the block of its parent
        own_peak = _high_water.end(self)
        self._metrics.stop()
        voice.leave(self._log)
        self._detectors.stop()
        measured, watch = self.measured, self._watch
        measured.wall_s = (wall_ns - self._wall_ns) / NS_PER_S
        measured.cpu_s = cpu_s - self._cpu_s + watch.children_cpu_s
        self._memory(own_peak)
        self._alerts()
        measured.counters = {
            name: total - self._counted.get(name, 0.0) for name, total in watch.counts.items()
        }
        measured.readings, measured.late_readings = watch.readings, watch.late
        measured.worst_late_s = watch.worst_late_s
        measured.longest_gap_s = watch.longest_gap_s
        self._say_what_was_not_seen()
        if error is None and (verdict := measured.verdict()):
            raise LimitExceeded(verdict)

    def _memory(self, own_peak: int | None) -> None:
        measured, watch = self.measured, self._watch
        first, peak, last = watch.start, watch.peak, watch.last
        if first is None or peak is None or last is None:
            measured.notes.append("no reading could be taken: memory is not known")
            return
        measured.rss_start_bytes = first.rss_bytes
        measured.peak_bytes = max(peak.rss_bytes, own_peak or 0)
        measured.peak_is_exact = own_peak is not None
        measured.peak_phase = peak.phase
        # The last reading is from the block's end; what garbage collection gives back is not kept.
        collected = _own_reading().rss_bytes
        gc.collect()
        freed = collected - _own_reading().rss_bytes
        measured.rss_end_bytes = last.rss_bytes - max(freed, 0)
        threads = self._frames.call_tree(self._base_ns, peak.t_ns + 1)
        code = dominant_code(self._log.tree, threads, "grown")
        measured.peak_code = None if code is None else str(code)

    def _alerts(self) -> None:
        base_ns = self._base_ns
        self.measured.alerts = [
            BlockAlert(
                alert.kind,
                alert.severity,
                (alert.t_onset_ns - base_ns) / NS_PER_S,
                (alert.t_detect_ns - base_ns) / NS_PER_S,
                None if alert.t_clear_ns is None else (alert.t_clear_ns - base_ns) / NS_PER_S,
                alert.message,
                alert.evidence,
            )
            for alert in self._watch.alerts
        ]

    def _say_what_was_not_seen(self) -> None:
        measured, watch = self.measured, self._watch
        raised = [alert.kind for alert in measured.alerts if alert.severity != "info"]
        failed = {gate for kind in raised for gate in gates_of(kind, measured.limits.fail_on)}
        kinds = [kind for kind in measured.limits.fail_on if kind not in failed]
        seen = Seen(
            duration_s=measured.wall_s or 0.0,
            calls=watch.called,
            counts=bool(watch.counts),
            phases=bool(watch.phases),
            limit=self._limit_bytes is not None,
            patient=False,
        )
        left = [alert for alert in measured.alerts if alert.t_clear_s is None]
        measured.unjudged = {**undecided(kinds, left), **unjudged(kinds, seen)}
        if not self._heard and measured.unjudged:
            measured.notes.append(
                "perftui.count, call and phase go to the perftui that launched this process"
            )
        if measured.worst_late_s > LATE_WORTH_TELLING_S:
            measured.notes.append(
                f"{measured.late_readings} of {measured.readings} readings were late, the worst by "
                f"{format_seconds(measured.worst_late_s)}: a native call kept the GIL, or the "
                "machine is loaded; alerts may come late or not at all"
            )
        if measured.peak_bytes is not None and not measured.peak_is_exact:
            measured.notes.append(
                "the kernel's high-water mark does not tell this block's peak: one between two "
                f"readings (up to {format_seconds(measured.longest_gap_s)} apart) is not seen"
            )


@contextmanager
def plainly(measured: Measured) -> Iterator[Measured]:
    """Read a block at its beginning and its end only: no thread, no detector, no limit."""
    before, began_ns, cpu_s = _own_reading(), time.monotonic_ns(), time.process_time()
    try:
        yield measured
    finally:
        measured.cpu_s = time.process_time() - cpu_s
        measured.wall_s = (time.monotonic_ns() - began_ns) / NS_PER_S
        measured.rss_start_bytes = before.rss_bytes
        measured.rss_end_bytes = _own_reading().rss_bytes
        measured.peak_bytes = max(before.rss_bytes, measured.rss_end_bytes)
        measured.notes.append("measuring is off: read at the beginning and the end only")
