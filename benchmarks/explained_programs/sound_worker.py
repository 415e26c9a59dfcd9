"""A worker that waits for orders most of the time."""

import queue
import threading
import time

orders = queue.Queue()


def worker():
    while (order := orders.get()) is not None:
        sum(range(order))


thread = threading.Thread(target=worker, name="worker")
thread.start()
for _ in range(80):
    orders.put(40_000)
    time.sleep(0.1)
orders.put(None)
thread.join()
