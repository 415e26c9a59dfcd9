"""An lru_cache without a maxsize that never sees an argument twice: about 1 MB/s."""

import functools
import sys
import time

import perftui


@functools.cache
def parse(line):
    return {"words": line.split(), "length": len(line)}


perftui.mark("truth: mem_growth")
with perftui.phase("parse"):
    end = time.monotonic() + float(sys.argv[1])
    n = 0
    while time.monotonic() < end:
        for _ in range(40):
            n += 1
            parse(f"user {n} did {n % 7} of {n % 11} things at {n * 3} for {n % 5}")
        time.sleep(0.03)
