"""A slow leak beside busy work: about 0.3 MB/s, 20 kB of each request stay."""

import sys
import time

import perftui

sessions = []
perftui.mark("truth: mem_growth")
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        body = [str(n) for n in range(4_000)]
        sessions.append("".join(body)[:20_000].encode())
        del body
        time.sleep(0.048)
