"""Reads in batches and keeps every one of them."""

import sys
import time

import perftui

time.sleep(3)
perftui.mark("truth: streaming_violation")
with perftui.phase("read"):
    end = time.monotonic() + float(sys.argv[1])
    everything = []
    while time.monotonic() < end:
        batch = [(n, n * 0.5) for n in range(3_000)]
        everything.extend(batch)
        perftui.count("rows", len(batch))
        time.sleep(0.03)
