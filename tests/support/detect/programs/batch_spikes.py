"""Large batches that come and go."""

import sys
import time

import perftui

with perftui.phase("load"):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        batch = bytearray(b"x") * 120_000_000
        perftui.count("rows", 1000)
        time.sleep(0.3)
        del batch
        work_until = time.monotonic() + 1.2
        while time.monotonic() < work_until:
            sum(range(5_000))
