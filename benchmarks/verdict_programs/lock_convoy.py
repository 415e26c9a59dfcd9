"""Eight threads that need one lock for most of what they do."""

import json
import threading
import time

lock = threading.Lock()
END = time.perf_counter() + 10
waited = [0.0] * 8


def update(n):
    start = time.perf_counter()
    with lock:
        waited[n] += time.perf_counter() - start
        time.sleep(0.004)


def worker(n):
    while time.perf_counter() < END:
        update(n)
        time.sleep(0.001)


threads = [threading.Thread(target=worker, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"seconds": sum(waited)}))
