"""Finds duplicates in a list: every row costs more than the one before."""

import sys
import time

import perftui

time.sleep(1)
seen = []
perftui.mark("truth: throughput_decay")
with perftui.phase("load"):
    end = time.monotonic() + float(sys.argv[1])
    row = 0
    while time.monotonic() < end:
        for _ in range(20):
            if row not in seen:
                seen.append(row)
            row += 1
        perftui.count("rows", 20)
