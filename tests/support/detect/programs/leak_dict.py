"""A dict that remembers a record of every event, from the first second on: about 1 MB/s."""

import sys
import time

import perftui

seen = {}
perftui.mark("truth: mem_growth")
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    n = 0
    while time.monotonic() < end:
        for _ in range(60):
            n += 1
            seen[f"event-{n}"] = {"id": n, "body": "x" * 200, "tags": [str(n), str(n + 1)]}
        time.sleep(0.03)
