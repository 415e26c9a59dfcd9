"""A loop works 10 ms and sleeps 30: all of the CPU is the work's."""

import json
import time

cpu_s = 0.0


def work() -> None:
    global cpu_s
    began = time.thread_time()
    while time.thread_time() < began + 0.01:
        sum(range(50))
    cpu_s += time.thread_time() - began


end = time.monotonic() + 4
while time.monotonic() < end:
    work()
    time.sleep(0.03)
print(json.dumps({"cpu_s": cpu_s}))
