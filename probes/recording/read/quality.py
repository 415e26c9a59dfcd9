"""How good the stacks of a recorded session were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.answers.quality import LATELY, StackQuality
from perftui.probes.recording.format.arrow import compute
from perftui.probes.spine.records import StackWindow

if TYPE_CHECKING:
    from perftui.probes.recording.read.catalog import Catalog


def stack_quality(catalog: Catalog, pid: int) -> StackQuality:
    """Return it from the table of windows, whose coverage is cumulative; `pid` is the target."""
    pc = compute()
    found = StackQuality()
    windows = catalog.whole("windows")
    if not windows.num_rows:
        return found
    found.samples = pc.sum(windows["samples"]).as_py()
    found.torn = pc.sum(windows["torn"]).as_py()
    found.sampler_cpu_s = pc.sum(windows["sampler_cpu_s"]).as_py()
    for backend in pc.unique(windows["backend"]).to_pylist():
        found.know_backend(backend)
    found.used_cpu_ns = pc.sum(windows["cpu_ns"]).as_py() or 0
    found.covered_cpu_ns = pc.sum(windows["covered_cpu_ns"]).as_py() or 0
    mine = windows.filter(pc.equal(windows["pid"], pid))
    if not mine.num_rows:
        return found
    found.begin_ns = mine["t0_ns"][0].as_py()
    found.asked_hz = pc.max(mine["rate_hz"]).as_py() or 0.0
    found.end_ns = pc.max(mine["t1_ns"]).as_py()
    found.covered_ns = mine["covered_ns"][-1].as_py()
    newest = mine.slice(max(mine.num_rows - LATELY, 0))
    for *window, threads, _ in zip(*(c.to_pylist() for c in newest.columns), strict=True):
        found.lately.append((StackWindow(*window), threads))
    return found
