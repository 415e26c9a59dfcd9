"""A worker thread keeps 1 MB every 25 ms; the main thread burns CPU and keeps nothing."""

import json
import threading
import time

KEPT: list[bytes] = []
end = time.monotonic() + 4


def keep() -> None:
    while time.monotonic() < end:
        KEPT.append(b"x" * 1_000_000)
        time.sleep(0.025)


def compute() -> None:
    n = 0
    while time.monotonic() < end:
        n = (n * 31 + 7) % 1_000_003


worker = threading.Thread(target=keep, name="keeper")
worker.start()
compute()
worker.join()
print(json.dumps({"function": "keep", "thread": "keeper", "bytes": 1_000_000 * len(KEPT)}))
