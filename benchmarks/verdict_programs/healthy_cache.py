"""A cache that is full after two seconds and stays so."""

import time
from functools import lru_cache


@lru_cache(maxsize=60)
def answer(key):
    return bytes(bytearray(b"x") * 500_000)


began, n = time.perf_counter(), 0
while time.perf_counter() - began < 12:
    answer(n)
    n += 1
    time.sleep(0.03)
