"""Consumers that wait for a producer, who waits for its source."""

import json
import queue
import threading
import time

rows = queue.Queue(10)
used = 0.0


def produce():
    global used
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        start = time.thread_time()
        rows.put(sum(k * k for k in range(200_000)))
        used += time.thread_time() - start
    for _ in consumers:
        rows.put(None)


def consume():
    while rows.get() is not None:
        time.sleep(0.001)


consumers = [threading.Thread(target=consume, name=f"consumer-{n}") for n in range(3)]
for thread in consumers:
    thread.start()
produce()
print(json.dumps({"seconds": used}))
