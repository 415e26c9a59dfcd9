"""A thread that answers requests keeps 1 MB more a second; another one burns CPU."""

import sys
import threading
import time

END = time.time() + float(sys.argv[1])
sessions = {}


def remember(n):
    sessions[n] = bytearray(b"x") * 100_000


def render(n):
    return sum(n * k % 7 for k in range(2_000))


def serve():
    n = 0
    while time.time() < END:
        remember(n)
        render(n)
        n += 1
        time.sleep(0.1)


def maths():
    n = 0
    while time.time() < END:
        n = (n * 31 + 7) % 1_000_003


threads = [threading.Thread(target=f, name=n) for f, n in ((serve, "serve"), (maths, "maths"))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
