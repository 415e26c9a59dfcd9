"""Batches come, are worked on and go: memory is as high after 15 s as after one."""

import json
import time


def batch(size: int) -> int:
    return sum(bytearray(b"x") * size)


end = time.monotonic() + 15
while time.monotonic() < end:
    batch(2_000_000)
    time.sleep(0.02)
print(json.dumps({}))
