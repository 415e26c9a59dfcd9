"""Answers are remembered for ever."""

import json
import time

CACHE = {}


def answer(key):
    if key not in CACHE:
        CACHE[key] = bytearray(b"x") * 500_000
    return len(CACHE[key])


began, n = time.perf_counter(), 0
while time.perf_counter() - began < 14:
    answer(n)
    n += 1
    time.sleep(0.05)
print(json.dumps({"bytes": sum(map(len, CACHE.values())), "over_s": 14}))
