"""Twelve processes: eleven do little, one is busy."""

import json
import os
import time

read, write = os.pipe()


def idle_worker(end: float) -> None:
    while time.monotonic() < end:
        time.sleep(0.1)


def hot_worker(end: float) -> None:
    while time.monotonic() < end:
        sum(range(1_000))


until = time.monotonic() + 4
for number in range(12):
    if os.fork() == 0:
        if number == 7:
            hot_worker(until)
            os.write(write, str(time.process_time()).encode())
        else:
            idle_worker(until)
        os._exit(0)
for _ in range(12):
    os.wait()
print(json.dumps({"function": "hot_worker", "cpu_s": float(os.read(read, 100))}))
