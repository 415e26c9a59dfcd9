"""Threads that work, until one of them sleeps with the lock that all of them need."""

import hashlib
import sys
import threading
import time

import perftui

lock = threading.Lock()
seconds = float(sys.argv[1])
start = time.monotonic()
block = bytes(200_000)


def work(sleeper):
    while (passed := time.monotonic() - start) < 8 + seconds + 6:
        with lock:
            if 8 < passed < 8 + seconds and sleeper:
                time.sleep(0.5)
            hashlib.sha256(block).digest()
            perftui.count("rows", 10)
        if 8 < passed < 8 + seconds:
            continue
        hashlib.sha256(block * 4).digest()


with perftui.phase("hash"):
    threads = [threading.Thread(target=work, args=(n == 0,)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(max(0, 8 - (time.monotonic() - start)))
    perftui.mark("truth: lock_wait")
    time.sleep(seconds)
    perftui.mark("end: lock_wait")
    for thread in threads:
        thread.join()
