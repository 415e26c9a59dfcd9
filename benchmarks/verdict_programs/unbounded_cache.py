"""Answers are remembered for ever."""

import json
import time

CACHE = {}


def answer(key):
    if key not in CACHE:
        CACHE[key] = bytearray(b"x") * 500_000
    return len(CACHE[key])


began, n, curve = time.perf_counter(), 0, []
while time.perf_counter() - began < 14:
    answer(n)
    n += 1
    curve.append((time.monotonic_ns(), n * 500_000))
    time.sleep(0.05)
print(json.dumps({"bytes": sum(map(len, CACHE.values())), "curve": curve}))
