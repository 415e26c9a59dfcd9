"""Garbage that is collected above a flat floor."""

import gc
import sys
import time

import perftui

gc.disable()
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    step = 0
    while time.monotonic() < end:
        cycle = [bytearray(b"x") * 600_000]
        cycle.append(cycle)
        step += 1
        if step % 50 == 0:
            gc.collect()
        time.sleep(0.045)
