"""Four threads of plain Python: no faster than one."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

spent = []


def score(n):
    start, used = time.perf_counter(), time.thread_time()
    whole = 0
    for k in range(300_000):
        whole += k * n % 7
    spent.append(time.perf_counter() - start - (time.thread_time() - used))
    return whole


began = time.perf_counter()
with ThreadPoolExecutor(4) as pool:
    while time.perf_counter() - began < 10:
        list(pool.map(score, range(16)))
print(json.dumps({"seconds": sum(spent)}))
