"""A producer puts batches into a queue that has no bound."""

import queue
import sys
import threading
import time

batches = queue.Queue()


def make(n):
    return [float(n + k) for k in range(6_000)]


def produce(end):
    n = 0
    while time.time() < end:
        batches.put(make(n))
        n += 1
        time.sleep(0.01)


def consume(end):
    while time.time() < end:
        sum(sorted(batches.get()))
        time.sleep(0.05)


end = time.time() + float(sys.argv[1])
producer = threading.Thread(target=produce, args=(end,), name="producer")
producer.start()
consume(end)
producer.join()
