"""How good the stacks of a recorded session were."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perftui.probes.recording.format.arrow import compute
from perftui.probes.spine.records import StackWindow
from perftui.probes.store.quality import StackQuality

if TYPE_CHECKING:
    from perftui.probes.recording.read.catalog import Catalog

_LATELY = 8


class DiskStackQuality(StackQuality):
    """`StackQuality` filled from the table of windows, whose coverage is cumulative."""

    def __init__(self, catalog: Catalog, pid: int) -> None:
        pc = compute()
        super().__init__(pid)
        windows = catalog.whole("windows")
        if not windows.num_rows:
            return
        self.samples = pc.sum(windows["samples"]).as_py()
        self.torn = pc.sum(windows["torn"]).as_py()
        self.sampler_cpu_s = pc.sum(windows["sampler_cpu_s"]).as_py()
        for backend in pc.unique(windows["backend"]).to_pylist():
            if backend:
                self._backends[backend] = None
        self._used_cpu_ns = pc.sum(windows["cpu_ns"]).as_py() or 0
        self._covered_cpu_ns = pc.sum(windows["covered_cpu_ns"]).as_py() or 0
        mine = windows.filter(pc.equal(windows["pid"], pid))
        if not mine.num_rows:
            return
        self._begin_ns = mine["t0_ns"][0].as_py()
        self._end_ns = pc.max(mine["t1_ns"]).as_py()
        self._covered_ns = mine["covered_ns"][-1].as_py()
        newest = mine.slice(max(mine.num_rows - _LATELY, 0))
        self._lately = deque(maxlen=_LATELY)
        for *window, threads, _ in zip(*(c.to_pylist() for c in newest.columns), strict=True):
            self._lately.append((StackWindow(*window), threads))
