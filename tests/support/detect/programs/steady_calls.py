"""Calls that take as long as they always do."""

import sys
import time

import perftui

end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    with perftui.call("parse"):
        sum(n * n for n in range(60_000))
    time.sleep(0.1)
