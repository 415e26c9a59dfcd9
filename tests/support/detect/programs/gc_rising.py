"""Garbage that is collected, above a floor that rises: cycles are freed, a little is kept."""

import gc
import sys
import time

import perftui

gc.disable()
kept = []
time.sleep(3)
perftui.mark("truth: mem_growth")
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    step = 0
    while time.monotonic() < end:
        cycle = [bytearray(b"x") * 400_000]
        cycle.append(cycle)
        kept.append(bytearray(b"y") * 60_000)
        step += 1
        if step % 40 == 0:
            gc.collect()
        time.sleep(0.045)
