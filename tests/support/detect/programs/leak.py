"""A service that remembers every request: about 3 MB/s that are never given back."""

import sys
import time

import perftui

kept = []
with perftui.phase("setup"):
    end = time.monotonic() + 4
    while time.monotonic() < end:
        sum(range(5_000))
perftui.mark("truth: mem_growth")
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        kept.append(bytearray(b"x") * 150_000)
        perftui.count("requests")
        time.sleep(0.045)
