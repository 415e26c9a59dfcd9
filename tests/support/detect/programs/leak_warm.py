"""Loads for some seconds, then serves and leaks at once, without a level between: 1.5 MB/s."""

import sys
import time

import perftui

with perftui.phase("load"):
    table = []
    end = time.monotonic() + 5
    while time.monotonic() < end:
        table.append(bytearray(b"t") * 500_000)
        time.sleep(0.05)
perftui.mark("truth: mem_growth")
kept = []
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        kept.append(bytearray(b"x") * 75_000)
        time.sleep(0.048)
