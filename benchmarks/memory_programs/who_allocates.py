"""A thread keeps 2 MB more every 50 ms and needs little CPU; another one burns it."""

import sys
import threading
import time

END = time.time() + float(sys.argv[1])
kept = []


def fill_cache():
    while time.time() < END:
        kept.append(bytearray(b"x") * 2_000_000)
        time.sleep(0.05)


def maths():
    n = 0
    while time.time() < END:
        n = (n * 31 + 7) % 1_000_003


threads = [threading.Thread(target=f, name=n) for f, n in ((fill_cache, "cache"), (maths, "maths"))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
