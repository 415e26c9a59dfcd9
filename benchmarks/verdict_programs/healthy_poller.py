"""Works for 5 ms, sleeps for 50."""

import time


def poll():
    until = time.thread_time() + 0.005
    while time.thread_time() < until:
        sum(range(200))


began = time.perf_counter()
while time.perf_counter() - began < 10:
    poll()
    time.sleep(0.05)
