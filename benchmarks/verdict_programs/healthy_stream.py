"""A pipeline of batches that lets go of each; three threads that hand over by queues."""

import queue
import threading
import time

read, done = queue.Queue(4), queue.Queue(4)


def reader():
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        time.sleep(0.02)
        read.put(bytearray(200_000))
    read.put(None)


def writer():
    while done.get() is not None:
        time.sleep(0.005)


threads = [threading.Thread(target=reader), threading.Thread(target=writer)]
for thread in threads:
    thread.start()
while (batch := read.get()) is not None:
    done.put(sum(batch[::100]))
done.put(None)
for thread in threads:
    thread.join()
