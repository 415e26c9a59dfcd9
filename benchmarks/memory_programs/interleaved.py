"""One thread: one function keeps 1 MB, one burns CPU, one takes 20 MB and gives them back."""

import sys
import time

kept = []


def hoard():
    kept.append(bytearray(b"x") * 1_000_000)


def compute(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def churn():
    return len(bytearray(b"x") * 20_000_000)


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    hoard()
    compute((0.001, 0.01, 0.05)[n % 3])
    churn()
    n += 1
