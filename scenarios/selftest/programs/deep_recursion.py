"""A recursion of 2,000 calls, and all of the CPU at its bottom."""

import json
import sys
import time

sys.setrecursionlimit(10_000)


def burn() -> float:
    began = time.thread_time()
    while time.thread_time() < began + 3:
        sum(range(50))
    return time.thread_time() - began


def descend(levels: int) -> float:
    return descend(levels - 1) if levels else burn()


print(json.dumps({"cpu_s": descend(2_000)}))
