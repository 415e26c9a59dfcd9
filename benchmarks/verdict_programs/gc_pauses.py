"""Millions of objects that stay, and new ones all the time: the collector walks over all."""

import gc
import json
import time

paused, since = 0.0, 0.0


def clock(phase, info):
    global paused, since
    if phase == "start":
        since = time.thread_time()
    else:
        paused += time.thread_time() - since


kept = [{"id": n, "tags": [n]} for n in range(1_500_000)]
gc.callbacks.append(clock)


def request():
    rows = [[n] for n in range(20_000)]
    gc.collect()
    return len(rows)


began = time.perf_counter()
while time.perf_counter() - began < 10:
    request()
print(json.dumps({"seconds": paused}))
