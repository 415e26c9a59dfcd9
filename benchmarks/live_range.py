"""How long the flame of a range takes in a live session of one hour.

The hour is synthetic, fed through the session's own store as fast as it takes it: 4 threads at
100 Hz, 400 distinct stacks of 30 frames. Measured: the call tree of ranges of several lengths,
with the sums that the flame and the top table need.

    python benchmarks/live_range.py [MINUTES]
"""

from __future__ import annotations

import random
import sys
import time
from statistics import median

from perftui.probes.profile.sums import MergedSums, MergedTree, function_sums
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import Stack, StackWindow
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S

THREADS = 4
STACKS = 400
DEPTH = 30
HOLD_NS = 10_000_000
GOAL_S = 0.2


def main() -> None:
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    rng = random.Random(7)
    tree = CallTree()
    frames = [tree.frame_id(f"f{n}", f"/app/m{n % 20}.py", n) for n in range(300)]
    leaves = [tree.intern([rng.choice(frames) for _ in range(DEPTH)]) for _ in range(STACKS)]
    target = Target("synthetic", ("x",), 1, None, launched=True, agent=False)
    end_ns = minutes * 60 * NS_PER_S
    enricher = Enricher()
    store = Store(tree, target, clock=lambda: end_ns)
    for second in range(minutes * 60):
        t0 = second * NS_PER_S
        batch: list[Stack | StackWindow] = [
            Stack(t, t + HOLD_NS, 1, tid, rng.choice(leaves))
            for t in range(t0, t0 + NS_PER_S, HOLD_NS)
            for tid in range(1, THREADS + 1)
        ]
        batch.append(StackWindow(t0, t0 + NS_PER_S, 1, 100, 400, 0, 0, 0.05, "synthetic"))
        store.ingest(enricher.enrich(batch))
    print(f"{minutes} min, {THREADS} threads x 100 Hz; goal {GOAL_S} s")
    for name, length_s in (("10 s", 10), ("1 min", 60), ("5 min", 300), ("30 min", 1_800)):
        took = []
        for _ in range(5):
            t1 = rng.randrange(length_s * NS_PER_S, end_ns + 1)
            began = time.perf_counter()
            stacks = store.call_tree(t1 - length_s * NS_PER_S, t1)
            MergedSums(MergedTree(tree), stacks[:1])
            function_sums(tree, stacks)
            took.append(time.perf_counter() - began)
        middle_ms, worst_ms = median(took) * 1e3, max(took) * 1e3
        print(f"  range of {name:>6}: median {middle_ms:6.1f} ms, worst {worst_ms:6.1f} ms")


if __name__ == "__main__":
    main()
