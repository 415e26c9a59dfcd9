"""A service that has nothing to do after its start."""

import sys
import time

import perftui

with perftui.phase("setup"):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        sum(range(5_000))
time.sleep(float(sys.argv[1]))
